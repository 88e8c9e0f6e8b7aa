//! One run of the server: spawned, awaited until it takes connections, ended, reaped.
//!
//! Invariant: the child is in a process group of its own, so that the terminal's Ctrl-C reaches the parent alone; a
//! watchdog ends it, and clears up after it, when the parent is gone or has dropped it.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::StartError;
use crate::binary::Installation;
use crate::user::User;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Reads its stdin, which nobody writes to: the read ends when the parent, who holds the other end, is gone or has let go
/// of it. The server is then ended at once; when it has taken its lock file away, the folder of its socket is removed, and
/// the data with it if they are in there.
const WATCHDOG: &str = r#"
read -r _
kill -QUIT "$1" 2>/dev/null
tries=0
while [ -e "$2/postmaster.pid" ] && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -rf "$3"
"#;

#[derive(Debug)]
pub(crate) struct Process {
    watchdog: Child,
    server: Child,
    pid: u32,
}

impl Process {
    /// Starts it on the data in `store`, its socket in `folder`.
    pub(crate) async fn spawn(
        installation: &Installation,
        store: &Path,
        folder: &Path,
        options: &[String],
        user: Option<User>,
    ) -> Result<Self, StartError> {
        let give_up = Instant::now() + READY_WITHIN;
        loop {
            match Self::try_spawn(installation, store, folder, options, user).await {
                // Children of one that was killed are still ending.
                Err(StartError::Failed(said)) if said.contains("in use") && Instant::now() < give_up => {
                    sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    async fn try_spawn(
        installation: &Installation,
        store: &Path,
        folder: &Path,
        options: &[String],
        user: Option<User>,
    ) -> Result<Self, StartError> {
        let log = folder.join("postgres.log");
        let output = File::create(&log)?;
        let mut command = installation.command("postgres", user);
        command.arg("-D").arg(store).current_dir(store);
        for option in options {
            command.args(["-c", option]);
        }
        let mut server = command.stdout(Stdio::null()).stderr(output).process_group(0).spawn()?;
        let pid = server.id().ok_or_else(|| StartError::Failed("it ended at once".to_owned()))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "tandem-postgres-watchdog"])
            .arg(pid.to_string())
            .args([store, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let ended = tokio::select! {
            () = ready(store, pid) => return Ok(Self { watchdog, server, pid }),
            status = server.wait() => format!("it ended with {}", status?),
            () = sleep(READY_WITHIN) => format!("it was not ready within {READY_WITHIN:?}"),
        };
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join(" | ");
        Self { watchdog, server, pid }.kill().await?;
        Err(StartError::Failed(format!("{ended}; {last}")))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// SIGINT, which its clients feel, and SIGKILL if that is not heard.
    pub(crate) async fn stop(mut self) -> std::io::Result<()> {
        // An id that is still there belongs to a child that was not reaped: the signal can't reach a stranger.
        if let Some(pid) = self.server.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(pid, Signal::INT)?;
            if timeout(STOPPED_WITHIN, self.server.wait()).await.is_err() {
                tracing::warn!("PostgreSQL did not end within {STOPPED_WITHIN:?}; killing it");
            }
        }
        self.kill().await
    }

    /// SIGKILL. The watchdog first, which would take the data along.
    pub(crate) async fn kill(mut self) -> std::io::Result<()> {
        self.watchdog.kill().await?;
        if self.server.id().is_some() { self.server.kill().await } else { Ok(()) }
    }
}

/// Waits until it takes connections: it then says so in its lock file. Polled, for a watcher would be a dependency for
/// one wait of some ten milliseconds.
async fn ready(store: &Path, pid: u32) {
    let file = store.join("postmaster.pid");
    while !std::fs::read_to_string(&file).is_ok_and(|text| is_ready(&text, pid)) {
        sleep(Duration::from_millis(5)).await;
    }
}

/// The first line is the process, the eighth its state. A file of an earlier run, which was killed, is of another process.
fn is_ready(text: &str, pid: u32) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&pid.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_tells_when_it_is_ready() {
        let file = "4711\n/data\n1700000000\n5432\n/tmp\n\n  1234  5\nready   \n";
        assert!(is_ready(file, 4711));
        assert!(!is_ready(file, 4712), "of an earlier run");
        assert!(!is_ready(&file.replace("ready", "starting"), 4711));
        assert!(!is_ready("4711\n/data\n", 4711));
    }
}
