//! The world of one run: the log, timers and views, which outlive the services, and the services, which do not.
//!
//! Invariant: all chance comes from the seed, and all waiting is in virtual time; so the same seed is the same run.

mod carrier;
mod creators;
mod incarnation;
mod log;
mod store;
mod timers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tandem_client::Service;
use tandem_eventlog::{EventLog, MemoryLog, Position};
use tandem_timers::MemoryTimers;
use tandem_views::MemoryViews;
use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::faults::{Counts, Fault, Weather};
use crate::trace::Trace;

pub use carrier::{TAKEN_AT, carriers};
pub use incarnation::Incarnation;
pub(crate) use incarnation::settings;

/// Made to go wrong on purpose, so that the checks can be seen to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Followers of the log are not shown every 40th event.
    SkippedEvents,
    /// Appends are answered that were not written.
    LostAppends,
    /// The process that records earnings gives them another name each time.
    EarningsNamedAnew,
    /// Every 20th event is taken as handled by processes that never saw it.
    UnhandledEvents,
    /// Appends are written whatever was written before them.
    UnguardedAppends,
    /// Of what is to be written together the first part is, and the answer is that all of it was.
    TornAppends,
    /// Commands are answered as refused that were taken.
    TakenAndRefused,
    /// What was handled is kept for later, as if it were not.
    UnheardAcks,
}

/// After the end of any run.
const LATER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What was written at once to one aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `<tenant>.<context>.<aggregate>.<id>`.
    pub subject: String,
    /// By which request.
    pub request_id: String,
    /// Position of its last event.
    pub position: Position,
}

/// The world of one run.
pub struct World {
    /// Of the faults and of how long things take.
    pub chance: Chance,
    /// The log, past all faults.
    pub log: MemoryLog,
    /// Timers, past all faults.
    pub timers: MemoryTimers,
    /// Views of each service, past all faults.
    pub views: BTreeMap<&'static str, MemoryViews>,
    weather: Weather,
    sabotage: Option<Sabotage>,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calm: bool,
    trace: Trace,
    counts: Counts,
    violations: Vec<String>,
    written: Vec<Written>,
    running: BTreeMap<&'static str, Arc<Incarnation>>,
    /// All that ever lived.
    incarnations: Vec<Arc<Incarnation>>,
    storm_until: Option<Instant>,
}

impl World {
    /// An empty world; to be made within the runtime.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, sabotage: Option<Sabotage>, aloud: bool) -> Arc<Self> {
        let views = Service::ALL.map(|service| (service.name(), MemoryViews::default()));
        let trace = Trace::new(aloud);
        Arc::new(Self {
            chance: Chance::new(seed, "faults"),
            log: MemoryLog::new(),
            timers: MemoryTimers::default(),
            views: views.into(),
            weather,
            sabotage,
            started: Instant::now(),
            state: Mutex::new(State { trace, ..State::default() }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a step.
    pub fn step(&self, what: impl FnOnce() -> String) {
        let line = format!("{:>11.3} {}", self.started.elapsed().as_secs_f64(), what());
        self.state().trace.step(line);
    }

    /// Notes that a rule does not hold.
    pub fn violation(&self, what: String) {
        self.step(|| format!("VIOLATION {what}"));
        self.state().violations.push(what);
    }

    /// Whether a fault shall occur now; it then is counted.
    pub fn occurs(&self, fault: Fault, to: &str) -> bool {
        let rate = self.weather.rate(fault);
        if rate == 0 || self.state().calm || !self.chance.one_in(rate) {
            return false;
        }
        self.state().counts.note(fault);
        self.step(|| format!("FAULT {fault}: {to}"));
        true
    }

    /// Whether the world is made to go wrong in this way.
    #[must_use]
    pub fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    /// Waits as long as anything outside of a process takes: mostly next to nothing, seldom seconds.
    pub async fn passes(&self) {
        let calm = {
            let mut state = self.state();
            state.trace.silent_step(self.started.elapsed());
            state.calm
        };
        match self.chance.below(100) {
            0..50 => tokio::task::yield_now().await,
            50..90 => sleep(Duration::from_millis(1 + self.chance.below(4))).await,
            90..99 => sleep(Duration::from_millis(5 + self.chance.below(60))).await,
            _ if calm => tokio::task::yield_now().await,
            _ => sleep(Duration::from_millis(200 + self.chance.below(3000))).await,
        }
    }

    /// Whether appends are in a storm of conflicts.
    fn storms(&self, at: &str) -> bool {
        if self.occurs(Fault::ConflictStorm, at) {
            let until = Instant::now() + self.chance.up_to(Duration::from_secs(2));
            self.state().storm_until = Some(until);
        }
        let state = self.state();
        !state.calm && state.storm_until.is_some_and(|until| Instant::now() < until)
    }

    /// From now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.state().calm = true;
        self.step(|| "from here on nothing goes wrong".to_owned());
    }

    fn wrote(&self, written: Vec<Written>) {
        self.state().written.extend(written);
    }

    /// All that was written, append by append.
    #[must_use]
    pub fn written(&self) -> Vec<Written> {
        self.state().written.clone()
    }

    /// Lets everybody go, so that nothing keeps the world alive.
    pub fn end(&self) {
        self.state().running.clear();
        let incarnations = std::mem::take(&mut self.state().incarnations);
        for incarnation in incarnations {
            incarnation.answer_with(None);
        }
    }

    /// Rules that did not hold.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// How often what has gone wrong.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// Steps, the hash of them all, and the last of them.
    #[must_use]
    pub fn trace(&self) -> (u64, u64, Vec<String>) {
        let state = self.state();
        (state.trace.steps(), state.trace.hash(), state.trace.last())
    }

    /// The log without faults, for those who check.
    #[must_use]
    pub fn truth(&self) -> Arc<dyn EventLog> {
        Arc::new(self.log.clone())
    }
}

/// What never comes.
pub(crate) fn never<T>() -> BoxFuture<'static, T>
where
    T: Send + 'static,
{
    Box::pin(std::future::pending())
}
