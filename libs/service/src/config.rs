//! Settings that all services share, from flags or `TANDEM_*` variables.
//!
//! Invariant: what would be unsafe in production is refused at startup, not warned of.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use tandem_client::tokens::{DEFAULT_AUDIENCE, DEFAULT_ISSUER};

use crate::nats::NatsSettings;

/// Longer than a readiness probe of a second, and its way into the tables of a balancer, usually take.
const DRAIN_DELAY: Duration = Duration::from_secs(5);

/// No settings beside the shared ones.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct NoArgs {}

/// What every service can be told.
#[derive(clap::Args, Clone, Debug)]
pub struct Settings {
    /// Address to serve on; port 0 takes a free one [default: the service's port, on 127.0.0.1 in development, on all
    /// addresses in production]
    #[arg(long, env = "TANDEM_LISTEN", value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Second address, which serves grpc.health.v1 alone and in plain text: for probes, which can't do TLS
    #[arg(long, env = "TANDEM_HEALTH_LISTEN", value_name = "IP:PORT")]
    pub health_listen: Option<SocketAddr>,
    /// Where NATS is, and as whom.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Where the NATS servers tell about themselves, `http://<host>:8222`, comma separated: production is refused if one
    /// of them syncs to disk late, which only they can tell, or without this; `none` if somebody else runs them and answers
    /// for that
    #[arg(long, env = "TANDEM_NATS_MONITOR", value_name = "URL")]
    pub nats_monitor: Option<String>,
    /// JetStream stream that is the log; created if missing
    #[arg(long, env = "TANDEM_STREAM", value_name = "NAME", default_value = "tandem")]
    pub stream: String,
    /// Copies of the stream if it is created: 1 or, on a cluster, 3 or 5
    #[arg(long, env = "TANDEM_STREAM_REPLICAS", value_name = "N", default_value_t = 1)]
    pub stream_replicas: usize,
    /// Where views are kept: `sqlite:<directory>`, which gets a folder for each service, or, for replicas that share
    /// them, `postgres://<user>@<host>/<database>`, which gets a schema for each service
    #[arg(long, env = "TANDEM_VIEWS", value_name = "URL", default_value = "sqlite:.data/views")]
    pub views: String,
    /// What this deployment is
    #[arg(long, env = "TANDEM_ENVIRONMENT", value_enum, default_value = "development")]
    pub environment: DeploymentEnvironment,
    /// Whose tokens are taken.
    #[command(flatten)]
    pub auth: AuthSettings,
    /// Certificates towards callers and other services.
    #[command(flatten)]
    pub tls: TlsSettings,
    /// What one process takes on.
    #[command(flatten)]
    pub limits: Limits,
    /// What is logged and traced.
    #[command(flatten)]
    pub telemetry: TelemetrySettings,
}

/// What a deployment is; decides what is refused at startup.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentEnvironment {
    /// A developer's machine or a test.
    Development,
    /// Real data.
    Production,
}

/// Whose tokens are taken, and with which key this service signs its own.
#[derive(clap::Args, Clone, Debug)]
pub struct AuthSettings {
    /// Issuers (`iss`) whose tokens are taken, comma separated; the first is used in this service's own tokens
    #[arg(long, env = "TANDEM_ISSUER", value_name = "ISS", value_delimiter = ',', default_value = DEFAULT_ISSUER)]
    pub issuer: Vec<String>,
    /// Audience (`aud`) that tokens must be for
    #[arg(long, env = "TANDEM_AUDIENCE", value_name = "AUD", default_value = DEFAULT_AUDIENCE)]
    pub audience: String,
    /// JWK set with the public keys that tokens are signed with; read again when it changes
    #[arg(long, env = "TANDEM_JWKS", value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Take tokens signed with the development key, which is public. Refused in production
    #[arg(long, env = "TANDEM_DEVELOPMENT_KEY")]
    pub development_key: bool,
    /// Private key (Ed25519, PKCS #8 PEM) that this service signs its tokens for other services with. With
    /// --development-key: the development key
    #[arg(long, env = "TANDEM_SIGNING_KEY", value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// Key id (`kid`) of the signing key in the JWK set of the other services [default: the service's name]
    #[arg(long, env = "TANDEM_SIGNING_KEY_ID", value_name = "KID")]
    pub signing_key_id: Option<String>,
}

/// Certificates towards callers and other services; plain text without. All files are PEM, and a change of theirs holds
/// from the next connection on.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TlsSettings {
    /// Certificate of this service, followed by those between it and its authority: it is served under TLS alone, and
    /// shows the same to services that it calls
    #[arg(long, env = "TANDEM_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate
    #[arg(long, env = "TANDEM_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Authorities one of which must have signed a caller's certificate (mutual TLS)
    #[arg(long, env = "TANDEM_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
    /// Authorities that are trusted in calls to other services (https://), instead of those of the system
    #[arg(long, env = "TANDEM_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}

/// What one process takes on.
#[derive(clap::Args, Clone, Debug)]
pub struct Limits {
    /// Requests handled at the same time, three quarters of them of one tenant; more are answered RESOURCE_EXHAUSTED at
    /// once. At full load a request takes about this, divided by the requests a second that the machine can do
    #[arg(long, env = "TANDEM_MAX_CONCURRENT_REQUESTS", value_name = "N", default_value_t = 512)]
    pub max_concurrent_requests: usize,
    /// Streams of events and rebuilds of views under way at the same time, three quarters of them of one tenant; more are
    /// answered RESOURCE_EXHAUSTED at once
    #[arg(long, env = "TANDEM_MAX_LONG_RUNNING_REQUESTS", value_name = "N", default_value_t = 512)]
    pub max_long_running_requests: usize,
    /// Memory for aggregates lately used, of all kinds together
    #[arg(long, env = "TANDEM_CACHE_BYTES", value_name = "BYTES", default_value_t = 128 << 20)]
    pub cache_bytes: usize,
    /// Memory for the rows of each view while it is built; a quarter of it keeps rows lately changed afterwards
    #[arg(long, env = "TANDEM_VIEW_CACHE_BYTES", value_name = "BYTES", default_value_t = 128 << 20)]
    pub view_cache_bytes: usize,
    /// Largest message taken, in bytes
    #[arg(long, env = "TANDEM_MAX_MESSAGE_BYTES", value_name = "BYTES", default_value_t = 4 * 1024 * 1024)]
    pub max_message_bytes: usize,
    /// Longest that a request may take, in seconds, whatever its client allows
    #[arg(long, env = "TANDEM_REQUEST_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub request_timeout: Duration,
    /// How long a connection is used, in seconds: then its client is asked, without loss, to make another, which a balancer
    /// may lead elsewhere, and which sees certificates of that time
    #[arg(
        long,
        env = "TANDEM_MAX_CONNECTION_AGE",
        value_name = "SECONDS",
        value_parser = seconds,
        default_value = "300"
    )]
    pub max_connection_age: Duration,
    /// How long shutdown goes on serving while health says NOT_SERVING, in seconds, so that balancers send new connections
    /// elsewhere before this one takes none [default: 0 in development, 5 in production]
    #[arg(long, env = "TANDEM_DRAIN_DELAY", value_name = "SECONDS", value_parser = seconds_or_none)]
    pub drain_delay: Option<Duration>,
    /// Longest that shutdown waits for requests in flight, in seconds
    #[arg(long, env = "TANDEM_DRAIN_TIMEOUT", value_name = "SECONDS", value_parser = seconds, default_value = "20")]
    pub drain_timeout: Duration,
}

/// What is logged and traced, and where it goes.
#[derive(clap::Args, Clone, Debug)]
pub struct TelemetrySettings {
    /// OTLP collector (gRPC) for traces and metrics, for example http://127.0.0.1:4317; also read from
    /// OTEL_EXPORTER_OTLP_ENDPOINT
    #[arg(long, env = "TANDEM_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// How log lines look, on stderr
    #[arg(long, env = "TANDEM_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged, as in RUST_LOG: `info,tandem_views=debug`
    #[arg(long, env = "TANDEM_LOG_FILTER", value_name = "FILTER", default_value = "info")]
    pub log_filter: String,
}

/// How log lines look.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Where a service with this port is to listen.
    #[must_use]
    pub fn address(&self, default_port: u16) -> SocketAddr {
        let everywhere = self.environment == DeploymentEnvironment::Production;
        let ip = if everywhere { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        self.listen.unwrap_or(SocketAddr::new(IpAddr::V4(ip), default_port))
    }

    /// How long a shutdown is announced before it begins.
    #[must_use]
    pub fn drain_delay(&self) -> Duration {
        let everywhere = self.environment == DeploymentEnvironment::Production;
        self.limits.drain_delay.unwrap_or(if everywhere { DRAIN_DELAY } else { Duration::ZERO })
    }

    /// Checks what flags alone can't.
    ///
    /// # Errors
    /// Names the option and the remedy.
    pub fn check(&self) -> anyhow::Result<()> {
        let auth = &self.auth;
        if auth.development_key && self.environment == DeploymentEnvironment::Production {
            bail!(
                "--development-key is refused with --environment production: anyone can sign with that key. Name the \
                 public keys of your identity provider in --jwks"
            );
        }
        if auth.jwks.is_none() && !auth.development_key {
            bail!("no token could be verified: name a JWK set in --jwks or, in development, pass --development-key");
        }
        ensure!(!auth.audience.is_empty(), "--audience must not be empty");
        ensure!(!auth.issuer.iter().any(String::is_empty), "--issuer must not be empty");
        ensure!(self.limits.max_concurrent_requests > 0, "--max-concurrent-requests must be at least 1");
        ensure!(self.limits.max_long_running_requests > 0, "--max-long-running-requests must be at least 1");
        Ok(())
    }
}

impl Default for Settings {
    /// What holds when no flag is given.
    fn default() -> Self {
        use clap::Parser as _;
        crate::CommandLine::<NoArgs>::parse_from(["tandem"]).settings
    }
}

/// Seconds, with fractions, more than none.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = seconds_or_none(text).ok().filter(|duration| !duration.is_zero());
    seconds.ok_or_else(|| "give seconds, more than 0, for example 1.5".to_owned())
}

/// Seconds, with fractions.
fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "give seconds, for example 1.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_key_is_refused_in_production() {
        let mut settings = Settings { environment: DeploymentEnvironment::Production, ..Settings::default() };
        settings.auth.development_key = true;
        let error = settings.check().unwrap_err().to_string();
        assert!(error.contains("--development-key is refused with --environment production"), "{error}");
    }

    #[test]
    fn a_service_that_could_verify_nothing_does_not_start() {
        let error = Settings::default().check().unwrap_err().to_string();
        assert!(error.contains("--jwks"), "{error}");
    }

    #[test]
    fn only_production_listens_on_all_addresses() {
        let mut settings = Settings::default();
        assert_eq!(settings.address(7402).to_string(), "127.0.0.1:7402");
        settings.environment = DeploymentEnvironment::Production;
        assert_eq!(settings.address(7402).to_string(), "0.0.0.0:7402");
    }

    #[test]
    fn seconds_are_positive() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["0", "-1", "x", "NaN", "inf", "1e-20"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
