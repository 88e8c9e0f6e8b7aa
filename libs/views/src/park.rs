//! Parked events: those that a fold could not take, and those of the same aggregate that wait behind them.
//!
//! Invariant: an event at or below a view's position is either folded or parked.

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
    /// What is wrong with it, or which event it waits for.
    pub error: String,
    /// When the event was decided, to the microsecond.
    pub time: Timestamp,
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

    /// The entry for this event; from now on its aggregate's later events wait for it.
    pub(crate) fn park(&mut self, event: &RecordedEvent, error: &FoldError) -> Parked {
        self.0.insert(event.subject.clone(), event.position);
        entry(event, error.to_string())
    }
}

fn entry(event: &RecordedEvent, error: String) -> Parked {
    Parked {
        position: event.position,
        subject: event.subject.to_string(),
        event_type: event.envelope.event_type.clone(),
        error,
        time: Timestamp::from_microsecond(event.envelope.time.as_microsecond()).unwrap_or(event.envelope.time),
    }
}
