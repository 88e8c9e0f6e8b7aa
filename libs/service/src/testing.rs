//! A service under test: the real server on a free port, over a real log.
//!
//! Invariant: what is tested is what runs: nothing is left out or replaced, except that the development key is taken.

mod collector;
mod in_process;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tandem_client::tokens::{Claims, SigningKey};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::config::Settings;
use crate::environment::Service;

pub use collector::{CollectedSpan, Collector, Trace};
pub use in_process::{Parts, in_process};

/// A service that runs until it is stopped or dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Settings of a test: a free port, this NATS server, views in this directory, the development key.
#[must_use]
pub fn settings(nats_url: &str, views: &Path) -> Settings {
    let mut settings = Settings {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        views: format!("sqlite:{}", views.display()),
        ..Settings::default()
    };
    nats_url.clone_into(&mut settings.nats.url);
    settings.auth.development_key = true;
    settings
}

/// A token of the development key that is valid for an hour.
#[must_use]
pub fn token(actor: &str, tenant: &str, permissions: &[&str]) -> String {
    let claims = Claims::new(actor, tenant).with_permissions(permissions.iter().copied());
    SigningKey::development().mint(&claims, Duration::from_secs(3600))
}

impl Running {
    /// Starts a service and waits until it answers.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start<S: Service>(settings: Settings, args: S::Args) -> anyhow::Result<Self> {
        let shutdown = CancellationToken::new();
        let (ready, address) = oneshot::channel();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { crate::run::<S>(&settings, &args, stop, ready).await });
        match address.await {
            Ok(address) => Ok(Self { address, shutdown, task }),
            Err(_) => Err(task.await?.err().context("it ended before it was ready")?),
        }
    }

    /// A connection to it, without a token.
    #[must_use]
    pub fn channel(&self) -> Channel {
        #[expect(clippy::expect_used, reason = "an address and a port always make a URI")]
        Endpoint::try_from(self.uri()).expect("URI").connect_lazy()
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins the shutdown, and goes on.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Shuts it down and waits for its end.
    ///
    /// # Errors
    /// What it ended with.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        (&mut self.task).await?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
