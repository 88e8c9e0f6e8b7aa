//! What is known of a deployment.
//!
//! Invariant: what could not be found out is told as that, never as what would be fine.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use jiff::SignedDuration;
use tandem_timers::timer_stream;

/// Something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It is so.
    Is(T),
    /// There is no such thing.
    Missing,
    /// It could not be found out, for this reason.
    Unknown(String),
}

impl<T> Known<T> {
    /// What is so, if it is known.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Missing | Self::Unknown(_) => None,
        }
    }
}

/// All that [`examine`](crate::examine) judges by. Lists are empty where who asks has nothing to do with them.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whether it holds real data.
    pub production: bool,
    /// What the service that asks was told; none if nobody starts.
    pub settings: Option<Settings>,
    /// The stream that is the log.
    pub log: StreamFacts,
    /// Why NATS could not be asked at all, if so.
    pub unreachable: Option<String>,
    /// The stream of timers.
    pub timers: StreamFacts,
    /// The buckets of the vault, as streams.
    pub vault: Vec<StreamFacts>,
    /// Whether the vault is sealed with the key that everybody knows.
    pub vault_development_key: Known<bool>,
    /// The restore that has begun and not ended: which backup, since when.
    pub restoring: Known<String>,
    /// The servers that tell about themselves.
    pub servers: Vec<ServerFacts>,
    /// Whether somebody else runs them, who answers for when they sync.
    pub servers_vouched_for: bool,
    /// The services.
    pub services: Vec<ServiceFacts>,
    /// The processes and timers that consume the log and the timers.
    pub consumers: Vec<ConsumerFacts>,
}

impl Facts {
    /// Nothing known yet, of a deployment with real data, over the log of this name.
    #[must_use]
    pub fn production(log: &str) -> Self {
        let unasked = || Known::Unknown("it was not asked for".to_owned());
        Self {
            production: true,
            settings: None,
            log: StreamFacts { name: log.to_owned(), state: Known::Missing },
            unreachable: None,
            timers: StreamFacts { name: timer_stream(log), state: Known::Missing },
            vault: Vec::new(),
            vault_development_key: unasked(),
            restoring: Known::Missing,
            servers: Vec::new(),
            servers_vouched_for: false,
            services: Vec::new(),
            consumers: Vec::new(),
        }
    }
}

/// Name of the stream that stands for a restore of this log which has not ended.
#[must_use]
pub fn restore_marker(log: &str) -> String {
    format!("{log}-restore")
}

/// What a service that is to start was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `--development-key`: tokens that anybody can sign are taken, and with them the test clock.
    pub development_key: bool,
    /// The JWK set has the public half of the development key.
    pub jwks_has_development_key: bool,
    /// The private key for calls to other services is the development key.
    pub signs_with_development_key: bool,
    /// Requests come in plain text from other machines.
    pub plain_text_grpc: bool,
    /// NATS is spoken to in plain text on another machine.
    pub plain_text_nats: bool,
    /// `--stream-replicas`.
    pub stream_replicas: usize,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its name.
    pub name: String,
    /// What the server says of it.
    pub state: Known<Box<Stream>>,
}

/// A stream as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// How it was made.
    pub config: Config,
    /// Messages in it.
    pub messages: u64,
    /// Sequence of its last message.
    pub last_sequence: u64,
    /// Server that leads it; none while there is none, or without a cluster.
    pub leader: Option<String>,
    /// The copies that follow the leader.
    pub copies: Vec<Copy>,
    /// By how much the server's clock is ahead of this machine's.
    pub ahead: SignedDuration,
}

/// A copy of a stream that follows its leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Name of its server.
    pub server: String,
    /// Whether it has all that the leader has.
    pub current: bool,
    /// Whether its server is away.
    pub offline: bool,
}

/// A NATS server, asked for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Where it was asked.
    pub address: String,
    /// What it said.
    pub state: Known<Server>,
}

/// A NATS server as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How JetStream syncs to disk: none without JetStream; zero is after each write (`always`).
    pub sync_interval: Option<Duration>,
    /// Servers of its cluster that have JetStream; 1 without a cluster.
    pub cluster_size: usize,
    /// By how much its clock is ahead of this machine's.
    pub ahead: SignedDuration,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its name.
    pub name: String,
    /// Where it was asked.
    pub address: String,
    /// What it said.
    pub state: Known<Service>,
}

/// A service as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whether its health is SERVING.
    pub serving: bool,
    /// What it says of itself.
    pub info: Known<Info>,
    /// Its views.
    pub views: Known<Vec<View>>,
}

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Version of its program.
    pub version: String,
    /// Whether it was started for production.
    pub production: bool,
    /// Whether it takes tokens of the development key.
    pub development_key: bool,
    /// By how much its clock is ahead of this machine's.
    pub ahead: SignedDuration,
}

/// A view as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Log position that it has read to.
    pub position: u64,
    /// Positions that it has still to read; none if the log can't be asked.
    pub lag: Option<u64>,
    /// Events that it could not take.
    pub parked: u64,
    /// What the first of them failed with.
    pub parked_error: String,
}

/// The durable consumers of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerFacts {
    /// The stream.
    pub stream: String,
    /// What the server says of them.
    pub state: Known<Vec<Consumer>>,
}

/// A durable consumer: a process, or what fires timers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// Messages that it was not handed yet.
    pub pending: u64,
    /// Messages that it was handed and has not acknowledged.
    pub unacknowledged: u64,
    /// Of those, how many were handed out more than once.
    pub redelivered: u64,
}
