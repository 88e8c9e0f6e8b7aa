//! Durable consumers of the in-memory log.
//!
//! Invariant: an event is handed out until it is acknowledged, to one of the consumer's readers at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use crate::{Delivery, DeliveryStream, Filter, Position, ReadError, RecordedEvent};

/// Where a consumer of one name stands. It is there as long as the log, as a durable one is.
#[derive(Debug, Default)]
pub(super) struct Consumer {
    progress: Mutex<Progress>,
    /// Told when an event is put back.
    put_back: Notify,
}

#[derive(Debug, Default)]
struct Progress {
    /// Position of the last event that was handed out.
    last: Position,
    pending: BTreeMap<Position, Pending>,
}

#[derive(Debug)]
struct Pending {
    /// When it is handed out again.
    due: Instant,
    attempts: u64,
    /// Comes once more even when it is acknowledged.
    twice: bool,
}

/// What a reader gets next.
enum Next {
    Event(Box<RecordedEvent>, u64),
    NotBefore(Option<Instant>),
}

impl Consumer {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, shared: &Shared, filter: &Filter) -> Next {
        let mut state = shared.lock();
        let mut progress = self.lock();
        let now = Instant::now();
        let due = now + shared.ack_wait;
        if let Some((position, pending)) = progress.pending.iter_mut().find(|(_, pending)| pending.due <= now) {
            pending.due = due;
            pending.attempts += 1;
            if let Some(event) = state.at(*position) {
                return Next::Event(Box::new(event.clone()), pending.attempts);
            }
        }
        match state.next(filter, progress.last).cloned() {
            Some(event) => {
                let twice = state.duplicate_deliveries > 0;
                state.duplicate_deliveries = state.duplicate_deliveries.saturating_sub(1);
                progress.last = event.position;
                progress.pending.insert(event.position, Pending { due, attempts: 1, twice });
                Next::Event(Box::new(event), 1)
            }
            None => Next::NotBefore(progress.pending.values().map(|pending| pending.due).min()),
        }
    }

    /// What was handed out and not acknowledged.
    pub(super) fn pending(&self) -> Vec<Position> {
        self.lock().pending.keys().copied().collect()
    }

    fn acknowledge(&self, position: Position) {
        let mut progress = self.lock();
        match progress.pending.get_mut(&position) {
            Some(pending) if pending.twice => {
                pending.twice = false;
                pending.due = Instant::now();
                self.put_back.notify_waiters();
            }
            _ => drop(progress.pending.remove(&position)),
        }
    }

    fn put_back(&self, position: Position, delay: Duration) {
        if let Some(pending) = self.lock().pending.get_mut(&position) {
            pending.due = Instant::now() + delay;
        }
        self.put_back.notify_waiters();
    }
}

pub(super) fn deliveries(shared: Arc<Shared>, consumer: Arc<Consumer>, filter: Filter) -> DeliveryStream {
    let last = shared.last.subscribe();
    let deliveries =
        futures::stream::unfold((shared, consumer, filter, last), |(shared, consumer, filter, mut last)| async {
            loop {
                // Both before looking: what happens meanwhile is not missed.
                last.borrow_and_update();
                let put_back = consumer.put_back.notified();
                let due = match consumer.next(&shared, &filter) {
                    Next::Event(event, attempt) => {
                        let delivery: Box<dyn Delivery> =
                            Box::new(Handed { event, attempt, consumer: Arc::clone(&consumer) });
                        drop(put_back);
                        return Some((Ok(delivery), (shared, consumer, filter, last)));
                    }
                    Next::NotBefore(due) => due,
                };
                tokio::select! {
                    changed = last.changed() => changed.ok()?,
                    () = put_back => {}
                    () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
                }
            }
        });
    deliveries.boxed()
}

struct Handed {
    event: Box<RecordedEvent>,
    attempt: u64,
    consumer: Arc<Consumer>,
}

#[async_trait::async_trait]
impl Delivery for Handed {
    fn event(&self) -> &RecordedEvent {
        &self.event
    }

    fn attempt(&self) -> u64 {
        self.attempt
    }

    async fn ack(&self) -> Result<(), ReadError> {
        self.consumer.acknowledge(self.event.position);
        Ok(())
    }

    async fn retry(&self, delay: Duration) -> Result<(), ReadError> {
        self.consumer.put_back(self.event.position, delay);
        Ok(())
    }
}
