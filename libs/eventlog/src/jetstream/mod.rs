//! The log on NATS JetStream: one stream, one literal subject per aggregate, `<stream>.<aggregate's address>`.
//!
//! Invariant: the stream loses nothing; one that could (by limits, purge or deletion) is not opened.

mod append;
mod consume;
mod faults;
mod follow;
mod group;
mod inbox;
mod last;
mod newer;
mod open;
mod pull;
mod read;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::{Client, HeaderMap};
use bytes::Bytes;

use crate::{
    Append, AppendError, DeliveryStream, EventLog, EventStream, Filter, Newer, Position, ReadError, RecordedEvent,
    Subject, headers,
};
pub use faults::{StreamFault, log_faults};
use inbox::Inbox;
pub use open::OpenError;

/// Which stream holds the log, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct JetStreamOptions {
    /// Name of the stream, and first token of its subjects: 1 to 128 of `A-Z a-z 0-9 _ ~ -`.
    pub name: String,
    /// Copies of the stream if it is created: 1 or, on a cluster, 3 or 5.
    pub replicas: usize,
    /// Whether a stream that does not exist is created; else it is an error.
    pub create: bool,
    /// How long an answer of the server is waited for. An append without one is [`AppendError::Unknown`].
    pub timeout: Duration,
    /// After how long a delivery to a consumer that was neither acknowledged nor put back comes again.
    pub ack_wait: Duration,
    /// A server that takes longer than this for one of many appends may sync each of them to the disk: those that wait at
    /// the same moment then share an atomic batch, if that is faster. With 0 they always do.
    pub group_above: Duration,
}

impl Default for JetStreamOptions {
    fn default() -> Self {
        Self {
            name: "tandem".to_owned(),
            replicas: 1,
            create: true,
            timeout: Duration::from_secs(5),
            ack_wait: Duration::from_secs(30),
            group_above: Duration::from_micros(100),
        }
    }
}

/// [`EventLog`] on a JetStream stream. Cheap to clone.
#[derive(Clone, Debug)]
pub struct JetStreamLog(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    client: Client,
    context: Context,
    inbox: Inbox,
    found: last::Found,
    group: group::Group,
    stream: String,
    /// Whether a read may be answered by a server that lags behind.
    replicated: bool,
    /// `$JS.API.DIRECT.GET.<stream>`.
    direct_get: async_nats::Subject,
    timeout: Duration,
    ack_wait: Duration,
}

impl Connection {
    /// Fails at once while there is no connection: the client would hold a request back and send it some time later.
    fn reached(&self) -> Result<(), ReadError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(ReadError("not connected to NATS".to_owned())),
        }
    }

    /// The NATS subject of an aggregate.
    fn subject(&self, aggregate: &Subject) -> String {
        let Subject { tenant, kind, id } = aggregate;
        [&self.stream, &**tenant, kind.context, kind.aggregate, &**id].join(".")
    }

    /// The NATS subjects that hold what a filter lets through; no two of them overlap.
    fn subjects(&self, filter: &Filter) -> Result<Vec<String>, ReadError> {
        filter.check()?;
        let tenant = match &filter.tenant {
            Some(tenant) => tenant,
            // All that is in the stream, be it an aggregate's or not.
            None if filter.kinds.is_empty() => return Ok(vec![format!("{}.>", self.stream)]),
            None => "*",
        };
        if filter.kinds.is_empty() {
            return Ok(vec![format!("{}.{tenant}.>", self.stream)]);
        }
        let mut subjects: Vec<_> =
            filter.kinds.iter().map(|kind| format!("{}.{tenant}.{kind}.*", self.stream)).collect();
        subjects.sort_unstable();
        subjects.dedup();
        Ok(subjects)
    }

    fn recorded(
        &self,
        position: Position,
        subject: &str,
        headers: Option<&HeaderMap>,
        payload: Bytes,
    ) -> RecordedEvent {
        let address = subject.strip_prefix(&self.stream).and_then(|rest| rest.strip_prefix('.')).unwrap_or(subject);
        RecordedEvent { position, subject: address.into(), envelope: headers::decode(headers), payload }
    }
}

#[async_trait::async_trait]
impl EventLog for JetStreamLog {
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        self.0.append(parts).await
    }

    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.0.read(subject, after).await
    }

    async fn read_from_any(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.0.read_from_any(subject, after).await
    }

    async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        self.0.newer(subjects, after).await
    }

    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        self.0.get(position).await
    }

    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        self.0.last_position(filter).await
    }

    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
        follow::follow(Arc::clone(&self.0), filter, after).await
    }

    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
        consume::consume(Arc::clone(&self.0), name, filter).await
    }
}
