//! `tandem up`: how long until everything answers, and what it holds then.
//!
//! Invariant: what is started is the program that users start, in a process of its own, on an empty folder.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tandem_cli::platform::{UpProcess, beside_this_program};
use tempfile::TempDir;

use crate::effort::Effort;
use crate::report::{Goal, Report, Row};

const READY_SECONDS: Goal = Goal::AtMost(1.0);
const RESIDENT_MB: Goal = Goal::AtMost(80.0);
/// What it takes up while it starts is settled by then.
const IDLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let binary = beside_this_program("tandem").context("build it with `cargo build --release -p tandem-cli`")?;
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(1, 5) {
        let folder = TempDir::new()?;
        let began = Instant::now();
        let up = UpProcess::start(&binary, folder.path()).await?;
        ready.push(began.elapsed().as_secs_f64());
        tokio::time::sleep(IDLE).await;
        resident.push(resident_megabytes(up.child.pid().context("it has ended")?)?);
        up.child.stop().await?;
    }
    report.add(Row::new("tandem up: ready", "s", &ready).goal(READY_SECONDS));
    report.add(Row::new("tandem up: resident while idle, without nats-server", "MB", &resident).goal(RESIDENT_MB));
    Ok(())
}

/// `VmRSS` of a process, in millions of bytes.
fn resident_megabytes(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("resident memory is read on Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
