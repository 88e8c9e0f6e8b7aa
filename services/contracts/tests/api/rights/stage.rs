//! A signed contract, publications that the log tells of, and who asks for rights.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use bytes::Bytes;
use jiff::Timestamp;
use prost::{Message as _, Name as _};
use tandem_client::proto::common::v1::ActOnDueRequest;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::{Client, Error, Service};
use tandem_eventlog::{
    Append, Envelope, EventLog as _, Filter, JetStreamLog, JetStreamOptions, Kind, NewEvent, Position, RecordedEvent,
    Subject,
};
use tandem_proto::campaigns::v1::DeliverablePublished;
use tandem_proto::contracts::v1::clause::Clause;
use uuid::Uuid;

use crate::fixtures::{CREATOR, clause, terms};
use crate::world::{Claims, World, instant};

pub const REEL: &str = "participations/p1/deliverables/reel-1";
/// In New York it is still the second of July.
pub const PUBLISHED: &str = "2026-07-03T01:00:00Z";
/// The end of 2027-01-02 there: six months later.
pub const END: &str = "2027-01-03T05:00:00Z";
const CONSUMER: &str = "contracts";
const PARTICIPATION: Kind = Kind { context: "campaigns", aggregate: "participation" };
const RIGHT: Kind = Kind { context: "contracts", aggregate: "usage_right" };

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The terms of the fixtures with other usage rights: paid amplification for six months is "ads".
pub fn terms_with(change: impl Fn(&mut pb::UsageRightsClause)) -> pb::Terms {
    let mut terms = terms();
    for clause in &mut terms.clauses {
        if let Some(Clause::UsageRights(clause)) = &mut clause.clause {
            change(clause);
        }
    }
    terms
}

/// The terms of the fixtures and organic use, which ends with the contract.
pub fn terms_with_organic() -> pb::Terms {
    let mut terms = terms();
    let ads = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Clause::UsageRights(clause)) => Some(clause.clone()),
        _ => None,
    });
    let organic =
        pb::UsageRightsClause { kind: pb::UsageKind::Organic.into(), ends_with_contract: true, ..ads.unwrap() };
    terms.clauses.push(clause("organic", Clause::UsageRights(organic)));
    terms
}

/// The service, its log as campaigns sees it, and callers.
pub struct Stage {
    pub world: World,
    log: JetStreamLog,
    stream: jetstream::stream::Stream,
}

impl Stage {
    pub async fn start() -> Self {
        let world = World::start().await;
        let nats = async_nats::connect(&world.nats_url).await.unwrap();
        let options = JetStreamOptions::default();
        let stream = jetstream::new(nats.clone()).get_stream(&options.name).await.unwrap();
        let log = JetStreamLog::open(nats, options).await.unwrap();
        Self { world, log, stream }
    }

    /// Ada of the brand, who also operates timers.
    pub fn brand(&self) -> Rights {
        self.user("acme")
    }

    pub fn user(&self, tenant: &str) -> Rights {
        let claims = Claims::new("users/ada", tenant).with_permissions(["contracts.*", "rights.*", "timers.act"]);
        Rights(self.world.client(claims).0)
    }

    pub fn creator(&self, creator: &str) -> Rights {
        let claims = Claims::new("users/portal", "acme").with_permissions(["contracts.*", "rights.*"]);
        Rights(self.world.client(claims.with_creator(creator)).0)
    }

    /// A contract on these terms, signed in May. The register has taken that in: what is published next is not told
    /// together with it.
    pub async fn signed(&self, id: &str, terms: pb::Terms) -> String {
        let name = self.world.signed(id, terms).await.name;
        self.all_handled().await;
        name
    }

    /// `participations/p1/deliverables/reel-1` went online under a contract.
    pub async fn published(&self, contract: &str) -> RecordedEvent {
        self.publish("acme", REEL, contract, PUBLISHED).await
    }

    /// As the campaigns service tells it, under a test clock.
    pub async fn publish(&self, tenant: &str, deliverable: &str, contract: &str, at: &str) -> RecordedEvent {
        self.tell(tenant, deliverable, contract, at, true).await
    }

    #[expect(clippy::disallowed_methods, reason = "campaigns gives its events ids")]
    pub async fn tell(
        &self,
        tenant: &str,
        deliverable: &str,
        contract: &str,
        time: &str,
        test_clock: bool,
    ) -> RecordedEvent {
        let (participation, deliverable_id) = deliverable.split_once("/deliverables/").unwrap();
        let subject = Subject::new(tenant, PARTICIPATION, participation.trim_start_matches("participations/")).unwrap();
        let expected = self.log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
        let event = DeliverablePublished {
            deliverable_id: deliverable_id.into(),
            published_uri: "https://example.com/p/1".into(),
            publish_time: instant(time),
            contract: contract.into(),
            contract_version: 1,
            ..Default::default()
        };
        let id = Uuid::now_v7().to_string();
        let envelope = Envelope {
            id: id.clone(),
            event_type: DeliverablePublished::full_name(),
            resource: participation.into(),
            time: at(time),
            actor: CREATOR.into(),
            command: String::new(),
            reason: String::new(),
            request_id: id.clone(),
            request_hash: String::new(),
            correlation_id: format!("correlation-{id}"),
            causation_id: String::new(),
            partnership: "partnerships/glowco~zoe".into(),
            traceparent: String::new(),
            test_clock,
        };
        let events = vec![NewEvent { subject, envelope, payload: Bytes::from(event.encode_to_vec()) }];
        let position = self.log.append(vec![Append { expected, events }]).await.unwrap()[0];
        self.log.get(position).await.unwrap().unwrap()
    }

    /// Waits until the register has taken in all that happened. The server tells it to those alone who ask again.
    pub async fn all_handled(&self) {
        let handled = async {
            loop {
                let consumer = self.stream.get_consumer::<pull::Config>(CONSUMER).await;
                let done = |info: &jetstream::consumer::Info| info.num_pending == 0 && info.num_ack_pending == 0;
                if consumer.is_ok_and(|consumer| done(consumer.cached_info())) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), handled).await.unwrap();
    }

    /// Whoever consumes next begins at the start of the log.
    pub async fn forget_what_was_handled(&self) {
        self.stream.delete_consumer(CONSUMER).await.unwrap();
    }

    /// Where the register's last event stands.
    pub async fn last(&self) -> Position {
        self.log.last_position(&Filter { kinds: vec![RIGHT], tenant: None }).await.unwrap()
    }

    /// What happened to a right: the events without their package, and their envelopes.
    pub async fn history(&self, right: &str) -> Vec<(String, RecordedEvent)> {
        let subject = Subject::new("acme", RIGHT, right.trim_start_matches("usageRights/")).unwrap();
        let events = self.log.read(&subject, 0).await.unwrap().into_iter();
        let short = |event: &RecordedEvent| event.envelope.event_type.rsplit('.').next().unwrap().to_owned();
        events.map(|event| (short(&event), event)).collect()
    }

    /// The rights of the tenant once all is handled, by clause and deliverable.
    pub async fn rights(&self) -> Vec<pb::UsageRight> {
        self.all_handled().await;
        let listed = self.brand().seeing(self).await.list("", "").await.unwrap();
        let mut rights = listed.usage_rights;
        rights.sort_by_key(|right| (right.clause_id.clone(), right.deliverable.clone()));
        rights
    }

    /// The one right of this clause.
    pub async fn right(&self, clause_id: &str) -> pb::UsageRight {
        let rights: Vec<_> = self.rights().await.into_iter().filter(|right| right.clause_id == clause_id).collect();
        let [right] = &rights[..] else { panic!("{rights:?}") };
        right.clone()
    }
}

/// A caller, with one method for each of the API's.
#[derive(Clone)]
pub struct Rights(pub Client);

impl Rights {
    /// The same caller at an instant.
    pub fn at(&self, time: &str) -> Self {
        Self(self.0.at(at(time)))
    }

    /// Has seen the register as it is.
    pub async fn seeing(self, stage: &Stage) -> Self {
        let positions = format!("{RIGHT}:{}", stage.last().await).parse().unwrap();
        Self(self.0.with_positions(&positions))
    }

    pub async fn check(&self, request: pb::CheckRightsRequest) -> Result<pb::CheckRightsResponse, Error> {
        Ok(self.0.rights().check_rights(request).await?.into_inner())
    }

    pub async fn get(&self, name: &str) -> Result<pb::UsageRight, Error> {
        let request = pb::GetUsageRightRequest { name: name.into() };
        Ok(self.0.rights().get_usage_right(request).await?.into_inner())
    }

    pub async fn list(&self, filter: &str, order_by: &str) -> Result<pb::ListUsageRightsResponse, Error> {
        let (filter, order_by) = (filter.into(), order_by.into());
        let request = pb::ListUsageRightsRequest { filter, order_by, ..Default::default() };
        Ok(self.0.rights().list_usage_rights(request).await?.into_inner())
    }

    pub async fn expiring(
        &self,
        request: pb::ListExpiringRightsRequest,
    ) -> Result<pb::ListExpiringRightsResponse, Error> {
        Ok(self.0.rights().list_expiring_rights(request).await?.into_inner())
    }

    /// Lets time pass for a resource.
    pub async fn act_on_due(&self, name: &str) -> bool {
        let request = ActOnDueRequest { name: name.into(), ..Default::default() };
        self.0.timers(Service::Contracts).act_on_due(request).await.unwrap().into_inner().acted
    }

    /// The brand proposes changed terms from a day on.
    pub async fn amend(&self, name: &str, terms: pb::Terms, from: (i32, i32, i32)) -> pb::Amendment {
        let effective_date = crate::fixtures::date(from.0, from.1, from.2);
        let (name, terms, reason) = (name.into(), Some(terms), "More of it.".into());
        let request = pb::ProposeAmendmentRequest { name, terms, effective_date, reason, ..Default::default() };
        let contract = self.0.contracts().propose_amendment(request).await.unwrap().into_inner();
        contract.amendments.last().unwrap().clone()
    }

    pub async fn accept_amendment(&self, name: &str, amendment: &pb::Amendment) -> pb::Contract {
        let (number, terms_hash) = (amendment.number, amendment.terms_hash.clone());
        let request = pb::AcceptAmendmentRequest { name: name.into(), number, terms_hash, ..Default::default() };
        self.0.contracts().accept_amendment(request).await.unwrap().into_inner()
    }
}

/// Whether the reel may be an ad on Instagram in the US, now.
pub fn ad() -> pb::CheckRightsRequest {
    pb::CheckRightsRequest {
        deliverable: REEL.into(),
        kind: pb::UsageKind::PaidAmplification.into(),
        channel: "instagram".into(),
        territory: "US".into(),
        use_time: None,
    }
}
