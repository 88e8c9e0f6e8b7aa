//! What an aggregate is.
//!
//! Invariant: [`Aggregate::decide`] and [`Aggregate::evolve`] are pure; time, ids and facts from elsewhere come in with
//! the command and its [`Context`].

use jiff::Timestamp;
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::{EventSet, FieldViolation};

/// A unit of consistency: what it has seen decides what it allows. `Default` is the aggregate before its first event.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// Service and name, as in the log's subjects.
    const KIND: Kind;
    /// Collection of its resource names: `contracts` for `contracts/{id}`.
    const COLLECTION: &'static str;
    /// What can be asked of it.
    type Command: Send + Sync;
    /// What can happen to it: the generated oneof of its proto package.
    type Event: EventSet;

    /// Decides a command: the events that follow (one is the norm, none if nothing is to change), or why not.
    ///
    /// # Errors
    /// A [`Refusal`] that says what stands against it and what to do.
    fn decide(&self, command: &Self::Command, context: &Context<'_>) -> Result<Vec<Self::Event>, Refusal>;

    /// Takes in an event. Never fails: what is in the log has happened.
    fn evolve(&mut self, event: &Self::Event, envelope: &Envelope);

    /// `partnerships/{brand}~{creator}` that an event, already taken in, belongs to; empty if to none.
    fn partnership(&self, event: &Self::Event) -> String {
        let _ = event;
        String::new()
    }
}

/// An aggregate that time changes by itself.
pub trait Scheduled: Aggregate {
    /// When something is due next; none if nothing is.
    fn next_due(&self) -> Option<Timestamp>;

    /// The command that does what is due by the time of its context; without effect if nothing is.
    fn act_on_due() -> Self::Command;
}

/// What a decision may know beside the aggregate and the command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now.
    pub time: Timestamp,
    /// Who asks: `users/{user}`, `creators/{creator}`, `services/{service}`.
    pub actor: &'a str,
    /// Resource name of the aggregate, for messages.
    pub resource: &'a str,
}

/// Why a command is refused. Its reason fixes the gRPC code (see `ErrorReason` in the proto files).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// From the list in the proto docs.
    pub reason: ErrorReason,
    /// What stands against it and what to do, in a sentence.
    pub message: String,
    /// Fields at fault, where it is the command rather than the state.
    pub violations: Vec<FieldViolation>,
    /// For programs, as `ErrorInfo.metadata`: for example the resources that stand against it.
    pub metadata: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with a reason and a sentence.
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), violations: Vec::new(), metadata: Vec::new() }
    }

    /// Adds to its metadata.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    /// The aggregate does not exist.
    #[must_use]
    pub fn not_found(context: &Context<'_>) -> Self {
        Self::new(ErrorReason::ResourceNotFound, format!("{} does not exist.", context.resource))
    }

    /// The id is taken.
    #[must_use]
    pub fn exists(context: &Context<'_>) -> Self {
        let message = format!("{} exists already. Choose another id, or repeat with its request_id.", context.resource);
        Self::new(ErrorReason::ResourceExists, message)
    }

    /// A field of the command is wrong in a way that only the domain knows.
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let violation = FieldViolation::new(field, description);
        let message = format!("{} {}.", violation.field, violation.description);
        Self { violations: vec![violation], ..Self::new(ErrorReason::FieldInvalid, message) }
    }
}
