//! An aggregate as read from the log.
//!
//! Invariant: a [`Loaded`] is exactly the fold of the aggregate's events up to its position.

use std::collections::HashMap;

use tandem_eventlog::{Envelope, Position, RecordedEvent};
use tandem_proto::{Unreadable, read_event};

use crate::{Aggregate, ExecuteError};

/// Times that a state is larger in memory than the events that it came from are encoded: a short text is three words and
/// an allocation, a field that is not set still has its place.
const EXPANSION: usize = 4;
/// Bytes of an entry in the table of requests, beside the texts, in a table that has room to grow.
const REQUEST: usize = 192;

/// An aggregate's state with what is needed to decide and append to it.
#[derive(Clone, Debug, Default)]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// Position of its last event; 0 if it has none.
    pub position: Position,
    /// How many events it has.
    pub event_count: u64,
    /// Whether its last event happened at a time that a test clock had set.
    pub test_clock: bool,
    /// Commands that it has taken: request id → where, and the command's fingerprint.
    pub(crate) requests: HashMap<String, (Position, String)>,
    /// What its events have added to it, in bytes.
    added: usize,
}

impl<A: Aggregate> Loaded<A> {
    /// Whether it has any event.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.position > 0
    }

    /// The etag of the state: changes with every event.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(self.position)
    }

    /// About how much memory it takes: rather too much than too little, for a state may also forget what events told it.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.added
    }

    /// Counts an event that the state has taken in.
    pub(crate) fn count(&mut self, payload: &[u8], envelope: &Envelope) {
        self.event_count += 1;
        self.added += EXPANSION * payload.len() + REQUEST + envelope.request_id.len() + envelope.request_hash.len();
    }

    /// Takes in an event of the log.
    pub(crate) fn apply(&mut self, event: &RecordedEvent) -> Result<(), ExecuteError> {
        let envelope = &event.envelope;
        // An event of a newer version of this service would be lost on deciding: better not to decide.
        let decoded = read_event::<A::Event>(&envelope.event_type, &event.payload).map_err(|error| match error {
            Unreadable::Newer(event_type) => ExecuteError::UpgradeNeeded { event_type, position: event.position },
            damaged => ExecuteError::Corrupt(format!("event {} of {}: {damaged}", event.position, event.subject)),
        })?;
        self.state.evolve(&decoded, envelope);
        self.position = event.position;
        self.count(&event.payload, envelope);
        self.test_clock = envelope.test_clock;
        self.requests.insert(envelope.request_id.clone(), (event.position, envelope.request_hash.clone()));
        Ok(())
    }
}

/// The etag of an aggregate whose last event is at a position.
#[must_use]
pub fn etag(position: Position) -> String {
    format!("{position:x}")
}
