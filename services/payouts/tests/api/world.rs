//! A payouts service of one's own with its neighbours, and the people who call it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use prost::{Message, Name};
use tandem_client::proto::payouts::v1 as pb;
pub use tandem_client::{Claims, Endpoints};
use tandem_client::{Client, Error, MintedToken};
use tandem_eventlog::{
    Append, Envelope, EventLog as _, Filter, JetStreamLog, JetStreamOptions, Kind, NewEvent, Position, RecordedEvent,
    Subject,
};
use tandem_nats_server::NatsServer;
use tandem_payouts::Payouts;
use tandem_service::testing::settings;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixtures::{contract, earning};
use crate::stand_ins::{Contracts, Creators, StandIn};

const CONSUMER: &str = "payouts-accrual";
const EARNING: Kind = Kind { context: "payouts", aggregate: "earning" };
pub const CONTRACT: Kind = Kind { context: "contracts", aggregate: "contract" };
pub const PARTICIPATION: Kind = Kind { context: "campaigns", aggregate: "participation" };
pub const CONVERSION: Kind = Kind { context: "campaigns", aggregate: "conversion" };

/// A service over an empty log. Each test has its own.
pub struct World {
    service: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    uri: String,
    pub contracts: Contracts,
    pub contracts_server: StandIn,
    pub creators: Creators,
    pub creators_server: StandIn,
    pub log: Arc<JetStreamLog>,
    stream: jetstream::stream::Stream,
    views: TempDir,
    nats: NatsServer,
}

impl World {
    /// With `contracts/c1`, of whose terms the fixtures speak.
    pub async fn start() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let client = async_nats::connect(nats.url()).await.unwrap();
        let options = JetStreamOptions::default();
        let name = options.name.clone();
        let log = Arc::new(JetStreamLog::open(client.clone(), options).await.unwrap());
        let stream = jetstream::new(client).get_stream(name).await.unwrap();
        let (contracts, creators) = (Contracts::default(), Creators::default());
        contracts.set(contract("contracts/c1"));
        let (contracts_server, creators_server) = (contracts.start().await, creators.start().await);
        let mut world = Self {
            service: None,
            uri: String::new(),
            contracts,
            contracts_server,
            creators,
            creators_server,
            log,
            stream,
            views: TempDir::new().unwrap(),
            nats,
        };
        world.start_service().await;
        world
    }

    pub async fn stop_service(&mut self) {
        let (shutdown, task) = self.service.take().unwrap();
        shutdown.cancel();
        task.await.unwrap().unwrap();
    }

    /// Over the same log and views as before.
    pub async fn start_service(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.uri = format!("http://{}", listener.local_addr().unwrap());
        let args = Endpoints {
            contracts: self.contracts_server.uri(),
            creators: self.creators_server.uri(),
            payouts: self.uri.clone(),
            ..Endpoints::default()
        };
        let settings = settings(&self.nats.url(), self.views.path());
        let (shutdown, (ready, started)) = (CancellationToken::new(), oneshot::channel());
        let stop = shutdown.clone();
        let run = async move { tandem_service::run_on::<Payouts>(listener, &settings, &args, stop, ready).await };
        self.service = Some((shutdown, tokio::spawn(run)));
        started.await.unwrap();
    }

    /// Somebody of a tenant who may do everything with payouts.
    pub fn user(&self, user: &str, tenant: &str) -> Api {
        self.client(Claims::new(format!("users/{user}"), tenant).with_permissions(["payouts.*"]))
    }

    /// Fred of finance.
    pub fn fred(&self) -> Api {
        self.user("fred", "acme")
    }

    /// Frida, the second person.
    pub fn frida(&self) -> Api {
        self.user("frida", "acme")
    }

    pub fn client(&self, claims: Claims) -> Api {
        Api(Client::builder().payouts(&self.uri).token(MintedToken::development(claims)).build().unwrap())
    }

    /// As another service would decide it, at noon of a summer day.
    pub async fn happens<M: Message + Name>(&self, tenant: &str, kind: Kind, id: &str, event: &M) -> RecordedEvent {
        self.happens_at(tenant, kind, id, event, "2026-07-02T12:00:00Z").await
    }

    pub async fn happens_at<M: Message + Name>(
        &self,
        tenant: &str,
        kind: Kind,
        id: &str,
        event: &M,
        time: &str,
    ) -> RecordedEvent {
        let subject = Subject::new(tenant, kind, id).unwrap();
        let expected = self.log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
        let event_id = Uuid::now_v7().to_string();
        let envelope = Envelope {
            id: event_id.clone(),
            event_type: M::full_name(),
            resource: format!("{}s/{id}", kind.aggregate),
            time: time.parse().unwrap(),
            actor: "users/ada".into(),
            command: String::new(),
            reason: String::new(),
            request_id: event_id.clone(),
            request_hash: String::new(),
            correlation_id: format!("correlation-{event_id}"),
            causation_id: String::new(),
            partnership: "partnerships/glowco~zoe".into(),
            traceparent: String::new(),
            test_clock: false,
        };
        let events = vec![NewEvent { subject, envelope, payload: Bytes::from(event.encode_to_vec()) }];
        let position = self.log.append(vec![Append { expected, events }]).await.unwrap()[0];
        self.log.get(position).await.unwrap().unwrap()
    }

    /// The first events of earnings, over all tenants.
    pub async fn earning_events(&self, count: usize) -> Vec<RecordedEvent> {
        let earnings = Filter { kinds: vec![EARNING], tenant: None };
        let events = self.log.follow(&earnings, 0).await.unwrap().take(count);
        events.map_ok(|followed| followed.event).try_collect().await.unwrap()
    }

    /// Waits until all events are handled that may earn. The server tells it to those alone who ask again and again.
    pub async fn all_handled(&self) {
        loop {
            // It is not there yet while the service starts.
            let consumer = self.stream.get_consumer::<pull::Config>(CONSUMER).await;
            let handled = |info: &jetstream::consumer::Info| info.num_pending == 0 && info.num_ack_pending == 0;
            if consumer.is_ok_and(|consumer| handled(consumer.cached_info())) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whoever consumes next begins at the start of the log.
    pub async fn forget_what_was_handled(&self) {
        self.stream.delete_consumer(CONSUMER).await.unwrap();
    }

    pub async fn last_earning(&self) -> Position {
        self.log.last_position(&Filter { kinds: vec![EARNING], tenant: None }).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((shutdown, _)) = &self.service {
            shutdown.cancel();
        }
    }
}

/// A caller, with one method for each of the API's, whose request is the argument.
#[derive(Clone)]
pub struct Api(pub Client);

macro_rules! methods {
    ($($service:ident.$method:ident: $request:ident -> $response:ident;)*) => {
        impl Api {
            $(pub async fn $method(&self, request: pb::$request) -> Result<pb::$response, Error> {
                Ok(self.0.$service().$method(request).await?.into_inner())
            })*
        }
    };
}

methods! {
    earnings.create_earning: CreateEarningRequest -> Earning;
    earnings.get_earning: GetEarningRequest -> Earning;
    earnings.list_earnings: ListEarningsRequest -> ListEarningsResponse;
    compensation_facts.record_expense: RecordExpenseRequest -> RecordExpenseResponse;
    compensation_facts.record_revenue: RecordRevenueRequest -> RecordRevenueResponse;
    payout_runs.create_payout_run: CreatePayoutRunRequest -> PayoutRun;
    payout_runs.get_payout_run: GetPayoutRunRequest -> PayoutRun;
    payout_runs.list_payout_runs: ListPayoutRunsRequest -> ListPayoutRunsResponse;
    payout_runs.approve_payout_run: ApprovePayoutRunRequest -> PayoutRun;
    payout_runs.cancel_payout_run: CancelPayoutRunRequest -> PayoutRun;
    payout_runs.submit_payout_run: SubmitPayoutRunRequest -> SubmitPayoutRunResponse;
    payout_runs.settle_payout: SettlePayoutRequest -> PayoutRun;
    payout_runs.explain_payout: ExplainPayoutRequest -> ExplainPayoutResponse;
}

/// The usual requests, in short.
impl Api {
    /// Knows of all earnings there are.
    pub async fn seeing(self, world: &World) -> Self {
        let positions = format!("{EARNING}:{}", world.last_earning().await).parse().unwrap();
        Self(self.0.with_positions(&positions))
    }

    pub async fn earn(&self, id: &str, earning: pb::Earning) -> pb::Earning {
        let request = pb::CreateEarningRequest { earning: Some(earning), earning_id: id.into(), ..Default::default() };
        self.create_earning(request).await.unwrap()
    }

    /// A commission of so many cents for each id, each of a creator of its own, and back to back.
    pub async fn earn_many(&self, earnings: impl IntoIterator<Item = (String, pb::Earning)>) {
        let earned = earnings.into_iter().map(|(id, earning)| async move { self.earn(&id, earning).await });
        stream::iter(earned).buffer_unordered(32).collect::<Vec<_>>().await;
    }

    /// Commissions of `creators/{creator}`: id and cents.
    pub async fn earn_all(&self, creator: &str, earnings: &[(&str, i64)]) {
        let creator = format!("creators/{creator}");
        self.earn_many(earnings.iter().map(|(id, minor)| ((*id).to_owned(), earning(&creator, *minor)))).await;
    }

    pub async fn get_earning_named(&self, name: &str) -> pb::Earning {
        self.get_earning(pb::GetEarningRequest { name: name.into() }).await.unwrap()
    }

    /// Names of the earnings that a filter finds, in an order, without their collection.
    pub async fn earnings(&self, filter: &str, order_by: &str) -> Vec<String> {
        let (filter, order_by) = (filter.into(), order_by.into());
        let request = pb::ListEarningsRequest { filter, order_by, ..Default::default() };
        let listed = self.list_earnings(request).await.unwrap();
        assert_eq!(usize::try_from(listed.total_size).unwrap(), listed.earnings.len());
        listed.earnings.into_iter().map(|earning| earning.name.trim_start_matches("earnings/").to_owned()).collect()
    }

    pub async fn approve(&self, name: &str) -> Result<pb::PayoutRun, Error> {
        self.approve_payout_run(pb::ApprovePayoutRunRequest { name: name.into(), ..Default::default() }).await
    }

    pub async fn cancel(&self, name: &str) -> Result<pb::PayoutRun, Error> {
        let reason = "Wrong day.".into();
        self.cancel_payout_run(pb::CancelPayoutRunRequest { name: name.into(), reason, ..Default::default() }).await
    }

    pub async fn submit(&self, name: &str) -> Result<pb::SubmitPayoutRunResponse, Error> {
        self.submit_payout_run(pb::SubmitPayoutRunRequest { name: name.into(), ..Default::default() }).await
    }

    pub async fn settle(&self, name: &str, bank_reference: &str) -> Result<pb::PayoutRun, Error> {
        let settle_time = Some(crate::fixtures::instant("2026-08-04T00:00:00Z"));
        let (name, bank_reference) = (name.into(), bank_reference.into());
        self.settle_payout(pb::SettlePayoutRequest { name, bank_reference, settle_time, ..Default::default() }).await
    }

    pub async fn explain(&self, name: &str) -> Result<pb::ExplainPayoutResponse, Error> {
        self.explain_payout(pb::ExplainPayoutRequest { name: name.into() }).await
    }

    pub async fn run(&self, name: &str) -> Result<pb::PayoutRun, Error> {
        self.get_payout_run(pb::GetPayoutRunRequest { name: name.into() }).await
    }
}
