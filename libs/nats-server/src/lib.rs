//! A `nats-server` with JetStream as a child process: for development (`tandem up`), tests, demo and benchmarks.
//!
//! Invariant: the server never outlives its parent, however that ends, and is never shut down before its parent asks.

mod binary;
mod cluster;
mod config;
mod process;

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use config::Config;
use process::{Launch, Process};

pub use cluster::Cluster;

/// Why no server is running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No binary of a sufficient version anywhere.
    #[error(
        "no nats-server of version 2.12 or later found ({searched}); run ./justw tools, or name one in TANDEM_NATS_SERVER"
    )]
    NoBinary {
        /// Where it was looked for, and what was wrong with what was found there.
        searched: String,
    },
    /// The port asked for belongs to somebody else.
    #[error("port {port} is taken; stop what listens there, or choose another port (0 lets the server choose)")]
    PortTaken {
        /// The port asked for.
        port: u16,
    },
    /// The server ended, or was not ready in time. Its last words are in the message.
    #[error("nats-server did not start: {0}")]
    Failed(String),
    /// A file or a process could not be had.
    #[error("nats-server can't be started: {0}")]
    Io(#[from] std::io::Error),
}

/// What to start, and where.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    binary: Option<PathBuf>,
    store: Option<PathBuf>,
    port: u16,
    monitored: bool,
    own: Config,
    config: Option<PathBuf>,
    variables: Vec<(String, String)>,
    flags: Vec<String>,
    tls: bool,
}

/// Certificates of a server, as files (PEM).
#[derive(Debug, Clone)]
pub struct Tls {
    /// Its certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Private key of the certificate.
    pub key: PathBuf,
    /// Authorities one of which must have signed a client's certificate; without, clients need none.
    pub client_ca: Option<PathBuf>,
}

impl Builder {
    /// This binary, instead of the one named by `TANDEM_NATS_SERVER`, in `.tools/`, or on the PATH.
    #[must_use]
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// Keeps the log in this directory (made if missing); else in a temporary one that goes away with the server.
    #[must_use]
    pub fn store(mut self, directory: impl Into<PathBuf>) -> Self {
        self.store = Some(directory.into());
        self
    }

    /// Listens on this port of 127.0.0.1; 0 (the default) lets the server choose a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Acknowledges only what is on disk (`sync_interval: always`): slower, and safe against power loss.
    #[must_use]
    pub fn sync_always(mut self, on: bool) -> Self {
        self.own.sync_always = on;
        self
    }

    /// Takes no more than so many bytes, over all streams together (`max_file_store`): a disk that gets full.
    #[must_use]
    pub fn storage_limit(mut self, bytes: u64) -> Self {
        self.own.storage_limit = Some(bytes);
        self
    }

    /// Tells about itself over HTTP, on a free port: [`NatsServer::monitor_url`].
    #[must_use]
    pub fn monitored(mut self) -> Self {
        self.monitored = true;
        self
    }

    /// Configures it by this file, instead of one with nothing but JetStream. Address, port and store stay those that are
    /// chosen here; [`sync_always`](Self::sync_always) is the file's to say.
    #[must_use]
    pub fn config(mut self, file: impl Into<PathBuf>) -> Self {
        self.config = Some(file.into());
        self
    }

    /// Sets a variable, which the configuration file may name (`$NAME`).
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Gives it further flags, for example of a cluster; they take precedence over the configuration file.
    #[must_use]
    pub fn flags<F: Into<String>>(mut self, flags: impl IntoIterator<Item = F>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Speaks TLS alone.
    #[must_use]
    pub fn tls(mut self, tls: &Tls) -> Self {
        let file = |flag: &str, file: &Path| format!("{flag}={}", file.display());
        let mut flags = vec![file("--tlscert", &tls.certificate), file("--tlskey", &tls.key)];
        match &tls.client_ca {
            Some(ca) => flags.extend(["--tlsverify".to_owned(), file("--tlscacert", ca)]),
            None => flags.push("--tls".to_owned()),
        }
        self.tls = true;
        self.flags(flags)
    }

    /// Starts the server; it is ready for clients when this returns.
    ///
    /// # Errors
    /// If there is no binary, the port is taken, or the server ends or is not ready within 30 seconds.
    pub async fn start(self) -> Result<NatsServer, StartError> {
        let binary = binary::find(self.binary.as_deref()).await?;
        let (store, temporary) = match self.store {
            Some(store) => (store, None),
            None => {
                let directory = TempDir::with_prefix("tandem-nats-")?;
                (directory.path().to_owned(), Some(directory))
            }
        };
        std::fs::create_dir_all(&store)?;
        let launch = Launch {
            binary,
            store,
            port: self.port,
            monitor: self.monitored.then_some(0),
            own: self.own,
            config: self.config,
            variables: self.variables,
            flags: self.flags,
        };
        let mut server = NatsServer { launch, tls: self.tls, process: None, _temporary: temporary };
        server.restart().await?;
        Ok(server)
    }
}

/// A running `nats-server`. Dropping it kills the server.
#[derive(Debug)]
pub struct NatsServer {
    launch: Launch,
    tls: bool,
    process: Option<Process>,
    // Declared after the process: the directory is removed once nobody writes to it.
    _temporary: Option<TempDir>,
}

impl NatsServer {
    /// What can be chosen before the start.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where clients connect: `nats://127.0.0.1:<port>`, under TLS `tls://127.0.0.1:<port>`. Stays the same over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.launch.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.launch.port
    }

    /// Where it tells about itself, `http://127.0.0.1:<port>`, if it is [monitored](Builder::monitored). Stays the same over
    /// restarts.
    #[must_use]
    pub fn monitor_url(&self) -> Option<String> {
        self.launch.monitor.map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// Where it keeps its streams.
    #[must_use]
    pub fn store(&self) -> &Path {
        &self.launch.store
    }

    /// Its process id; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Waits until the server ends by itself, so that its parent can tell. Pends for ever while it is stopped.
    ///
    /// # Errors
    /// If the child can't be waited for.
    pub async fn exited(&mut self) -> Result<std::process::ExitStatus, StartError> {
        match &mut self.process {
            Some(process) => Ok(process.exited().await?),
            None => std::future::pending().await,
        }
    }

    /// Asks it to end (SIGTERM): it closes its files and its clients' connections first. Nothing to do if it is
    /// stopped already.
    ///
    /// # Errors
    /// If it can't be signalled.
    pub async fn stop(&mut self) -> Result<(), StartError> {
        match self.process.take() {
            Some(process) => Ok(process.terminate().await?),
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

    /// Lets it hang (SIGSTOP): its connections stay open, and nothing comes over them. Nothing to do while it is stopped.
    ///
    /// # Errors
    /// If it can't be signalled.
    pub fn pause(&self) -> Result<(), StartError> {
        Ok(self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::STOP))?)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// If it can't be signalled.
    pub fn resume(&self) -> Result<(), StartError> {
        Ok(self.process.as_ref().map_or(Ok(()), |process| process.signal(Signal::CONT))?)
    }

    /// What it may take from its next start on: see [`Builder::storage_limit`].
    pub fn set_storage_limit(&mut self, bytes: Option<u64>) {
        self.launch.own.storage_limit = bytes;
    }

    /// Starts it again on the same port and store, after a clean stop if it is running.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.stop().await?;
        let process = Process::spawn(&self.launch).await?;
        let ports = process.ports();
        (self.launch.port, self.launch.monitor) = (ports.clients, ports.monitor);
        self.process = Some(process);
        Ok(())
    }
}
