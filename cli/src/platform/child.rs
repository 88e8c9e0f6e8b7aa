//! A program of ours as a child process: started, awaited until it is ready, stopped.
//!
//! Invariant: a child never outlives its parent, however that ends; and the terminal's Ctrl-C reaches the parent alone,
//! which stops its children in order.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// More than a service takes to drain.
const STOPPED_WITHIN: Duration = Duration::from_secs(40);

/// Reads its stdin, which nobody writes to: the read ends when the parent, who holds the other end, is gone.
const WATCHDOG: &str = r#"read -r _; kill -TERM "$1" 2>/dev/null"#;

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    name: String,
    // Declared before the child: a watchdog must not outlive its ward, whose pid somebody else may get.
    _watchdog: tokio::process::Child,
    child: tokio::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts a program with its output in the file `log`, and waits until it has written its ready file, whose content
    /// is returned.
    ///
    /// # Errors
    /// If it can't be started, or ends before it is ready; then with its last words.
    pub async fn start(
        name: &str,
        command: &mut Command,
        ready_file: &Path,
        log: &Path,
    ) -> anyhow::Result<(Self, serde_json::Value)> {
        // One of an earlier run would be taken for an answer.
        match std::fs::remove_file(ready_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        File::create(log).with_context(|| format!("{} can't be written", log.display()))?;
        let mut started = Self::spawn(name, command, log)?;
        let content = tokio::select! {
            content = written(ready_file) => content,
            status = started.child.wait() => bail!("{name} ended before it was ready ({}): {}", status?, last_words(log)),
            () = sleep(READY_WITHIN) => bail!("{name} was not ready within {READY_WITHIN:?}: {}", last_words(log)),
        };
        Ok((started, content))
    }

    /// Starts a program with its output at the end of the file `log`, and does not wait for anything.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("{} can't be written", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", command.as_std().get_program().display()))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "tandem-watchdog"])
            .arg(child.id().map(|id| id.to_string()).unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { name: name.to_owned(), _watchdog: watchdog, child, log: log.to_owned() })
    }

    /// Its process id; none once it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// If it can't be waited for.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Sends it a signal; no error if it has ended.
    ///
    /// # Errors
    /// If it can't be signalled.
    pub fn signal(&self, signal: Signal) -> std::io::Result<()> {
        // An id that is still there belongs to a child that was not reaped: the signal can't reach a stranger.
        match self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Ok(()),
        }
    }

    /// Asks it to end (SIGTERM), and kills it if it does not.
    ///
    /// # Errors
    /// If it ended with an error, with its last words.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let Ok(status) = timeout(STOPPED_WITHIN, self.child.wait()).await else {
            self.child.kill().await?;
            bail!("{} did not end within {STOPPED_WITHIN:?} and was killed", self.name);
        };
        let status = status?;
        if !status.success() {
            bail!("{} ended with an error ({status}): {}", self.name, last_words(&self.log));
        }
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// A binary of this project, which is built into the folder of the running program.
///
/// # Errors
/// If it is not there; says how to build it.
pub fn beside_this_program(binary: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // Tests are one folder deeper.
    let folders = program.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(binary)).find(|path| path.is_file());
    found.with_context(|| format!("{binary} is not beside {}; build it with `cargo build`", program.display()))
}

/// Content of the ready file once it is there. Polled, for a watcher would be a dependency for one wait of some ten
/// milliseconds.
async fn written(file: &Path) -> serde_json::Value {
    loop {
        if let Some(content) = std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
            return content;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

fn last_words(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let last: Vec<_> = said.lines().rev().take(5).collect();
    last.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
