//! Timers in memory, for tests: the same semantics.
//!
//! Invariant: aggregate and due instant name a timer that waits, so the same is not armed twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use tandem_eventlog::{Kind, ambient};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::queue::{Fired, FiredStream, QueueError, TimerQueue};
use crate::timer::Timer;

/// How long a fired timer may go unacknowledged.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// [`TimerQueue`] in memory, after the clock of [`ambient::now`]. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryTimers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when a timer is armed or put back.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By instant, then address.
    armed: BTreeMap<(Timestamp, String), (Kind, Timer)>,
    /// In the order of firing.
    fired: BTreeMap<u64, Pending>,
    count: u64,
}

#[derive(Debug)]
struct Pending {
    kind: Kind,
    timer: Timer,
    /// When it is handed out again.
    due: Instant,
    attempts: u64,
}

impl MemoryTimers {
    /// Timers that wait, and fired ones that nobody has acknowledged.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.armed.len(), state.fired.len())
    }
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "stands for the server, whose clock it is")]
    fn now() -> Timestamp {
        ambient::now()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next to be handed out, or when to look again.
    fn next(self: &Arc<Self>, kind: Kind) -> Result<Handed, Option<Instant>> {
        let (mut state, now, at) = (self.lock(), Self::now(), Instant::now());
        while let Some(first) = state.armed.first_entry().filter(|first| first.key().0 <= now) {
            let (kind, timer) = first.remove();
            state.count += 1;
            let number = state.count;
            state.fired.insert(number, Pending { kind, timer, due: at, attempts: 0 });
        }
        let ready = state.fired.iter_mut().find(|(_, pending)| pending.kind == kind && pending.due <= at);
        if let Some((number, pending)) = ready {
            pending.attempts += 1;
            pending.due = at + ACK_WAIT;
            let (timer, attempt) = (pending.timer.clone(), pending.attempts);
            return Ok(Handed { number: *number, timer, attempt, shared: Arc::clone(self) });
        }
        let until = |due: Timestamp| at + Duration::try_from(due.duration_since(now)).unwrap_or_default();
        let armed = state.armed.first_key_value().map(|((due, _), _)| until(*due));
        let again = state.fired.values().filter(|pending| pending.kind == kind).map(|pending| pending.due).min();
        Err(armed.into_iter().chain(again).min())
    }
}

#[async_trait::async_trait]
impl TimerQueue for MemoryTimers {
    async fn arm(&self, kind: Kind, timer: &Timer) -> Result<(), QueueError> {
        let address = timer.armed_subject("", kind).map_err(QueueError::new)?;
        self.0.lock().armed.entry((timer.due, address)).or_insert_with(|| (kind, timer.clone()));
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn fired(&self, kind: Kind, _consumer: &str) -> Result<FiredStream, QueueError> {
        let fired = futures::stream::unfold(Arc::clone(&self.0), move |shared| async move {
            loop {
                // Before looking: what changes meanwhile is not missed.
                let changed = shared.changed.notified();
                let until = match shared.next(kind) {
                    Ok(handed) => {
                        let fired: Box<dyn Fired> = Box::new(handed);
                        drop(changed);
                        return Some((Ok(fired), shared));
                    }
                    Err(until) => until,
                };
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = async { sleep_until(until.unwrap_or_else(Instant::now)).await }, if until.is_some() => {}
                }
            }
        });
        Ok(fired.boxed())
    }
}

struct Handed {
    number: u64,
    timer: Timer,
    attempt: u64,
    shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl Fired for Handed {
    fn timer(&self) -> &Timer {
        &self.timer
    }

    fn attempt(&self) -> u64 {
        self.attempt
    }

    async fn ack(&self) -> Result<(), QueueError> {
        self.shared.lock().fired.remove(&self.number);
        Ok(())
    }

    async fn retry(&self, delay: Duration) -> Result<(), QueueError> {
        if let Some(pending) = self.shared.lock().fired.get_mut(&self.number) {
            pending.due = Instant::now() + delay;
        }
        self.shared.changed.notify_waiters();
        Ok(())
    }
}
