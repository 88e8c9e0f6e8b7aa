//! The disk under the log runs full for real: a small file system in memory, filled up by somebody else.
//!
//! Invariant: only where one may be mounted; what was acknowledged before is there after the server was restarted.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tandem_nats_server::NatsServer;

use super::{Faults, Options, Report, Scenario, conclude};
use crate::load::Load;
use crate::world::World;

/// It is full when nothing was acknowledged for so long.
const STILL: Duration = Duration::from_secs(3);
/// How long it may take until that is noticed.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than the log takes in the time of the test.
const SIZE: &str = "64m";

pub(super) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (began, folder) = (Instant::now(), tempfile::tempdir()?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let Some(disk) = Disk::mount(&folder.path().join("nats"))? else {
        return Ok(Report::skipped(Scenario::Disk, "no file system may be mounted here"));
    };
    let mut nats = NatsServer::builder().store(disk.0.join("store")).sync_always(true).start().await?;
    let mut world = World::start(folder.path(), &options.binaries, &nats.url(), 1)?;
    world.ready().await?;
    let load = Load::start(&world.clients, options.callers, &mut rng).await?;
    let mut faults = Faults::none();
    for _ in 0..2 {
        load.acknowledges(50).await?;
        let filler = disk.fill().await?;
        faults.did("fill the disk");
        let (mut acknowledged, mut since, full) = (0, Instant::now(), Instant::now());
        while since.elapsed() < STILL {
            ensure!(full.elapsed() < PATIENCE, "writes are acknowledged on a full disk");
            let now = load.counted().acknowledged;
            if now != acknowledged {
                (acknowledged, since) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        world.services.all_live().await?;
        tokio::fs::remove_file(filler).await?;
        // The server has put JetStream away, and takes it up again when it is started anew, as a supervisor does.
        nats.kill().await?;
        nats.restart().await?;
        faults.did("make room");
        world.ready().await?;
        load.acknowledges(50).await?;
    }
    let report = conclude(Scenario::Disk, began, world, load, &nats.url(), faults).await;
    nats.stop().await?;
    drop(disk);
    report
}

/// A mounted file system; unmounted when it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// None if it may not be mounted.
    fn mount(at: &Path) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(at)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"]).arg(at).stderr(Stdio::null());
        Ok(mount.status().is_ok_and(|status| status.success()).then(|| Self(at.to_owned())))
    }

    /// Writes until nothing more fits.
    async fn fill(&self) -> anyhow::Result<PathBuf> {
        use tokio::io::AsyncWriteExt as _;
        let path = self.0.join("filler");
        let mut file = tokio::fs::File::create(&path).await.context("the filler")?;
        let block = vec![0; 64 * 1024];
        while file.write_all(&block).await.is_ok() && file.flush().await.is_ok() {}
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, should anybody still have a file open. There is nobody to tell if it fails.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
