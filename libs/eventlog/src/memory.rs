//! The log in memory, for tests: the same semantics, and faults that a test scripts.
//!
//! Invariant: deterministic. Faults are used up in the order in which they were injected, each by the next operation that it
//! concerns.

mod consumer;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;

use crate::{
    Append, AppendError, DeliveryStream, EventLog, EventStream, Filter, Followed, Newer, Position, ReadError,
    RecordedEvent, Subject,
};
use consumer::Consumer;

/// What shall go wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next append is written, and answered with [`AppendError::Unknown`].
    LostReply,
    /// The next append is not written, and answered with [`AppendError::Unknown`].
    LostRequest,
    /// The next append is not written, and answered with [`AppendError::Conflict`].
    Conflict,
    /// The next append is not written, and answered with [`AppendError::Unavailable`].
    Unavailable,
    /// The next append takes this long.
    Delay(Duration),
    /// The next read from any replica lacks the aggregate's last event: the one that answers lags.
    StaleRead,
    /// The next event that a consumer is handed comes twice, even when acknowledged.
    DuplicateDelivery,
}

/// [`EventLog`] in memory. Clones share one log.
#[derive(Clone, Debug)]
pub struct MemoryLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Position of the last event, for those who wait for the next.
    last: watch::Sender<Position>,
    ack_wait: Duration,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<RecordedEvent>,
    by_subject: HashMap<Arc<str>, Vec<Position>>,
    consumers: HashMap<String, Arc<Consumer>>,
    append_faults: VecDeque<Fault>,
    stale_reads: usize,
    duplicate_deliveries: usize,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log, whose consumers get an event that they do not acknowledge again after 30 s.
    #[must_use]
    pub fn new() -> Self {
        Self::with_ack_wait(Duration::from_secs(30))
    }

    /// An empty log, whose consumers get an event that they do not acknowledge again after `ack_wait`.
    #[must_use]
    pub fn with_ack_wait(ack_wait: Duration) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), last: watch::Sender::new(0), ack_wait }))
    }

    /// Lets something go wrong: see [`Fault`].
    pub fn inject(&self, fault: Fault) {
        let mut state = self.0.lock();
        match fault {
            Fault::StaleRead => state.stale_reads += 1,
            Fault::DuplicateDelivery => state.duplicate_deliveries += 1,
            _ => state.append_faults.push_back(fault),
        }
    }

    /// What consumers were handed and have not acknowledged, by consumer; without those that have acknowledged all.
    #[must_use]
    pub fn unacknowledged(&self) -> BTreeMap<String, Vec<Position>> {
        let state = self.0.lock();
        let pending = state.consumers.iter().map(|(name, consumer)| (name.clone(), consumer.pending()));
        pending.filter(|(_, positions)| !positions.is_empty()).collect()
    }

    /// A log of its own that has these events up to a position, and no more: the log as a server knows it that was its
    /// leader, was cut off, and has not noticed.
    #[must_use]
    pub fn cut_off_at(&self, position: Position) -> Self {
        let known = Self::with_ack_wait(self.0.ack_wait);
        let mut state = known.0.lock();
        for event in self.events().into_iter().take_while(|event| event.position <= position) {
            state.by_subject.entry(Arc::clone(&event.subject)).or_default().push(event.position);
            state.events.push(event);
        }
        known.0.last.send_replace(state.last());
        drop(state);
        known
    }

    /// All events, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.0.lock().events.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked with the lock held has failed already; the others shall tell their own story.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        Append::check(&parts)?;
        let mut state = self.lock();
        let positions = state.write(parts)?;
        let last = state.last();
        // Announced under the lock, so that it only rises.
        self.last.send_replace(last);
        Ok(positions)
    }
}

impl State {
    fn last(&self) -> Position {
        self.events.last().map_or(0, |event| event.position)
    }

    fn write(&mut self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        let mut addresses: Vec<Arc<str>> = Vec::with_capacity(parts.len());
        for part in &parts {
            let address = part.events.first().map(|event| event.subject.to_string()).unwrap_or_default();
            let last = self.by_subject.get(&*address).and_then(|positions| positions.last()).copied().unwrap_or(0);
            if last != part.expected {
                return Err(AppendError::Conflict);
            }
            addresses.push(address.into());
        }
        for (part, address) in parts.into_iter().zip(&addresses) {
            for event in part.events {
                let position = self.last() + 1;
                self.by_subject.entry(Arc::clone(address)).or_default().push(position);
                self.events.push(RecordedEvent {
                    position,
                    subject: Arc::clone(address),
                    envelope: event.envelope,
                    payload: event.payload,
                });
            }
        }
        Ok(addresses.iter().filter_map(|address| self.by_subject.get(address)?.last().copied()).collect())
    }

    /// Position of the aggregate's last event; 0 if it has none.
    fn last_of(&self, subject: &Subject) -> Position {
        self.by_subject.get(&*subject.to_string()).and_then(|positions| positions.last()).copied().unwrap_or(0)
    }

    fn read(&self, subject: &Subject, after: Position) -> Vec<RecordedEvent> {
        let positions = self.by_subject.get(&*subject.to_string()).into_iter().flatten();
        let wanted = positions.filter(|position| **position > after);
        wanted.filter_map(|position| self.at(*position)).cloned().collect()
    }

    fn at(&self, position: Position) -> Option<&RecordedEvent> {
        self.events.get(usize::try_from(position.checked_sub(1)?).ok()?)
    }

    /// The next event after a position that the filter lets through.
    fn next(&self, filter: &Filter, after: Position) -> Option<&RecordedEvent> {
        let seen = usize::try_from(after).unwrap_or(usize::MAX);
        self.events.get(seen..)?.iter().find(|event| filter.lets_through(event))
    }

    fn followed(&self, filter: &Filter, after: Position) -> Option<Followed> {
        let event = self.next(filter, after)?.clone();
        Some(Followed { more: self.next(filter, event.position).is_some(), event })
    }
}

#[async_trait::async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        let fault = self.0.lock().append_faults.pop_front();
        match fault {
            None => self.0.write(parts),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.0.write(parts)
            }
            Some(Fault::LostReply) => {
                self.0.write(parts)?;
                Err(AppendError::Unknown("the reply was lost".to_owned()))
            }
            Some(Fault::Conflict) => Err(AppendError::Conflict),
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("the log is away".to_owned())),
            Some(_) => Err(AppendError::Unknown("the request was lost".to_owned())),
        }
    }

    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        Ok(self.0.lock().read(subject, after))
    }

    async fn read_from_any(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        let mut state = self.0.lock();
        let stale = std::mem::replace(&mut state.stale_reads, 0);
        state.stale_reads = stale.saturating_sub(1);
        let last = state.last_of(subject);
        let mut events = state.read(subject, after);
        events.retain(|event| stale == 0 || event.position < last);
        Ok(events)
    }

    async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        let state = self.0.lock();
        let last = |subject: &Subject| Some(state.last_of(subject)).filter(|last| *last > after).unwrap_or(0);
        Ok(Newer { last: subjects.iter().map(last).collect(), up_to: state.last().max(after) })
    }

    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        Ok(self.0.lock().at(position).cloned())
    }

    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        filter.check()?;
        let state = self.0.lock();
        Ok(state.events.iter().rev().find(|event| filter.lets_through(event)).map_or(0, |event| event.position))
    }

    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
        filter.check()?;
        let (shared, filter, last) = (Arc::clone(&self.0), filter.clone(), self.0.last.subscribe());
        let events =
            futures::stream::unfold((shared, filter, last, after), |(shared, filter, mut last, after)| async move {
                loop {
                    last.borrow_and_update();
                    let next = shared.lock().followed(&filter, after);
                    if let Some(followed) = next {
                        let after = followed.position;
                        return Some((Ok(followed), (shared, filter, last, after)));
                    }
                    last.changed().await.ok()?;
                }
            });
        Ok(events.boxed())
    }

    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
        filter.check()?;
        let consumer = Arc::clone(self.0.lock().consumers.entry(name.to_owned()).or_default());
        Ok(consumer::deliveries(Arc::clone(&self.0), consumer, filter.clone()))
    }
}
