//! A PostgreSQL server as a child process: for tests and benchmarks of what can be kept there.
//!
//! Invariant: the server never outlives its parent, however that ends, and leaves no files behind unless it was given a
//! directory for them. It needs neither root nor to be installed: as root it is run by an unprivileged user.

mod binary;
mod process;
mod user;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use binary::Installation;
use process::Process;
use user::User;

/// Why no server is running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No binaries of a sufficient version anywhere.
    #[error(
        "no PostgreSQL 14 or later found ({searched}); run ./justw tools, install the package postgresql, or name the \
         folder of its programs in TANDEM_POSTGRES_BIN"
    )]
    NoBinary {
        /// Where they were looked for, and what was wrong with what was found there.
        searched: String,
    },
    /// This is root, as which PostgreSQL refuses to run, and there is nobody else.
    #[error("PostgreSQL refuses to run as root, and there is no user \"nobody\" to run it; run this as another user")]
    NoUser,
    /// The server ended, or was not ready in time. Its last words are in the message.
    #[error("PostgreSQL did not start: {0}")]
    Failed(String),
    /// A file or a process could not be had.
    #[error("PostgreSQL can't be started: {0}")]
    Io(#[from] std::io::Error),
}

/// What to start, and where.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    binaries: Option<PathBuf>,
    store: Option<PathBuf>,
    durable: bool,
}

impl Builder {
    /// The programs in this folder, instead of those in the one that `TANDEM_POSTGRES_BIN` names, in `.tools/`, on the
    /// PATH, or where Debian has them.
    #[must_use]
    pub fn binaries(mut self, folder: impl Into<PathBuf>) -> Self {
        self.binaries = Some(folder.into());
        self
    }

    /// Keeps its data in this directory (made if missing); else in a temporary one that goes away with the server.
    #[must_use]
    pub fn store(mut self, directory: impl Into<PathBuf>) -> Self {
        self.store = Some(directory.into());
        self
    }

    /// Writes to disk in the order that survives a power cut, as a server with real data does. Tests do without.
    #[must_use]
    pub fn durable(mut self, on: bool) -> Self {
        self.durable = on;
        self
    }

    /// Starts the server; it takes connections when this returns.
    ///
    /// # Errors
    /// If there are no binaries, or the server ends or is not ready within a minute.
    pub async fn start(self) -> Result<PostgresServer, StartError> {
        let user = User::unprivileged()?;
        let run = TempDir::with_prefix("tandem-postgres-")?;
        let installation = Installation::find(self.binaries.as_deref(), user, run.path()).await?;
        let store = self.store.clone().unwrap_or_else(|| run.path().join("data"));
        std::fs::create_dir_all(&store)?;
        for folder in [run.path(), &store] {
            user::give(folder, user)?;
        }
        if !store.join("PG_VERSION").exists() {
            installation.initialize(&store, user).await?;
        }
        let mut server =
            PostgresServer { installation, store, user, durable: self.durable, process: None, run: Some(run) };
        server.restart().await?;
        Ok(server)
    }
}

/// A running PostgreSQL. Dropping it ends it at once.
#[derive(Debug)]
pub struct PostgresServer {
    installation: Installation,
    store: PathBuf,
    user: Option<User>,
    durable: bool,
    process: Option<Process>,
    /// Its socket, and its data if nobody asked for another place.
    run: Option<TempDir>,
}

impl PostgresServer {
    /// What can be chosen before the start.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where clients connect, as a superuser: a socket in a directory of its own, so that there is no port to be taken.
    /// Stays the same over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        let folder = self.folder().to_string_lossy();
        let encoded = folder.bytes().map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        });
        format!(
            "postgres://{}@localhost/postgres?sslmode=disable&host={}",
            binary::SUPERUSER,
            encoded.collect::<String>()
        )
    }

    /// Its process id; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Asks it to end: it disconnects its clients and closes its files. Nothing to do if it is stopped already.
    ///
    /// # Errors
    /// If it can't be signalled.
    pub async fn stop(&mut self) -> Result<(), StartError> {
        match self.process.take() {
            Some(process) => Ok(process.stop().await?),
            None => Ok(()),
        }
    }

    /// Ends it as a crash would (SIGKILL).
    ///
    /// # Errors
    /// If it can't be signalled.
    pub async fn kill(&mut self) -> Result<(), StartError> {
        match self.process.take() {
            Some(process) => Ok(process.kill().await?),
            None => Ok(()),
        }
    }

    /// Starts it again on the same socket and data, after a clean stop if it is running.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.stop().await?;
        let options = self.options();
        self.process = Some(Process::spawn(&self.installation, &self.store, self.folder(), &options, self.user).await?);
        Ok(())
    }

    /// Of its socket.
    fn folder(&self) -> &Path {
        self.run.as_ref().map_or(&self.store, TempDir::path)
    }

    fn options(&self) -> Vec<String> {
        let sync = if self.durable { "on" } else { "off" };
        let socket = format!("unix_socket_directories={}", self.folder().display());
        // Tests run at the same time, each with connections of its own.
        [socket, format!("fsync={sync}"), "listen_addresses=".into(), "max_connections=300".into()].into()
    }
}

impl Drop for PostgresServer {
    /// What runs is ended by its watchdog, which then removes the directory.
    fn drop(&mut self) {
        if self.process.is_some()
            && let Some(run) = self.run.take()
        {
            let _ = run.keep();
        }
    }
}

/// Variable with the URL of a PostgreSQL that tests are to use, instead of starting one.
pub const SHARED_URL: &str = "TANDEM_POSTGRES_URL";

/// URL of a server that tests share: the one in [`SHARED_URL`], else one of this process, started by the first that asks.
/// Keep them apart by schemas.
///
/// # Errors
/// As [`Builder::start`].
pub async fn shared() -> Result<String, StartError> {
    if let Ok(url) = std::env::var(SHARED_URL) {
        return Ok(url);
    }
    static SHARED: OnceCell<PostgresServer> = OnceCell::const_new();
    Ok(SHARED.get_or_try_init(|| PostgresServer::builder().start()).await?.url())
}
