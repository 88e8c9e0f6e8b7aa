//! A relationships service of one's own over a log that the test writes.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use prost::{Message, Name};
pub use tandem_client::Claims;
use tandem_client::proto::relationships::v1 as pb;
use tandem_client::{Client, Error, MintedToken};
use tandem_eventlog::{
    Append, Envelope, EventLog as _, JetStreamLog, JetStreamOptions, Kind, NewEvent, Position, Subject,
};
use tandem_nats_server::NatsServer;
use tandem_relationships::Relationships;
use tandem_service::NoArgs;
use tandem_service::testing::{Running, settings};
use tempfile::TempDir;
use tonic::Streaming;
use uuid::Uuid;

pub const PARTNERSHIP: &str = "partnerships/glowco~zoe";
pub const CONTRACT: Kind = Kind { context: "contracts", aggregate: "contract" };

/// A service over an empty log. Each test has its own.
pub struct World {
    // Dropped in this order.
    pub service: Running,
    log: JetStreamLog,
    clock: AtomicI64,
    _views: TempDir,
    pub nats: NatsServer,
}

impl World {
    pub async fn start() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let views = TempDir::new().unwrap();
        let service = Running::start::<Relationships>(settings(&nats.url(), views.path()), NoArgs {}).await.unwrap();
        let log = JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap();
        Self { service, log, clock: AtomicI64::new(0), _views: views, nats }
    }

    /// An event of `contracts/{id}` in the partnership, a second after the one before.
    pub async fn happens<M: Message + Name>(&self, id: &str, event: &M) -> Position {
        self.happens_in("acme", PARTNERSHIP, id, &M::full_name(), event.encode_to_vec()).await
    }

    pub async fn happens_in(
        &self,
        tenant: &str,
        partnership: &str,
        id: &str,
        event_type: &str,
        payload: Vec<u8>,
    ) -> Position {
        let second = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        let subject = Subject::new(tenant, CONTRACT, id).unwrap();
        let expected = self.log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
        let event_id = Uuid::now_v7().to_string();
        let envelope = Envelope {
            id: event_id.clone(),
            event_type: event_type.into(),
            resource: format!("contracts/{id}"),
            time: time(second),
            actor: "users/ada".into(),
            command: "tandem.contracts.v1.ContractService/SignContract".into(),
            reason: "because".into(),
            request_id: format!("request-{event_id}"),
            request_hash: String::new(),
            correlation_id: format!("correlation-{id}"),
            causation_id: "cause".into(),
            partnership: partnership.into(),
            traceparent: String::new(),
            test_clock: false,
        };
        let events = vec![NewEvent { subject, envelope, payload: Bytes::from(payload) }];
        self.log.append(vec![Append { expected, events }]).await.unwrap()[0]
    }

    /// Somebody of a tenant who may see everything.
    pub fn user(&self, tenant: &str) -> Api {
        let permissions = ["relationships.*", "audit.read", "events.read", "views.read"];
        self.client(Claims::new("users/maria", tenant).with_permissions(permissions))
    }

    pub fn maria(&self) -> Api {
        self.user("acme")
    }

    pub fn client(&self, claims: Claims) -> Api {
        let builder = Client::builder().relationships(self.service.uri());
        Api(builder.token(MintedToken::development(claims)).build().unwrap())
    }
}

/// So many seconds into 2026.
pub fn time(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// A caller.
#[derive(Clone)]
pub struct Api(pub Client);

impl Api {
    /// Waits for the views up to an event.
    pub fn after(&self, position: Position) -> Self {
        Self(self.0.with_positions(&format!("{CONTRACT}:{position}").parse().unwrap()))
    }

    pub async fn partnership(&self, as_of: Option<jiff::Timestamp>) -> Result<pb::Partnership, Error> {
        let as_of = as_of.map(tandem_proto::time::to_proto);
        let request = pb::GetPartnershipRequest { name: PARTNERSHIP.into(), as_of };
        Ok(self.0.relationships().get_partnership(request).await?.into_inner())
    }

    pub async fn partnerships(&self, filter: &str, order_by: &str) -> Result<Vec<String>, Error> {
        let (filter, order_by) = (filter.into(), order_by.into());
        let request = pb::ListPartnershipsRequest { filter, order_by, ..Default::default() };
        let listed = self.0.relationships().list_partnerships(request).await?.into_inner();
        Ok(listed.partnerships.into_iter().map(|row| row.name.trim_start_matches("partnerships/").to_owned()).collect())
    }

    pub async fn audit(&self, filter: &str) -> Result<Vec<pb::AuditEntry>, Error> {
        let request = pb::ListAuditEntriesRequest { filter: filter.into(), page_size: 1000, ..Default::default() };
        Ok(self.0.relationships().list_audit_entries(request).await?.into_inner().audit_entries)
    }

    pub async fn watch(&self, request: pb::WatchEventsRequest) -> Result<Streaming<pb::WatchEventsResponse>, Error> {
        Ok(self.0.events().watch_events(request).await?.into_inner())
    }

    /// Positions of what is there now.
    pub async fn now(&self, request: pb::WatchEventsRequest) -> Vec<i64> {
        let mut events = self.watch(pb::WatchEventsRequest { until_now: true, ..request }).await.unwrap();
        let mut positions = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            positions.push(event.position);
        }
        positions
    }
}
