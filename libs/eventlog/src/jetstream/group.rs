//! Group commit: appends to different aggregates that wait at the same moment share one atomic batch.
//!
//! Invariant: whoever shares a batch is answered as if alone. Each event keeps its guard; a batch that is refused has
//! written nothing, and its events are appended one by one.
//!
//! A server that syncs each write to the disk takes about 175 µs for an append by itself, and 2 to 5 ms for a batch
//! however large: from some 16 events on the batch wins. A server that syncs later takes 15 to 30 µs for an append, and
//! batches are of no use to it. A client can't ask which of the two it has, so it goes by what appends take.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Connection;
use crate::{Append, AppendError, NewEvent, Position};

/// So few go faster one by one.
const FEW: usize = 16;
/// Most events of a batch. The server keeps a batch in memory until it is committed.
const MOST: usize = 256;

/// Those who wait to share a batch, and what tells whether it is worth while.
#[derive(Debug)]
pub(super) struct Group {
    /// A server that takes longer than this for an append, when many are under way, syncs each.
    slow: Duration,
    /// Appends under way one by one.
    alone: AtomicUsize,
    /// Nanoseconds that the server took for each of them lately, while there were many.
    cost: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether somebody commits what waits.
    served: bool,
}

#[derive(Debug)]
struct Waiting {
    expected: Position,
    event: NewEvent,
    answer: oneshot::Sender<Result<Position, AppendError>>,
}

impl Group {
    pub(super) fn new(slow: Duration) -> Self {
        Self { slow, alone: AtomicUsize::new(0), cost: AtomicU64::new(0), queue: Mutex::default() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an append had better wait for others.
    fn worth_while(&self) -> bool {
        let many = self.alone.load(Ordering::Relaxed) >= FEW || self.queue().served;
        many && Duration::from_nanos(self.cost.load(Ordering::Relaxed)) >= self.slow
    }

    /// Takes in what `beside` appends at the same time took together, when there were many.
    fn learn(&self, took: Duration, beside: usize) {
        if beside < FEW {
            return;
        }
        let each = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / beside as u64;
        // Lost updates of others don't matter.
        let known = self.cost.load(Ordering::Relaxed);
        self.cost.store(if known == 0 { each } else { known - known / 8 + each / 8 }, Ordering::Relaxed);
    }
}

impl Connection {
    /// Appends one event: with others if that is faster.
    pub(super) async fn one(self: &Arc<Self>, expected: Position, event: NewEvent) -> Result<Position, AppendError> {
        if !self.group.worth_while() {
            return self.alone(expected, event).await;
        }
        let (answer, answered) = oneshot::channel();
        let served = {
            let mut queue = self.group.queue();
            queue.waiting.push_back(Waiting { expected, event, answer });
            std::mem::replace(&mut queue.served, true)
        };
        if !served {
            // In a task of its own: who waits first may go away, and others still wait.
            tokio::spawn(Arc::clone(self).serve());
        }
        answered.await.unwrap_or_else(|_| Err(AppendError::Unknown("the program ends".to_owned())))
    }

    async fn alone(&self, expected: Position, event: NewEvent) -> Result<Position, AppendError> {
        let (_under_way, beside) = UnderWay::one_more(&self.group.alone);
        let began = Instant::now();
        let appended = self.single(expected, event).await;
        if appended.is_ok() {
            self.group.learn(began.elapsed(), beside);
        }
        appended
    }

    /// Commits what waits, and what comes meanwhile, until nothing waits.
    async fn serve(self: Arc<Self>) {
        loop {
            let batch = {
                let mut queue = self.group.queue();
                let batch = take(&mut queue.waiting);
                queue.served = !batch.is_empty();
                batch
            };
            if batch.is_empty() {
                return;
            }
            self.commit(batch).await;
        }
    }

    async fn commit(&self, batch: Vec<Waiting>) {
        if batch.len() >= FEW {
            let parts: Vec<_> = batch
                .iter()
                .map(|waiting| Append { expected: waiting.expected, events: vec![waiting.event.clone()] })
                .collect();
            let count = parts.len();
            match self.batch(parts, count).await {
                Ok(positions) => return answer(batch, positions.into_iter().map(Ok)),
                Err(AppendError::Unknown(error)) => {
                    return answer(batch, std::iter::repeat_with(|| Err(AppendError::Unknown(error.clone()))));
                }
                // Nothing was written: one of them stands in the way, or the server takes no batch now.
                Err(AppendError::Conflict | AppendError::Unavailable(_)) => {}
            }
        }
        let appended = batch.into_iter().map(|Waiting { expected, event, answer }| async move {
            // Who asked may have gone.
            let _ = answer.send(self.alone(expected, event).await);
        });
        join_all(appended).await;
    }
}

/// Counts an append until it is over, or given up.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    /// With how many there are now.
    fn one_more(count: &'a AtomicUsize) -> (Self, usize) {
        (Self(count), count.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The first of those that wait, at most one for each aggregate: a batch has room for one guard of each.
fn take(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let (mut batch, mut left, mut subjects) = (Vec::new(), VecDeque::new(), HashSet::new());
    while batch.len() < MOST
        && let Some(next) = waiting.pop_front()
    {
        if subjects.insert(next.event.subject.clone()) {
            batch.push(next);
        } else {
            left.push_back(next);
        }
    }
    left.append(waiting);
    *waiting = left;
    batch
}

fn answer(batch: Vec<Waiting>, results: impl Iterator<Item = Result<Position, AppendError>>) {
    for (waiting, result) in batch.into_iter().zip(results) {
        // Who asked may have gone.
        let _ = waiting.answer.send(result);
    }
}
