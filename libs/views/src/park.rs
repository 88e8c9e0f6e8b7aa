//! Parked events: those that a fold could not take, and those of the same aggregate that wait behind them. And those that
//! it passed over, for a newer version has written them: nothing waits behind these.
//!
//! Invariant: an event at or below a view's position is folded, parked or marked as passed over.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tandem_eventlog::{Position, RecordedEvent};

use crate::FoldError;

/// An event that a view has read but not folded. It stays in the log: reading it by its position brings it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Where it stands in the log.
    pub position: Position,
    /// Its aggregate, `<tenant>.<context>.<aggregate>.<id>`.
    pub subject: String,
    /// Full protobuf name of the event.
    pub event_type: String,
    /// What is wrong with it, or which event it waits for; empty if it was passed over.
    pub error: String,
    /// When the event was decided, to the microsecond.
    pub time: Timestamp,
}

impl Parked {
    /// An event of a type that a newer version has written.
    pub(crate) fn newer(event: &RecordedEvent) -> Self {
        entry(event, String::new())
    }

    /// Whether it was only passed over: a newer version has written it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.error.is_empty()
    }
}

/// Aggregates whose events are parked, each with the position of its first parked event.
#[derive(Debug, Default)]
pub(crate) struct Blocked(HashMap<Arc<str>, Position>);

impl Blocked {
    pub(crate) fn new(first: HashMap<Arc<str>, Position>) -> Self {
        Self(first)
    }

    /// The entry for this event, if its aggregate is blocked.
    pub(crate) fn park_if_waiting(&self, event: &RecordedEvent) -> Option<Parked> {
        let first = self.0.get(&event.subject)?;
        Some(entry(event, format!("waits for position {first}")))
    }

    /// The aggregate is blocked no more.
    pub(crate) fn release(&mut self, subject: &str) {
        self.0.remove(subject);
    }

    /// The entry for this event; from now on its aggregate's later events wait for it.
    pub(crate) fn park(&mut self, event: &RecordedEvent, error: &FoldError) -> Parked {
        self.0.insert(event.subject.clone(), event.position);
        entry(event, Some(error.to_string()).filter(|text| !text.is_empty()).unwrap_or_else(|| "no reason".to_owned()))
    }
}

/// Whoever writes a header can put anything into it, and a database does not take all.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn entry(event: &RecordedEvent, error: String) -> Parked {
    Parked {
        position: event.position,
        subject: storable(&event.subject),
        event_type: storable(&event.envelope.event_type),
        error: storable(&error),
        time: Timestamp::from_microsecond(event.envelope.time.as_microsecond()).unwrap_or(event.envelope.time),
    }
}
