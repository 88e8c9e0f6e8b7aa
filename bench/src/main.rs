//! Tandem's benchmarks: what its commands, its views and its start cost, beside what they could cost at best.
//!
//! Invariant: a goal is a ratio to a limit that was measured in the same run, interleaved with what it limits, or a
//! figure that users see. What is judged is Tandem, not the machine.

#![expect(clippy::disallowed_methods, reason = "the load is made here and now: its time and ids are the machine's")]

mod bare;
mod commands;
mod load;
mod rebuild;
mod report;
mod sample;
mod service;
mod up;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tandem_nats_server::NatsServer;
use tandem_service::{Settings, Telemetry};

use report::Report;

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
}

/// What can be measured.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Commands of the contracts service.
    Commands,
    /// Rebuilding a view.
    Rebuild,
    /// Starting `tandem up`.
    Up,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    // As every process of Tandem has it: spans are made, lines are filtered.
    let telemetry = Telemetry::start("bench", &Settings::default().telemetry)?;
    let mut report = Report::default();
    if wanted(Part::Commands) {
        // Each part has a server of its own, so that none is measured on the leftovers of another.
        let nats = NatsServer::builder().start().await?;
        report.extend(commands::measure(&nats, &commands::Effort::new(args.quick)).await.context("commands")?);
    }
    if wanted(Part::Rebuild) {
        let nats = NatsServer::builder().start().await?;
        report.extend(rebuild::measure(&nats, &rebuild::Effort::new(args.quick)).await.context("rebuild")?);
    }
    if wanted(Part::Up) {
        report.extend(up::measure(if args.quick { 1 } else { 5 }).await.context("up")?);
    }
    telemetry.stop().await;
    println!("{report}");
    println!("written to {}", report.write()?.display());
    Ok(if report.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
