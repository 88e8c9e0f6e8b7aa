//! The demo: a fresh platform, the story on it, and what it came to.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;
use tandem_cli::platform::{Options, Platform, beside_this_program};
use tandem_demo::{Faults, TENANT, tell};

/// One partnership from a creator export to a paid, explained and auditable payout.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Run each service as a process of its own instead of all in one.
    #[arg(long)]
    separate: bool,
    /// Keep the platform's data in this folder, instead of one that is removed at the end.
    #[arg(long)]
    data: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nNot as it should be: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let started = Instant::now();
    if let Some(data) = &args.data
        && data.read_dir().is_ok_and(|mut entries| entries.next().is_some())
    {
        bail!("{} is not empty; the story needs a fresh platform, so name a new folder with --data", data.display());
    }
    let temporary = tempfile::tempdir().context("no folder for temporary data")?;
    let options = Options::ephemeral(args.data.clone().unwrap_or_else(|| temporary.path().to_owned()));
    let (platform, processes) = if args.separate {
        let program = beside_this_program("tandem-creators")?;
        let binaries = program.parent().context("a program lies in a folder")?;
        (Platform::start_processes(options, binaries).await?, "five processes")
    } else {
        (Platform::start_in_process(options).await?, "one process")
    };
    println!("A fresh Tandem in {processes} and a NATS server, ready after {} ms.", started.elapsed().as_millis());
    let told = tell(platform.client_builder(), Faults::None).await;
    platform.stop().await?;
    told?;
    println!("\nAll of it as stated, in {:.1} s.", started.elapsed().as_secs_f64());
    match args.data {
        Some(data) => println!("Look around in it: ./justw up --data {}, tenant {TENANT}", data.display()),
        None => println!("To look around in it afterwards: ./justw demo --data demo-data, tenant {TENANT}"),
    }
    Ok(())
}
