//! `tandem-fuzz`: so many calls on a fresh platform.

use std::process::ExitCode;

use clap::Parser;
use tandem_cli::platform::{Options, Platform};
use tandem_fuzz::{Defects, Plan, run};

/// Call every method with what nobody expects, as everybody who may not, on a platform of its own.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// How many calls
    #[arg(long, default_value_t = 20_000)]
    calls: u64,
    /// Where the calls come from; the same seed makes the same calls, but for ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of the first call
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Calls at the same time
    #[arg(long, default_value_t = 16)]
    in_flight: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match fuzz(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tandem-fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn fuzz(Args { calls, seed, first, in_flight }: Args) -> anyhow::Result<bool> {
    let defects = Defects::watch();
    let data = tempfile::tempdir()?;
    let platform = Platform::start_in_process(Options::ephemeral(data.path())).await?;
    let report = run(&platform, Plan { seed, first, calls, in_flight }, &defects).await;
    platform.stop().await?;
    let report = report?;
    println!("\nseed {seed}:\n{report}");
    Ok(report.violations.is_empty())
}
