//! Group commit: appends to different aggregates that wait at the same moment share one atomic batch.
//!
//! Invariant: whoever shares a batch is answered as if alone. Each event keeps its guard; a batch that is refused has
//! written nothing, and its events are appended one by one.
//!
//! A server that syncs each write to the disk takes a sync for an append and a few for a batch, however large: from some
//! number of events on the batch wins. To a server that syncs later batches are of no use. A client can't ask which of the
//! two it has, so it goes by how long both have taken lately.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Connection;
use crate::{Append, AppendError, NewEvent, Position};

/// So few go one by one, whatever it takes.
const FEW: u32 = 16;
/// Most events of a batch. The server keeps a batch in memory until it is committed.
const MOST: usize = 256;
/// What a batch is taken to last before one was tried: as measured on a disk with nothing else to do.
const SUPPOSED: Duration = Duration::from_millis(4);
/// What was measured is supposed no more after this time, for it may have been a bad moment.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Those who wait to share a batch, and what tells whether it is worth while.
#[derive(Debug)]
pub(super) struct Group {
    /// A server that takes no longer than this for an append, when many are under way, does not sync each.
    quick: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Whether somebody commits what waits.
    served: bool,
    /// Appends under way one by one.
    alone: u32,
    /// Appends in the batch that is under way.
    together: u32,
    /// How long each of many took the server lately, one by one.
    each: Duration,
    /// How long a batch took last, and when that was.
    batch: Option<(Duration, Instant)>,
}

#[derive(Debug)]
struct Waiting {
    expected: Position,
    event: NewEvent,
    answer: oneshot::Sender<Result<Position, AppendError>>,
}

impl Group {
    pub(super) fn new(quick: Duration) -> Self {
        Self { quick, state: Mutex::default() }
    }

    /// Whether an append had better wait for others.
    fn worth_while(&self) -> bool {
        self.state().worth_while(self.quick)
    }

    /// Lets an event wait for others; answers where its answer will come, and whether somebody commits what waits.
    fn join(&self, expected: Position, event: NewEvent) -> (oneshot::Receiver<Result<Position, AppendError>>, bool) {
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Waiting { expected, event, answer });
        (answered, std::mem::replace(&mut state.served, true))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn worth_while(&self, quick: Duration) -> bool {
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let many = (self.alone + self.together).saturating_add(waiting);
        if many < FEW || self.each < quick {
            return false;
        }
        let batch = self.batch.filter(|(_, at)| at.elapsed() < REMEMBERED).map_or(SUPPOSED, |(took, _)| took);
        quick.is_zero() || self.each.saturating_mul(many) > batch
    }

    /// Takes in how long an append took one by one, with so many beside it.
    fn learn(&mut self, took: Duration, beside: u32) {
        if beside >= FEW {
            let each = took / beside;
            self.each = if self.each.is_zero() { each } else { self.each - self.each / 8 + each / 8 };
        }
    }
}

impl Connection {
    /// Appends one event: with others if that is faster.
    pub(super) async fn one(self: &Arc<Self>, expected: Position, event: NewEvent) -> Result<Position, AppendError> {
        if !self.group.worth_while() {
            return self.alone(expected, event).await;
        }
        let (answered, served) = self.group.join(expected, event);
        if !served {
            // In a task of its own: who waits first may go away, and others still wait.
            tokio::spawn(Arc::clone(self).serve());
        }
        answered.await.unwrap_or_else(|_| Err(AppendError::Unknown("the program ends".to_owned())))
    }

    async fn alone(&self, expected: Position, event: NewEvent) -> Result<Position, AppendError> {
        let under_way = UnderWay::alone(&self.group);
        let began = Instant::now();
        let appended = self.single(expected, event).await;
        if appended.is_ok() {
            self.group.state().learn(began.elapsed(), under_way.beside);
        }
        appended
    }

    /// Commits what waits, and what comes meanwhile, until nothing waits.
    async fn serve(self: Arc<Self>) {
        loop {
            let batch = {
                let mut state = self.group.state();
                let batch = take(&mut state.waiting);
                state.served = !batch.is_empty();
                state.together = u32::try_from(batch.len()).unwrap_or(u32::MAX);
                batch
            };
            if batch.is_empty() {
                return;
            }
            self.commit(batch).await;
        }
    }

    async fn commit(&self, batch: Vec<Waiting>) {
        if batch.len() >= FEW as usize {
            let parts: Vec<_> = batch
                .iter()
                .map(|waiting| Append { expected: waiting.expected, events: vec![waiting.event.clone()] })
                .collect();
            let (began, count) = (Instant::now(), parts.len());
            match self.batch(parts, count).await {
                Ok(positions) => {
                    self.group.state().batch = Some((began.elapsed(), Instant::now()));
                    return answer(batch, positions.into_iter().map(Ok));
                }
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

/// Counts an append that goes alone until it is over, or given up.
struct UnderWay<'a> {
    group: &'a Group,
    /// How many there were, this one included.
    beside: u32,
}

impl<'a> UnderWay<'a> {
    fn alone(group: &'a Group) -> Self {
        let mut state = group.state();
        state.alone += 1;
        Self { group, beside: state.alone }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.group.state().alone -= 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(100);

    fn with(alone: u32, each: Duration, batch: Option<Duration>) -> State {
        State { alone, each, batch: batch.map(|took| (took, Instant::now())), ..State::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn many_share_where_each_would_be_synced_alone() {
        let synced = Duration::from_micros(175);
        assert!(with(64, synced, None).worth_while(QUICK));
        assert!(with(64, synced, Some(Duration::from_millis(5))).worth_while(QUICK));
        assert!(!with(15, synced, None).worth_while(QUICK), "too few");
        assert!(!with(20, synced, None).worth_while(QUICK), "a batch would take longer than they do");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_a_batch_has_taken_longer() {
        // A server that syncs later, on a machine with much else to do.
        let slow = with(64, Duration::from_micros(150), Some(Duration::from_millis(50)));
        assert!(!slow.worth_while(QUICK));
        tokio::time::advance(REMEMBERED).await;
        assert!(slow.worth_while(QUICK), "it is tried again");
        assert!(!with(256, Duration::from_micros(30), None).worth_while(QUICK), "it is not even tried");
    }

    #[test]
    fn what_appends_take_is_learned_from_many_only() {
        let mut state = State::default();
        state.learn(Duration::from_secs(1), FEW - 1);
        assert_eq!(state.each, Duration::ZERO);
        state.learn(Duration::from_millis(16), 16);
        assert_eq!(state.each, Duration::from_millis(1));
        state.learn(Duration::from_millis(144), 16);
        assert_eq!(state.each, Duration::from_millis(2));
    }
}
