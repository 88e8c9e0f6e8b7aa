//! `tandem-simulation`: runs many seeds, and tells of those that break a rule.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::Parser;
use tandem_simulation::faults::Counts;
use tandem_simulation::{Options, Report, run_caught};

/// Failing seeds that are told in full; of more the first violation is told.
const SHOWN: usize = 3;

/// Simulates Tandem with everything going wrong, seed by seed
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    first: u64,
    /// This one seed alone, with its trace
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    steps: u64,
    events: usize,
    faults: Counts,
    violations: usize,
    /// Of all their traces, whichever came first.
    traces: u64,
    failed: Vec<Report>,
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.steps += report.steps;
        self.events += report.events;
        self.faults.add(&report.faults);
        self.traces ^= report.hash;
        self.violations += report.violations.len();
        if !report.violations.is_empty() {
            self.failed.push(report);
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let began = Instant::now();
    let (first, seeds) = cli.seed.map_or((cli.first, cli.seeds), |seed| (seed, 1));
    let options = Options { aloud: cli.seed.is_some(), ..Options::default() };
    let sum = Mutex::new(Sum::default());
    let next = AtomicU64::new(first);
    let threads = cli.threads.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first.saturating_add(seeds) {
                        return;
                    }
                    let report = run_caught(seed, &options);
                    sum.lock().unwrap_or_else(PoisonError::into_inner).add(report);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.failed.sort_by_key(|report| report.seed);
    for report in sum.failed.iter().take(SHOWN) {
        eprintln!("seed {}: the last steps were", report.seed);
        for line in &report.last {
            eprintln!("  {line}");
        }
        eprintln!("seed {} breaks rules:", report.seed);
        for violation in &report.violations {
            eprintln!("  {violation}");
        }
        eprintln!("reproduce it with: ./justw simulate --seed {}", report.seed);
    }
    let Sum { seeds, steps, events, faults, violations, traces, failed } = &sum;
    for report in failed.iter().skip(SHOWN) {
        let violation = report.violations.first().map(String::as_str).unwrap_or_default();
        eprintln!("seed {} breaks {} rules, first: {violation}", report.seed, report.violations.len());
    }
    let (total, seconds) = (faults.total(), began.elapsed().as_secs_f64());
    println!(
        "{seeds} seeds, {steps} steps (traces {traces:016x}), {events} events, {total} faults ({faults}), {violations} violations, {seconds:.0} s"
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
