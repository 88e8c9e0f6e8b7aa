//! The connection to NATS: where it is, and as whom it is used.
//!
//! Invariant: answers come to an inbox of the name's own, so that the server can keep all others from listening there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use tandem_tls::ClientTls;

use crate::readiness::Readiness;
use crate::tls::identity;
use crate::waiting::until_it_passes;

/// How long NATS is waited for by who can't wait for ever.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A server that is silent is asked for a sign of life this often, and given up at the third time: one that hangs, or is
/// cut off, is left for another within six seconds.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// How long one server of several is given to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait between two tries to connect again.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Where NATS is, and as whom it is used.
#[derive(clap::Args, Clone, Debug)]
pub struct NatsSettings {
    /// NATS servers, comma separated
    #[arg(
        id = "nats_url",
        long = "nats-url",
        env = "TANDEM_NATS_URL",
        value_name = "URL",
        default_value = "nats://127.0.0.1:7422"
    )]
    pub url: String,
    /// Credentials file for NATS (`.creds`), where its users are kept by an operator
    #[arg(id = "nats_credentials", long = "nats-credentials", env = "TANDEM_NATS_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// File with the seed of an NKey (`SU...`), where the NATS server knows its users by their public keys
    #[arg(
        id = "nats_nkey",
        long = "nats-nkey",
        env = "TANDEM_NATS_NKEY",
        value_name = "FILE",
        conflicts_with = "nats_credentials"
    )]
    pub nkey: Option<PathBuf>,
    /// Authorities (PEM) that are trusted in NATS servers, instead of those of the system: no server is spoken to but
    /// under TLS. Files are looked at for each new connection
    #[arg(id = "nats_ca", long = "nats-ca", env = "TANDEM_NATS_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Certificate (PEM) of this service towards NATS
    #[arg(id = "nats_cert", long = "nats-cert", env = "TANDEM_NATS_CERT", value_name = "FILE", requires = "nats_key")]
    pub cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(id = "nats_key", long = "nats-key", env = "TANDEM_NATS_KEY", value_name = "FILE", requires = "nats_cert")]
    pub key: Option<PathBuf>,
}

impl NatsSettings {
    /// Connects as `name`, to whom answers come below `_INBOX.<name>`. Waits some seconds for a server that is starting.
    ///
    /// # Errors
    /// If no server answers or lets it in; names the option and the remedy.
    pub async fn connect(&self, name: &str) -> anyhow::Result<Client> {
        let connecting = self.connect_watched(name, Readiness::default());
        tokio::time::timeout(CONNECT_WITHIN, connecting)
            .await
            .with_context(|| format!("NATS can't be reached at {}; start it, or name it in --nats-url", self.url))?
    }

    /// As [`connect`](Self::connect), but waits for a server until there is one; `readiness` is told whether the connection
    /// stands.
    pub(crate) async fn connect_watched(&self, name: &str, readiness: Readiness) -> anyhow::Result<Client> {
        let options = self.options(name).await?.event_callback(move |event| {
            match event {
                Event::Connected => readiness.connected(true),
                Event::Disconnected | Event::Closed => readiness.connected(false),
                // Whoever waits for an answer is only told that none came.
                Event::ServerError(error) => tracing::error!(%error, "NATS refuses what was asked of it"),
                _ => {}
            }
            async {}
        });
        let servers: Vec<_> = self.url.split(',').map(str::trim).collect();
        // A server that is away, or still starts, is waited for; one that refuses is not.
        let passes = |error: &ConnectError| {
            matches!(error.kind(), ConnectErrorKind::Dns | ConnectErrorKind::TimedOut | ConnectErrorKind::Io)
        };
        let connected = until_it_passes("NATS", passes, || options.clone().connect(&servers[..])).await;
        connected.with_context(|| format!("NATS can't be used at {}; name it in --nats-url", self.url))
    }

    async fn options(&self, name: &str) -> anyhow::Result<ConnectOptions> {
        let mut options = ConnectOptions::new()
            .name(name)
            .custom_inbox_prefix(format!("_INBOX.{name}"))
            .ping_interval(PING_INTERVAL)
            .connection_timeout(CONNECT_TIMEOUT)
            .reconnect_delay_callback(|attempt| {
                let doublings = u32::try_from(attempt).unwrap_or(u32::MAX);
                Duration::from_millis(2).saturating_mul(2_u32.saturating_pow(doublings)).min(RECONNECT_DELAY)
            });
        if let Some(path) = &self.credentials {
            options = (options.credentials_file(path).await)
                .with_context(|| format!("--nats-credentials {} can't be read", path.display()))?;
        }
        if let Some(path) = &self.nkey {
            let seed = tokio::fs::read_to_string(path).await;
            let seed = seed.with_context(|| format!("--nats-nkey {} can't be read", path.display()))?;
            options = options.nkey(seed.trim().to_owned());
        }
        if let Some(tls) = self.tls()? {
            // Servers tell of each other by IP, which is not what certificates name them by: those of the URL are used.
            options = options.tls_client_config(tls.config()).require_tls(true).ignore_discovered_servers();
        }
        Ok(options)
    }

    /// None if the URL is to decide.
    fn tls(&self) -> anyhow::Result<Option<ClientTls>> {
        let identity = identity(self.cert.as_ref(), self.key.as_ref(), "nats")?;
        if identity.is_none() && self.ca.is_none() {
            return Ok(None);
        }
        let tls = ClientTls::open(self.ca.clone(), identity);
        tls.map(Some).context("NATS can't be reached under TLS (--nats-ca, --nats-cert, --nats-key)")
    }
}
