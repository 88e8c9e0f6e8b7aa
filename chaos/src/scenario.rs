//! The scenarios: what goes wrong, on which ground.
//!
//! Invariant: each has a Tandem of its own from an empty folder, and ends with the same checks.

mod cluster;
mod disk;
mod outage;
mod processes;
mod storage;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::check;
use crate::counts::Counted;
use crate::evidence;
use crate::load::Load;
use crate::world::World;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Each service and nats-server are killed at random, and restarted.
    Processes,
    /// The members of a NATS cluster are killed and paused in turn, the leader among them.
    Cluster,
    /// NATS is away when the services start, and for a time in between.
    Outage,
    /// The log may take no more for a while.
    Storage,
    /// The disk under the log runs full, where a small one can be had.
    Disk,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Processes, Self::Cluster, Self::Outage, Self::Storage, Self::Disk];
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processes => "processes",
            Self::Cluster => "cluster",
            Self::Outage => "outage",
            Self::Storage => "storage",
            Self::Disk => "disk",
        })
    }
}

/// How much of it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Processes killed; of a cluster a fifth as many members are killed or paused.
    pub rounds: usize,
    /// Of all that is random: which victim, after how long, which orders.
    pub seed: u64,
    /// How long NATS is away.
    pub outage: Duration,
    /// How much a full disk takes, in bytes.
    pub storage: u64,
    /// Partnerships led at the same time.
    pub callers: usize,
    /// Folder of the services' programs.
    pub binaries: PathBuf,
}

/// What was done and counted.
#[derive(Clone, Debug)]
pub struct Report {
    /// What went wrong.
    pub scenario: Scenario,
    /// What was done how often, by what and to whom: "kill nats-server".
    pub done: BTreeMap<String, u64>,
    /// What the callers saw.
    pub counted: Counted,
    /// Events in the log at the end.
    pub events: usize,
    /// Earnings at the end, and cents that they come to.
    pub earned: (usize, i64),
    /// All that is not as it must be.
    pub violations: Vec<String>,
    /// From the start to the last check.
    pub took: Duration,
}

impl Report {
    /// Nothing was done, and why.
    fn skipped(scenario: Scenario, why: &str) -> Self {
        Self {
            scenario,
            done: BTreeMap::from([(format!("skipped: {why}"), 1)]),
            counted: Counted::default(),
            events: 0,
            earned: (0, 0),
            violations: Vec::new(),
            took: Duration::ZERO,
        }
    }
}

/// What the scenarios hand over to be checked.
struct Faults {
    done: BTreeMap<String, u64>,
    /// What was wrong while they lasted.
    violations: Vec<String>,
}

impl Faults {
    fn none() -> Self {
        Self { done: BTreeMap::new(), violations: Vec::new() }
    }

    fn did(&mut self, what: impl Into<String>) {
        *self.done.entry(what.into()).or_default() += 1;
    }
}

/// Runs a scenario.
///
/// # Errors
/// If something could not be started, or did not resume: then with the last words of who did not.
pub async fn run(scenario: Scenario, options: &Options) -> anyhow::Result<Report> {
    let ran = match scenario {
        Scenario::Processes => processes::run(options).await,
        Scenario::Cluster => cluster::run(options).await,
        Scenario::Outage => outage::run(options).await,
        Scenario::Storage => storage::run(options).await,
        Scenario::Disk => disk::run(options).await,
    };
    ran.with_context(|| format!("{scenario}, seed {}", options.seed))
}

/// Ends the load and the services, and checks what they have come to.
async fn conclude(
    scenario: Scenario,
    began: Instant,
    mut world: World,
    load: Load,
    nats_url: &str,
    faults: Faults,
) -> anyhow::Result<Report> {
    world.ready().await?;
    let writer = load.finish().await;
    let evidence = evidence::gather(&world.clients, &writer, nats_url).await?;
    world.services.all_live().await?;
    world.services.stop().await?;
    let mut violations = faults.violations;
    violations.extend(check::violations(&evidence));
    Ok(Report {
        scenario,
        done: faults.done,
        counted: writer.counts.counted(),
        events: evidence.log.len(),
        earned: (evidence.earnings.len(), evidence.earnings.iter().map(|earning| earning.cents).sum()),
        violations,
        took: began.elapsed(),
    })
}
