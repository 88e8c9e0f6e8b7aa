//! A deterministic simulation of Tandem: the services as they are, in virtual time, over a log in memory, with everything
//! going wrong that can go wrong between them.
//!
//! A run is of one seed. From it follow what the actors plan, how long everything takes, what goes wrong and when. When the
//! actors are done, nothing goes wrong any more, time passes until all is handled, and the checks are made.
//!
//! | module | is |
//! |---|---|
//! | [`world`] | what outlives the services, their lives, and what stands between them and it |
//! | [`actors`] | who calls, and what they plan |
//! | [`checks`] | what must hold in the end |
//! | [`faults`] | what goes wrong, how often |
//! | [`chance`], [`trace`], [`watch`] | where chance comes from, what was done, what services report as defects |
//!
//! Invariant: a run depends on its seed and on the code, on nothing else: the same seed makes the same trace. For that Tokio
//! has to take a seed, too, which it does under `--cfg tokio_unstable`; `./justw simulate` sees to it.

pub mod actors;
pub mod chance;
pub mod checks;
pub mod faults;
pub mod trace;
pub mod watch;
pub mod world;

use std::time::Duration;

use jiff::Timestamp;
use tandem_client::Service;
use tandem_eventlog::ambient;
use tokio::time::sleep;

use chance::Chance;
use faults::{Counts, Weather};
use world::{Incarnation, Sabotage, World};

/// When runs begin, 2026-05-02T08:00:00Z: after the first day of the contracts that are made in them.
const START: i64 = 1_777_708_800;

/// What is varied between runs of one seed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Made to go wrong on purpose.
    pub sabotage: Option<Sabotage>,
    /// Nothing else goes wrong.
    pub fair: bool,
    /// Print the trace as it comes.
    pub aloud: bool,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Steps made.
    pub steps: u64,
    /// Of all steps.
    pub hash: u64,
    /// What went wrong, as planned.
    pub faults: Counts,
    /// Events in the log at its end.
    pub events: usize,
    /// Rules that did not hold.
    pub violations: Vec<String>,
    /// The last steps before the checks.
    pub last: Vec<String>,
}

/// Runs a seed; a panic that ends it is a violation like others.
#[must_use]
pub fn run_caught(seed: u64, options: &Options) -> Report {
    std::panic::catch_unwind(|| run(seed, options)).unwrap_or_else(|_| Report {
        seed,
        steps: 0,
        hash: 0,
        faults: Counts::default(),
        events: 0,
        violations: watch::take().into_iter().chain(["the run did not come to its end".to_owned()]).collect(),
        last: Vec::new(),
    })
}

/// Runs a seed.
///
/// # Panics
/// If there can't be a runtime.
#[must_use]
#[expect(clippy::expect_used, reason = "a runtime without I/O needs nothing but memory")]
pub fn run(seed: u64, options: &Options) -> Report {
    watch::start();
    drop(watch::take());
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // Tokio draws lots, whom of many that wait for a value it wakes first: by the seed, where it lets itself be told.
    #[cfg(tokio_unstable)]
    runtime.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_be_bytes()));
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(live(seed, options))
}

/// Waits until nothing is under way: something may be due at any moment, also at that of the checks. What is not done with
/// after hours is for the checks to find.
async fn quiet(world: &World) {
    for _ in 0..100 {
        let events = world.log.events().len();
        sleep(Duration::from_secs(300)).await;
        let (_, fired) = world.timers.counts();
        if fired == 0 && world.log.unacknowledged().is_empty() && world.log.events().len() == events {
            return;
        }
    }
}

async fn live(seed: u64, options: &Options) -> Report {
    let start = Timestamp::from_second(START).unwrap_or_default();
    let _simulated = ambient::simulate(start, seed);
    let weather = if options.fair { Weather::fair() } else { Weather::of(&Chance::new(seed, "weather")) };
    let world = World::new(seed, weather, options.sabotage, options.aloud);
    for service in Service::ALL {
        Incarnation::start(&world, service, &world::settings(&world));
    }
    let told = actors::act(&world, seed).await;
    world.calm_down();
    // Longer than the longest wait before something is tried again.
    sleep(Duration::from_secs(300)).await;
    // For what is due in the terms: the contracts' end, and the days after it.
    sleep(Duration::from_secs(150 * 24 * 3600)).await;
    quiet(&world).await;
    let (steps, hash, last) = world.trace();
    checks::check(&world, &told);
    world.end();
    let events = world.log.events().len();
    Report { seed, steps, hash, faults: world.counts(), events, violations: world.violations(), last }
}
