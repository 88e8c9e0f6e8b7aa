//! `chaos`: real faults under load, and what they come to.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tandem_chaos::{CountRetries, Options, Scenario, report, run};
use tandem_cli::platform::beside_this_program;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Kills, pauses and starves Tandem's processes and servers under load, and checks that nothing is lost, doubled or
/// miscounted.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Processes killed; of the NATS cluster a fifth as many members are killed or paused
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Only these, comma separated
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// Of all that is random: which victim, after how long, which orders [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds that NATS is away
    #[arg(long, default_value_t = 240)]
    outage: u64,
    /// Mebibytes that fit on the disk that gets full
    #[arg(long, default_value_t = 4)]
    storage: u64,
    /// Partnerships led at the same time
    #[arg(long, default_value_t = 4)]
    callers: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::registry().with(CountRetries).init();
    match all(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it must be.
async fn all(args: Args) -> anyhow::Result<bool> {
    let program = beside_this_program("tandem-creators")?;
    let options = Options {
        rounds: args.rounds,
        seed: args.seed.unwrap_or_else(|| fastrand::u64(..)),
        outage: Duration::from_secs(args.outage),
        storage: args.storage * 1024 * 1024,
        callers: args.callers,
        binaries: program.parent().context("a program lies in a folder")?.to_owned(),
    };
    println!("seed {}", options.seed);
    let mut reports = Vec::new();
    for scenario in Scenario::ALL {
        if args.only.is_empty() || args.only.contains(&scenario) {
            eprintln!("{scenario} ...");
            reports.push(run(scenario, &options).await?);
        }
    }
    print!("{}", report::text(&reports));
    Ok(reports.iter().all(|report| report.violations.is_empty()))
}
