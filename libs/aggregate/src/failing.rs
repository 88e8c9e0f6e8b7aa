//! Events that a process has not been able to handle, for those who are to see to it.
//!
//! Invariant: what is told has failed here and was not handled here since. What another replica has handled instead is
//! forgotten after a while, for whatever still fails comes again before.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tandem_eventlog::{Filter, Position, RecordedEvent, ambient};
use tokio::time::Instant;

use crate::process::LONGEST_RETRY;
use crate::{Cause, Process, ProcessError};

/// Longer than anything that fails stays away, with a few replicas handed it in turn.
const FORGOTTEN: Duration = LONGEST_RETRY.saturating_mul(8);
/// Characters of an error that are kept.
const MOST_TEXT: usize = 1000;

/// A process of which it is told what fails in it. What its handler panics at is an event that fails.
pub struct Watched {
    process: Box<dyn Process>,
    failing: Arc<Failing>,
}

/// What fails in one process.
#[derive(Debug)]
pub struct Failing {
    name: String,
    deliveries: Mutex<BTreeMap<Position, Kept>>,
}

#[derive(Debug)]
struct Kept {
    delivery: FailingDelivery,
    last: Instant,
}

/// An event that a process could not handle, and is handed again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingDelivery {
    /// Where it stands in the log.
    pub position: Position,
    /// Its aggregate, `<tenant>.<context>.<aggregate>.<id>`.
    pub subject: String,
    /// Full protobuf name of the event.
    pub event_type: String,
    /// What went wrong the last time.
    pub error: String,
    /// How often it failed here.
    pub attempts: u64,
    /// When it failed here first.
    pub first_time: Timestamp,
    /// When it failed here last.
    pub last_time: Timestamp,
}

impl Watched {
    /// Watches a process.
    pub fn new(process: impl Process) -> Self {
        let failing = Failing { name: process.name().to_owned(), deliveries: Mutex::default() };
        Self { process: Box::new(process), failing: Arc::new(failing) }
    }

    /// What fails in it.
    #[must_use]
    pub fn failing(&self) -> Arc<Failing> {
        Arc::clone(&self.failing)
    }
}

#[async_trait::async_trait]
impl Process for Watched {
    fn name(&self) -> &str {
        self.process.name()
    }

    fn consumer(&self) -> &str {
        self.process.consumer()
    }

    fn filter(&self) -> Filter {
        self.process.filter()
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        // One event that it panics at must not end it for all others. The panic's hook has written where.
        let handled = AssertUnwindSafe(self.process.handle(event, cause)).catch_unwind().await;
        let handled = handled.unwrap_or_else(|_| Err(ProcessError("the handler panicked".to_owned())));
        match &handled {
            Ok(()) => drop(self.failing.lock().remove(&event.position)),
            Err(error) => self.failing.note(event, &error.0),
        }
        handled
    }
}

impl Failing {
    /// Name of the process.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All that fail, in the order of the log.
    #[must_use]
    pub fn list(&self) -> Vec<FailingDelivery> {
        let mut deliveries = self.lock();
        deliveries.retain(|_, kept| kept.last.elapsed() < FORGOTTEN);
        deliveries.values().map(|kept| kept.delivery.clone()).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "for those who operate it; nothing is decided by it")]
    fn note(&self, event: &RecordedEvent, error: &str) {
        let now = ambient::now();
        let mut deliveries = self.lock();
        let known = deliveries.get(&event.position).map(|kept| &kept.delivery);
        let delivery = FailingDelivery {
            position: event.position,
            subject: event.subject.to_string(),
            event_type: event.envelope.event_type.clone(),
            error: error.chars().take(MOST_TEXT).collect(),
            attempts: known.map_or(0, |known| known.attempts) + 1,
            first_time: known.map_or(now, |known| known.first_time),
            last_time: now,
        };
        deliveries.insert(event.position, Kept { delivery, last: Instant::now() });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Position, Kept>> {
        // Whole entries are put in and taken out.
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
