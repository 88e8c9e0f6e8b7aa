//! Bytes in the log that nobody should have written: who meets them says so, and everything else goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use common::{Bearer, reason};
use prost::Message as _;
use tandem_aggregate::{Aggregate, Cause, Context, Executor, Process, ProcessError, Refusal};
use tandem_eventlog::{Envelope, Filter, JetStreamLog, JetStreamOptions, Kind, Position, RecordedEvent};
use tandem_nats_server::NatsServer;
use tandem_proto::campaigns::v1::campaign_event::Event;
use tandem_proto::campaigns::v1::campaign_service_client::CampaignServiceClient;
use tandem_proto::campaigns::v1::campaign_service_server::{CampaignService, CampaignServiceServer};
use tandem_proto::campaigns::v1::{
    Campaign, CampaignClosed, CampaignKpisSet, CampaignPlanned, CloseCampaignRequest, GetCampaignRequest, Kpi,
    ListCampaignsRequest, ListCampaignsResponse,
};
use tandem_proto::common::v1::process_service_client::ProcessServiceClient;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListProcessesRequest, ListViewsRequest, Process as ProcessResource, RetryViewRequest};
use tandem_proto::read_event;
use tandem_service::testing::{Running, settings, token};
use tandem_service::{Call, Environment, NoArgs, Resource, ResourceView, Service, Wired};
use tandem_views::{Column, ListQuery, ViewHandle};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };
/// KPIs that folding and handling panic at, until they are mended.
const PANICS: usize = 3;

static MENDED: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Default)]
struct Thing(Campaign);

impl Aggregate for Thing {
    const KIND: Kind = KIND;
    const COLLECTION: &'static str = "campaigns";
    type Command = ();
    type Event = Event;

    fn decide(&self, (): &(), _: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::Closed(CampaignClosed {})])
    }

    fn evolve(&mut self, event: &Event, _: &Envelope) {
        match event {
            Event::Planned(planned) => self.0 = planned.campaign.clone().unwrap_or_default(),
            Event::KpisSet(set) => {
                assert!(set.kpis.len() != PANICS || MENDED.load(Ordering::Relaxed), "too many");
                self.0.kpis.clone_from(&set.kpis);
            }
            Event::Launched(_) => {}
            Event::Closed(_) => self.0.title.push_str(", closed"),
        }
    }
}

impl Resource for Thing {
    const VIEW: &'static str = "campaigns";
    const VERSION: i32 = 1;
    type Message = Campaign;

    fn columns() -> Vec<Column<Campaign>> {
        Vec::new()
    }

    fn from_message(message: Campaign) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> Campaign {
        Campaign { etag, ..self.0 }
    }
}

struct Reaction;

#[tonic::async_trait]
impl Process for Reaction {
    fn name(&self) -> &'static str {
        "fixture-reaction"
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![KIND], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, _: &Cause) -> Result<(), ProcessError> {
        let decided = read_event::<Event>(&event.envelope.event_type, &event.payload);
        Thing::default().evolve(&decided.map_err(|error| ProcessError(error.to_string()))?, &event.envelope);
        Ok(())
    }
}

struct Fixture;

#[tonic::async_trait]
impl Service for Fixture {
    const NAME: &'static str = "fixture";
    const DEFAULT_PORT: u16 = 0;
    type Args = NoArgs;

    async fn wire(env: &Environment, _: &NoArgs) -> anyhow::Result<Wired> {
        env.process(Reaction);
        let view = env.view(ResourceView::<Thing>::default()).await?;
        let handlers = Handlers { things: Arc::new(env.executor()), view: view.clone() };
        Ok(Wired::new().service(CampaignServiceServer::new(handlers)).view(&view))
    }
}

struct Handlers {
    things: Arc<Executor<Thing>>,
    view: ViewHandle<ResourceView<Thing>>,
}

#[tonic::async_trait]
impl CampaignService for Handlers {
    async fn get_campaign(&self, request: Request<GetCampaignRequest>) -> Result<Response<Campaign>, Status> {
        let call = Call::accept(request)?;
        let id = call.message.name.trim_start_matches("campaigns/");
        let loaded = self.things.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        Ok(Response::new(loaded.state.clone().into_message(loaded.etag())))
    }

    async fn close_campaign(&self, request: Request<CloseCampaignRequest>) -> Result<Response<Campaign>, Status> {
        let call = Call::accept(request)?;
        let id = call.message.name.trim_start_matches("campaigns/");
        let done = self.things.execute(id, &(), &call.meta).await.map_err(|error| call.error(error))?;
        let etag = done.loaded.etag();
        Ok(call.written::<Thing, _>(done.loaded.state.into_message(etag), done.loaded.position))
    }

    async fn list_campaigns(
        &self,
        request: Request<ListCampaignsRequest>,
    ) -> Result<Response<ListCampaignsResponse>, Status> {
        let call = Call::accept(request)?;
        let page = tandem_service::list(&self.view, &call, ListQuery::default()).await?;
        let campaigns = page.rows.into_iter().map(|(_, row)| row).collect();
        Ok(Response::new(ListCampaignsResponse { campaigns, ..Default::default() }))
    }
}

/// A service on a real log into which anyone may write.
struct World {
    _nats: NatsServer,
    _views: tempfile::TempDir,
    jetstream: async_nats::jetstream::Context,
    running: Running,
}

impl World {
    async fn start() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        // Makes the stream.
        JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap();
        let views = tempfile::tempdir().unwrap();
        let running = Running::start::<Fixture>(settings(&nats.url(), views.path()), NoArgs {}).await.unwrap();
        let client = async_nats::connect(nats.url()).await.unwrap();
        Self { _nats: nats, _views: views, jetstream: async_nats::jetstream::new(client), running }
    }

    /// Bytes by hand, past all that Tandem sees to; without headers if the type is empty.
    async fn publish(&self, id: &str, event_type: &str, payload: Vec<u8>) -> Position {
        let subject = format!("tandem.acme.campaigns.campaign.{id}");
        let mut headers = HeaderMap::new();
        if !event_type.is_empty() {
            headers.insert("ce-type", event_type);
            headers.insert("ce-id", format!("{id}-{event_type}"));
            headers.insert("ce-requestid", format!("{id}-{event_type}"));
        }
        let sent = self.jetstream.publish_with_headers(subject, headers, payload.into()).await.unwrap();
        sent.await.unwrap().sequence
    }

    async fn planned(&self, id: &str) -> Position {
        let campaign = Campaign { name: format!("campaigns/{id}"), title: id.to_owned(), ..Campaign::default() };
        let planned = CampaignPlanned { campaign: Some(campaign) };
        self.publish(id, "tandem.campaigns.v1.CampaignPlanned", planned.encode_to_vec()).await
    }

    async fn closed(&self, id: &str) -> Position {
        self.publish(id, "tandem.campaigns.v1.CampaignClosed", Vec::new()).await
    }

    fn bearer(&self) -> Bearer {
        Bearer(token("users/ada", "acme", &["*"]))
    }

    fn campaigns(&self) -> CampaignServiceClient<InterceptedService<Channel, Bearer>> {
        CampaignServiceClient::with_interceptor(self.running.channel(), self.bearer())
    }

    fn views(&self) -> ViewServiceClient<InterceptedService<Channel, Bearer>> {
        ViewServiceClient::with_interceptor(self.running.channel(), self.bearer())
    }

    async fn titles(&self, after: Position) -> Vec<String> {
        let mut request = Request::new(ListCampaignsRequest::default());
        request.metadata_mut().insert("tandem-read-after", format!("campaigns.campaign:{after}").parse().unwrap());
        let listed = self.campaigns().list_campaigns(request).await.unwrap().into_inner();
        listed.campaigns.into_iter().map(|campaign| campaign.title).collect()
    }

    /// The process, once so many deliveries fail.
    async fn failing(&self, count: i64) -> ProcessResource {
        let mut client = ProcessServiceClient::with_interceptor(self.running.channel(), self.bearer());
        loop {
            let mut listed = client.list_processes(ListProcessesRequest {}).await.unwrap().into_inner();
            let process = listed.processes.remove(0);
            if process.failing_count == count {
                return process;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn poison_is_set_aside_and_told_and_everything_else_flows() {
    let world = World::start().await;
    for id in ["damaged", "fails", "newer", "sound"] {
        world.planned(id).await;
    }
    let damaged = world.publish("damaged", "tandem.campaigns.v1.CampaignKpisSet", vec![0xff]).await;
    let kpis = CampaignKpisSet { kpis: vec![Kpi::default(); PANICS] };
    let fails = world.publish("fails", "tandem.campaigns.v1.CampaignKpisSet", kpis.encode_to_vec()).await;
    let newer = world.publish("newer", "tandem.campaigns.v1.CampaignPaused", vec![1, 2, 3]).await;
    let nothing = world.publish("nothing", "", b"\0\0\0".to_vec()).await;
    for id in ["damaged", "fails", "newer"] {
        world.closed(id).await;
    }
    let last = world.closed("sound").await;

    assert_eq!(world.titles(last).await, ["damaged", "fails", "newer, closed", "sound, closed"]);
    let view = world.views().list_views(ListViewsRequest {}).await.unwrap().into_inner().views.remove(0);
    assert_eq!((view.parked_count, view.newer_count, view.lag), (5, 1, 0));
    let parked: Vec<_> = view.parked_events.iter().map(|event| event.position.unsigned_abs()).collect();
    assert_eq!(parked[..3], [damaged, fails, nothing]);
    assert_eq!(view.newer_events[0].position.unsigned_abs(), newer);

    // Nothing is decided or told by half of what happened.
    for (id, code, why) in
        [("newer", Code::FailedPrecondition, "UPGRADE_NEEDED"), ("damaged", Code::DataLoss, "EVENT_DAMAGED")]
    {
        let name = format!("campaigns/{id}");
        let close = CloseCampaignRequest { name: name.clone(), ..Default::default() };
        for status in [
            world.campaigns().get_campaign(GetCampaignRequest { name }).await.unwrap_err(),
            world.campaigns().close_campaign(close).await.unwrap_err(),
        ] {
            assert_eq!((status.code(), &reason(&status)[..]), (code, why), "{status}");
        }
    }
    let sound = GetCampaignRequest { name: "campaigns/sound".into() };
    assert_eq!(world.campaigns().get_campaign(sound).await.unwrap().into_inner().title, "sound, closed");

    // The process tries them again, later and later, and says so.
    let failing = world.failing(4).await.failing_deliveries;
    let positions: Vec<_> = failing.iter().map(|event| event.position.unsigned_abs()).collect();
    assert_eq!(positions, [damaged, fails, newer, nothing]);
    assert!(failing[1].error.contains("panicked") && failing[2].error.contains("upgrade"), "{failing:?}");
    for event in &failing {
        assert!(event.attempt_count < 20, "{event:?}");
        let (first, last) = (event.first_fail_time.unwrap(), event.last_fail_time.unwrap());
        assert!((first.seconds, first.nanos) <= (last.seconds, last.nanos), "{event:?}");
    }

    // Once mended, the process goes on by itself, and the view by command.
    MENDED.store(true, Ordering::Relaxed);
    assert!(world.failing(3).await.failing_deliveries.iter().all(|event| event.position.unsigned_abs() != fails));
    let retry = |subject: &str| RetryViewRequest { name: "views/campaigns".into(), subject: subject.into() };
    let one = retry("acme.campaigns.campaign.fails");
    let one = world.views().retry_view(one).await.unwrap().into_inner();
    assert_eq!((one.retried_count, one.parked_count, one.rebuilt), (2, 0, false));
    let all = world.views().retry_view(retry("")).await.unwrap().into_inner();
    assert_eq!((all.retried_count, all.parked_count, all.view.unwrap().parked_count), (3, 3, 3));
    assert_eq!(world.titles(last).await, ["damaged", "fails, closed", "newer, closed", "sound, closed"]);
}
