//! Tandem's benchmarks: what its commands, its views and its start cost, beside what they could cost at best.
//!
//! Invariant: a goal is a ratio to a limit that was measured in the same run, interleaved with what it limits, or a
//! figure that users see. What is judged is Tandem, not the machine.

#![expect(clippy::disallowed_methods, reason = "the load is made here and now: its time and ids are the machine's")]

mod bare;
mod commands;
mod curve;
mod effort;
mod fsync;
mod get;
mod growth;
mod import;
mod life;
mod list;
mod load;
mod open_loop;
mod plot;
mod rebuild;
mod report;
mod sample;
mod samples;
mod service;
mod table;
mod up;
mod view_file;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tandem_service::{Settings, Telemetry};

use effort::Effort;
use report::Report;
use table::Markdown;

/// Measure Tandem against its limits; fails if a goal is missed
#[derive(Parser)]
#[command(name = "tandem-bench", version)]
struct Args {
    /// Measure for seconds only: figures are rougher
    #[arg(long)]
    quick: bool,
    /// Measure only this; may be repeated
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Part>,
    /// Print the table in Markdown
    #[arg(long)]
    markdown: bool,
    /// Where the plot of latency against load goes [default: beside the report]
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// What can be measured.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Commands of the contracts service
    Commands,
    /// Getting a contract
    Get,
    /// Listing contracts
    List,
    /// Commands on a log that syncs each write
    Fsync,
    /// Latency against load, and how far views lag behind
    Curve,
    /// Commands in a large log and in a small one
    Growth,
    /// Rebuilding a view
    Rebuild,
    /// Importing exports
    Import,
    /// Starting `tandem up`
    Up,
}

impl Part {
    /// Measures on a NATS server of its own, so that no part is measured on the leftovers of another.
    async fn measure(self, effort: Effort, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Commands => commands::measure(effort, report).await,
            Self::Get => get::measure(effort, report).await,
            Self::List => list::measure(effort, report).await,
            Self::Fsync => fsync::measure(effort, report).await,
            Self::Curve => curve::measure(effort, report).await,
            Self::Growth => growth::measure(effort, report).await,
            Self::Rebuild => rebuild::measure(effort, report).await,
            Self::Import => import::measure(effort, report).await,
            Self::Up => up::measure(effort, report).await,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    // As every process of Tandem has it: spans are made, lines are filtered.
    let telemetry = Telemetry::start("bench", &Settings::default().telemetry)?;
    let (effort, mut report) = (Effort { quick: args.quick }, Report::default());
    for part in Part::value_variants() {
        if args.only.is_empty() || args.only.contains(part) {
            part.measure(effort, &mut report).await.with_context(|| format!("{part:?}"))?;
        }
    }
    telemetry.stop().await;
    if args.markdown {
        println!("{}", Markdown(&report));
    } else {
        println!("{report}");
    }
    for file in report.write(args.plot.as_deref())? {
        eprintln!("written: {}", file.display());
    }
    Ok(if report.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
