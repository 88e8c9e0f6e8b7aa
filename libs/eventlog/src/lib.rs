//! The log: where every decision of Tandem is kept, and the only thing that is kept.
//!
//! The port is [`EventLog`]; [`JetStreamLog`] keeps it on NATS JetStream, [`MemoryLog`] in memory with faults that a
//! test can script. Both pass [`conformance`].
//!
//! Invariant: an append whose guard does not hold changes nothing, and one that is acknowledged is never lost.

pub mod ambient;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod headers;
mod jetstream;
mod memory;
mod positions;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trace;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

pub use jetstream::{JetStreamLog, JetStreamOptions, OpenError, StreamFault, log_faults};
pub use memory::{Fault, MemoryLog};
pub use positions::{InvalidPositions, Positions};

/// Position of an event in the log: its JetStream stream sequence, from 1. 0 is before all events.
pub type Position = u64;

/// The kind of an aggregate: which service owns it, and what it is called there, both as subject tokens
/// (`contracts`, `contract`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// The owning service, for example `contracts`.
    pub context: &'static str,
    /// The aggregate, for example `contract`.
    pub aggregate: &'static str,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.context, self.aggregate)
    }
}

/// Address of one aggregate: `<tenant>.<context>.<aggregate>.<id>`, a literal NATS subject below the stream's prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    tenant: Arc<str>,
    kind: Kind,
    id: Arc<str>,
}

/// A tenant or an id that can't be a subject token.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an id: use 1 to 128 of A-Z a-z 0-9 _ ~ -")]
pub struct InvalidToken(pub String);

fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_~-".contains(&b))
}

impl Subject {
    /// The address of aggregate `id` of `tenant`.
    ///
    /// # Errors
    /// If tenant or id is not 1 to 128 characters of `A-Z a-z 0-9 _ ~ -`, so that neither can reach into another
    /// subject.
    pub fn new(tenant: &str, kind: Kind, id: &str) -> Result<Self, InvalidToken> {
        for token in [tenant, id] {
            if !is_token(token) {
                return Err(InvalidToken(token.to_owned()));
            }
        }
        Ok(Self { tenant: tenant.into(), kind, id: id.into() })
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// What kind of aggregate it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.tenant, self.kind, self.id)
    }
}

/// What stands around an event's payload: CloudEvents 1.0 attributes and Tandem's extensions of them. Travels as
/// `ce-*` headers of the message (binary mode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `ce-id`: UUID v7, unique.
    pub id: String,
    /// `ce-type`: full protobuf name of the payload, for example `tandem.contracts.v1.ContractSigned`.
    pub event_type: String,
    /// `ce-subject`: resource name, for example `contracts/c1`.
    pub resource: String,
    /// `ce-time`: when it was decided, UTC.
    pub time: Timestamp,
    /// `ce-actor`: who did it: `users/{user}`, `creators/{creator}`, `services/{service}`.
    pub actor: String,
    /// `ce-command`: the gRPC method that it came from, for example `tandem.contracts.v1.ContractService/SignContract`.
    pub command: String,
    /// `ce-reason`: what the actor gave as reason; empty if nothing.
    pub reason: String,
    /// `ce-requestid`: makes the command idempotent for the aggregate's life.
    pub request_id: String,
    /// `ce-requesthash`: fingerprint of the command, so that a request id used with another body is found out.
    pub request_hash: String,
    /// `ce-correlationid`: shared by all that follows from one outside request.
    pub correlation_id: String,
    /// `ce-causationid`: the event that caused this one; empty where a person did.
    pub causation_id: String,
    /// `ce-partnership`: `partnerships/{brand}~{creator}` that it belongs to; empty where it belongs to none.
    pub partnership: String,
    /// `traceparent`: W3C trace context of the append; empty if not traced.
    pub traceparent: String,
    /// `ce-testclock`: `time` was set by a test clock, which only development has, and what follows keeps to it.
    pub test_clock: bool,
}

/// An event to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The aggregate.
    pub subject: Subject,
    /// What stands around it.
    pub envelope: Envelope,
    /// The event's protobuf.
    pub payload: Bytes,
}

/// An event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Where it stands.
    pub position: Position,
    /// The aggregate, as `<tenant>.<context>.<aggregate>.<id>`. A string, for a reader meets kinds that it does not know.
    pub subject: Arc<str>,
    /// What stands around it.
    pub envelope: Envelope,
    /// The event's protobuf.
    pub payload: Bytes,
}

impl RecordedEvent {
    /// Tenant, context, aggregate and id out of the subject; empty strings for what is missing.
    #[must_use]
    pub fn tokens(&self) -> [&str; 4] {
        let mut tokens = self.subject.splitn(4, '.');
        std::array::from_fn(|_| tokens.next().unwrap_or_default())
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.tokens()[0]
    }
}

/// Events to one aggregate with the guard under which they may be appended.
#[derive(Clone, Debug)]
pub struct Append {
    /// Position of the aggregate's last event as the decider knew it; 0 if it had none.
    pub expected: Position,
    /// At least one; all of one subject.
    pub events: Vec<NewEvent>,
}

impl Append {
    /// What one atomic batch can take, by the server's limit.
    const MOST_EVENTS: usize = 1000;

    /// Whether these parts can be one append at all.
    fn check(parts: &[Append]) -> Result<(), AppendError> {
        let refused = |why: &str| Err(AppendError::Unavailable(why.to_owned()));
        let mut subjects = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(first) = part.events.first() else { return refused("a part has no events") };
            if part.events.iter().any(|event| event.subject != first.subject) {
                return refused("the events of a part are of several aggregates");
            }
            subjects.push(&first.subject);
        }
        subjects.sort_unstable();
        if subjects.windows(2).any(|pair| pair[0] == pair[1]) {
            return refused("two parts are of one aggregate");
        }
        match parts.iter().map(|part| part.events.len()).sum::<usize>() {
            0 => refused("there is nothing to append"),
            1..=Self::MOST_EVENTS => Ok(()),
            _ => refused("one append takes at most 1000 events"),
        }
    }
}

/// Why an append did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The aggregate has moved on since it was read: nothing was written. Read again and decide anew.
    #[error("the aggregate has moved on")]
    Conflict,
    /// No answer: it may or may not have been written. Read again and look for the own request id.
    #[error("no answer to the append: {0}")]
    Unknown(String),
    /// The log refused it or can't be reached, and nothing was written.
    #[error("the log refused the append: {0}")]
    Unavailable(String),
}

/// Which aggregates have new events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// Position of each aggregate's last event, in the order in which they were asked for; 0 if it has none after the
    /// position that was asked for.
    pub last: Vec<Position>,
    /// There is nothing else up to this position; the position that was asked for, if the log can't tell.
    pub up_to: Position,
}

/// The log could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the log can't be read: {0}")]
pub struct ReadError(pub String);

/// Which events a reader wants: those of these kinds (all tenants), or all if there are none.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Kinds wanted; all if empty.
    pub kinds: Vec<Kind>,
    /// Only of this tenant; of all if none.
    pub tenant: Option<String>,
}

impl Filter {
    /// What any of these filters lets through, and of other tenants no more than that needs: with filters of several
    /// tenants, events of these kinds of all tenants.
    pub fn any<'a>(filters: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut filters = filters.into_iter();
        let Some(first) = filters.next() else { return Self::default() };
        filters.fold(first.clone(), |mut any, filter| {
            if any.kinds.is_empty() || filter.kinds.is_empty() {
                any.kinds.clear();
            } else {
                let known = any.kinds.clone();
                any.kinds.extend(filter.kinds.iter().filter(|kind| !known.contains(kind)));
            }
            any.tenant = any.tenant.filter(|tenant| filter.tenant.as_ref() == Some(tenant));
            any
        })
    }

    /// Whether a reader with this filter gets the event.
    #[must_use]
    pub fn lets_through(&self, event: &RecordedEvent) -> bool {
        let [tenant, context, aggregate, _] = event.tokens();
        self.tenant.as_ref().is_none_or(|wanted| wanted == tenant)
            && (self.kinds.is_empty()
                || self.kinds.iter().any(|kind| kind.context == context && kind.aggregate == aggregate))
    }

    /// A tenant that is no token could reach into other tenants' subjects.
    fn check(&self) -> Result<(), ReadError> {
        match &self.tenant {
            Some(tenant) if !is_token(tenant) => Err(ReadError(InvalidToken(tenant.clone()).to_string())),
            _ => Ok(()),
        }
    }
}

/// One event handed to a durable consumer. Unless it is acknowledged it comes again.
#[async_trait::async_trait]
pub trait Delivery: Send + Sync {
    /// The event.
    fn event(&self) -> &RecordedEvent;
    /// How often it was handed out, from 1.
    fn attempt(&self) -> u64;
    /// Done with it. It comes again only if this word is lost on the way.
    async fn ack(&self) -> Result<(), ReadError>;
    /// Not done with it: hand it out again after `delay`.
    async fn retry(&self, delay: std::time::Duration) -> Result<(), ReadError>;
}

/// An event as a follower gets it.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The event.
    pub event: RecordedEvent,
    /// Whether there were others behind it in the log already when it was sent.
    pub more: bool,
}

impl Deref for Followed {
    type Target = RecordedEvent;

    fn deref(&self) -> &RecordedEvent {
        &self.event
    }
}

/// A stream of events in the order of the log.
pub type EventStream = BoxStream<'static, Result<Followed, ReadError>>;
/// A stream of deliveries.
pub type DeliveryStream = BoxStream<'static, Result<Box<dyn Delivery>, ReadError>>;

/// The log, as everything else sees it.
#[async_trait::async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends all or nothing, each part under its guard; answers the position of each part's last event. One event is
    /// one message; more go as one atomic batch of at most 1000.
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError>;

    /// Events of one aggregate after a position, oldest first. It is exact: all are there that were acknowledged before it
    /// was asked, so that a refusal can rest on it.
    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError>;

    /// The same as any one replica knows it, which may lag behind: cheaper, for those who notice it if they are told too
    /// little, by the guard of an append or by a position.
    async fn read_from_any(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.read(subject, after).await
    }

    /// Which of these aggregates have events after a position: asking for many at once costs little more than for one. It
    /// is exact, as [`Self::read`] is.
    async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        let mut newer = Newer { last: Vec::with_capacity(subjects.len()), up_to: after };
        for subject in subjects {
            let last = self.read(subject, after).await?.last().map_or(0, |event| event.position);
            newer.last.push(last);
        }
        Ok(newer)
    }

    /// The event at a position, if there is one.
    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError>;

    /// Position of the last event that the filter lets through (of any, with the empty filter); 0 if none. It is
    /// exact when it answers, for views measure their lag by it.
    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError>;

    /// Follows the log after a position, and goes on when its end is reached. Reconnects by itself; nothing is
    /// skipped or doubled. Events are sent for when the stream is polled: who waits a while between two polls gets what
    /// has come together at once.
    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError>;

    /// Events for a process, each handed to one of the consumers of this name until acknowledged, from the start of
    /// the log the first time. Survives restarts.
    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError>;
}
