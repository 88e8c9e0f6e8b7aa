//! One run of the server: spawned, awaited until it listens, signalled, reaped.
//!
//! Invariant: the child is in a process group of its own, so that the terminal's Ctrl-C reaches the parent alone, which
//! drains first; a watchdog ends it when the parent dies without a word.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::StartError;
use crate::config::Config;

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// Reads its stdin, which nobody writes to: the read ends when the parent, who holds the other end, is gone.
/// One that is paused hears of it only when it goes on.
const WATCHDOG: &str = r#"read -r _; kill -TERM "$1" 2>/dev/null; kill -CONT "$1" 2>/dev/null"#;

/// What is run, and how.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) store: PathBuf,
    /// 0 for one that the server chooses.
    pub(crate) port: u16,
    /// Where it tells about itself, if it does; 0 as above.
    pub(crate) monitor: Option<u16>,
    pub(crate) own: Config,
    /// Instead of one of our own.
    pub(crate) config: Option<PathBuf>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) flags: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Process {
    // Declared before the server: a watchdog must not outlive its ward, whose pid somebody else may get.
    _watchdog: Child,
    server: Child,
    pid: u32,
    ports: Ports,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ports {
    pub(crate) clients: u16,
    pub(crate) monitor: Option<u16>,
}

impl Process {
    pub(crate) async fn spawn(launch: &Launch) -> Result<Self, StartError> {
        let Launch { binary, store, port, monitor, .. } = launch;
        // The configuration and the ports file of this run; needed until the server listens.
        let run = TempDir::with_prefix("tandem-nats-run-")?;
        let config = match &launch.config {
            Some(file) => file.clone(),
            None => {
                let file = run.path().join("nats-server.conf");
                std::fs::write(&file, launch.own.file())?;
                file
            }
        };
        let log = store.join("nats-server.log");
        let output = File::options().create(true).append(true).open(&log)?;
        let earlier = output.metadata()?.len();
        let mut server = Command::new(binary)
            .arg("--config")
            .arg(&config)
            .arg("--ports_file_dir")
            .arg(run.path())
            .args(["--addr", "127.0.0.1", "--port"])
            .arg(flag(*port))
            .args(monitor.map(|port| format!("--http_port={}", flag(port))))
            .arg("--store_dir")
            .arg(store)
            .args(&launch.flags)
            .envs(launch.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = server.id().ok_or_else(|| StartError::Failed("it ended at once".to_owned()))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "tandem-nats-watchdog"])
            .arg(pid.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let ended = tokio::select! {
            ports = listening(run.path(), binary, pid) => {
                return Ok(Self { _watchdog: watchdog, server, pid, ports });
            }
            status = server.wait() => format!("it ended with {}", status?),
            () = sleep(READY_WITHIN) => format!("it was not ready within {READY_WITHIN:?}"),
        };
        let said = std::fs::read(&log)?;
        let said =
            String::from_utf8_lossy(said.get(usize::try_from(earlier).unwrap_or(usize::MAX)..).unwrap_or_default());
        if said.contains("address already in use") {
            return Err(StartError::PortTaken { port: *port });
        }
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        Err(StartError::Failed(format!("{ended}; {}", last.into_iter().rev().collect::<Vec<_>>().join(" | "))))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    pub(crate) async fn exited(&mut self) -> std::io::Result<ExitStatus> {
        self.server.wait().await
    }

    /// SIGTERM, and SIGKILL if that is not heard.
    pub(crate) async fn terminate(mut self) -> std::io::Result<()> {
        if self.server.id().is_some() {
            self.signal(Signal::TERM)?;
            self.signal(Signal::CONT)?;
            if timeout(STOPPED_WITHIN, self.server.wait()).await.is_err() {
                tracing::warn!("nats-server did not end within {STOPPED_WITHIN:?}; killing it");
            }
        }
        self.kill().await
    }

    pub(crate) fn signal(&self, signal: Signal) -> std::io::Result<()> {
        // An id that is still there belongs to a child that was not reaped: the signal can't reach a stranger.
        match self.server.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Ok(()),
        }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) -> std::io::Result<()> {
        if self.server.id().is_some() { self.server.kill().await } else { Ok(()) }
    }
}

/// A port as a flag says it.
fn flag(port: u16) -> String {
    if port == 0 { "-1".to_owned() } else { port.to_string() }
}

/// The ports, once the server listens. It then writes `<name of binary>_<pid>.ports` and says nothing more: polled, for
/// a watcher would be a dependency for one wait of some ten milliseconds.
async fn listening(directory: &Path, binary: &Path, pid: u32) -> Ports {
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    let file = directory.join(format!("{name}_{pid}.ports"));
    loop {
        // Half a file does not parse, and is read again.
        if let Some(ports) = std::fs::read(&file).ok().and_then(|text| parse_ports(&text)) {
            return ports;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// The first address of each kind: `{"nats":["nats://127.0.0.1:4222"],"monitoring":["http://127.0.0.1:8222"]}`.
fn parse_ports(text: &[u8]) -> Option<Ports> {
    let said: serde_json::Value = serde_json::from_slice(text).ok()?;
    let first = |kind: &str| said[kind][0].as_str()?.rsplit_once(':')?.1.parse().ok();
    Some(Ports { clients: first("nats")?, monitor: first("monitoring") })
}
