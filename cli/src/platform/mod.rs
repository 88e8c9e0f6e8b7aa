//! A whole Tandem on this machine: NATS and the five services, in this process or in processes of their own.
//!
//! Invariant: all of it runs, or nothing does: what fails to start, or ends by itself, takes the rest down in order,
//! the services before NATS.
//!
//! ```no_run
//! use tandem_cli::platform::{Options, Platform};
//!
//! # async fn example() -> anyhow::Result<()> {
//! let platform = Platform::start_in_process(Options::ephemeral("/tmp/tandem")).await?;
//! let client = platform.client("acme")?;
//! // ...
//! platform.stop().await
//! # }
//! ```

mod child;
mod external;
mod in_process;
mod lock;
mod ports;
mod processes;
mod ready;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tandem_client::{Client, ClientBuilder, ClientTls, Endpoints, Identity, Service};
use tandem_nats_server::{NatsServer, StartError, Tls};

pub use child::{Child, beside_this_program};
pub use ports::Ports;
pub use processes::Launch;
pub use ready::{Ready, UpProcess};

use in_process::InProcess;
use lock::DataLock;
use ports::Listeners;
use processes::Processes;

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of everything that is kept: the log, the views, log files. Made if missing.
    pub data: PathBuf,
    /// Where the services and NATS listen, on 127.0.0.1.
    pub ports: Ports,
    /// A NATS server that runs already, instead of one of its own.
    pub external_nats: Option<String>,
    /// Where the views are kept, instead of in the data folder: as services take it, `postgres://..`.
    pub views: Option<String>,
    /// OTLP collector for traces and metrics.
    pub otlp_endpoint: Option<String>,
    /// TLS between all parts, each of which asks the other for a certificate; plain text without.
    pub tls: Option<Certificates>,
}

/// Who the parts of a platform are to each other: all the same, reached at 127.0.0.1.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// Authority (PEM) that every part trusts, and that has signed everybody's certificate.
    pub ca: PathBuf,
    /// Certificate of every part.
    pub identity: Identity,
}

impl Certificates {
    fn client(&self) -> Result<ClientTls, tandem_tls::Error> {
        ClientTls::open(Some(self.ca.clone()), Some(self.identity.clone()))
    }
}

impl Options {
    /// On free ports, as many can run beside each other.
    #[must_use]
    pub fn ephemeral(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), ports: Ports::Free, external_nats: None, views: None, otlp_endpoint: None, tls: None }
    }

    fn views(&self) -> String {
        let folder = || format!("sqlite:{}", self.data.join("views").display());
        self.views.clone().unwrap_or_else(folder)
    }
}

/// A running Tandem. To be ended by [`Platform::stop`]; dropping it kills it as a crash would, which loses nothing that
/// was acknowledged.
pub struct Platform {
    // In the order in which they are to go when dropped.
    services: Services,
    nats: Nats,
    endpoints: Endpoints,
    tls: Option<ClientTls>,
    _lock: DataLock,
}

enum Services {
    InProcess(InProcess),
    Processes(Box<Processes>),
}

struct Nats {
    /// None if it is somebody else's.
    own: Option<Box<NatsServer>>,
    url: String,
}

impl Platform {
    /// Starts all services in this process. They answer when this returns.
    ///
    /// # Errors
    /// If a port is taken, the data is in use, NATS or a service can't be started; then nothing runs.
    pub async fn start_in_process(options: Options) -> anyhow::Result<Self> {
        let Prepared { lock, listeners, mut nats, endpoints, tls } = prepare(&options).await?;
        match InProcess::start(listeners, &endpoints, &nats.url, &options).await {
            Ok(services) => Ok(Self { services: Services::InProcess(services), nats, endpoints, tls, _lock: lock }),
            Err(error) => {
                nats.stop().await?;
                Err(error)
            }
        }
    }

    /// Starts each service in a process of its own, from the binaries in this folder (`tandem-creators` ...). They
    /// answer when this returns; their log files are in the data folder.
    ///
    /// # Errors
    /// As [`Self::start_in_process`], and if a binary is missing.
    pub async fn start_processes(options: Options, binaries: &Path) -> anyhow::Result<Self> {
        let Prepared { lock, listeners, mut nats, endpoints, tls } = prepare(&options).await?;
        match Processes::start(listeners, &endpoints, &nats.url, &options, binaries).await {
            Ok(services) => {
                Ok(Self { services: Services::Processes(Box::new(services)), nats, endpoints, tls, _lock: lock })
            }
            Err(error) => {
                nats.stop().await?;
                Err(error)
            }
        }
    }

    /// Where the services answer.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where NATS answers.
    #[must_use]
    pub fn nats_url(&self) -> &str {
        &self.nats.url
    }

    /// A client with all permissions in this tenant.
    ///
    /// # Errors
    /// None that can be expected: the endpoints are those of the services.
    pub fn client(&self, tenant: &str) -> anyhow::Result<Client> {
        Ok(self.client_builder().token(crate::connection::developer(tenant)).build()?)
    }

    /// A client to be, which reaches this platform.
    #[must_use]
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder().endpoints(self.endpoints.clone());
        match &self.tls {
            Some(tls) => builder.tls(tls.clone()),
            None => builder,
        }
    }

    /// Waits until a part ends by itself, which none should, and says which and why.
    pub async fn ended(&mut self) -> anyhow::Error {
        let Self { services, nats, .. } = self;
        let service_ended = async {
            match services {
                Services::InProcess(services) => services.ended().await,
                Services::Processes(services) => services.ended().await,
            }
        };
        tokio::select! {
            error = service_ended => error,
            error = nats.ended() => error,
        }
    }

    /// Kills a service as a crash would (SIGKILL), and starts it again where it was. It answers when this returns.
    ///
    /// # Errors
    /// If it is not a process of its own, or does not start again.
    pub async fn crash(&mut self, service: Service) -> anyhow::Result<()> {
        match &mut self.services {
            Services::InProcess(_) => anyhow::bail!("only a service in a process of its own can crash alone"),
            Services::Processes(services) => services.crash(service).await,
        }
    }

    /// Drains the services, then stops NATS if it is its own.
    ///
    /// # Errors
    /// What a part ended with; the others are stopped all the same.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let services = match self.services {
            Services::InProcess(services) => services.stop().await,
            Services::Processes(services) => services.stop().await,
        };
        let nats = self.nats.stop().await;
        services.and(nats)
    }
}

/// What the services need before they start.
struct Prepared {
    lock: DataLock,
    listeners: Listeners,
    nats: Nats,
    endpoints: Endpoints,
    tls: Option<ClientTls>,
}

async fn prepare(options: &Options) -> anyhow::Result<Prepared> {
    let tls = options.tls.as_ref().map(Certificates::client).transpose()?;
    let lock = DataLock::take(&options.data)?;
    let listeners = Listeners::bind(options.ports).await?;
    let nats = match &options.external_nats {
        Some(url) => Nats::external(url).await?,
        None => Nats::start(options).await?,
    };
    let endpoints = listeners.endpoints(if tls.is_some() { "https" } else { "http" });
    Ok(Prepared { lock, listeners, nats, endpoints, tls })
}

impl Nats {
    async fn external(url: &str) -> anyhow::Result<Self> {
        external::wait_for(url).await?;
        Ok(Self { own: None, url: url.to_owned() })
    }

    async fn start(options: &Options) -> anyhow::Result<Self> {
        let mut server = NatsServer::builder().store(options.data.join("nats")).port(options.ports.nats());
        if let Some(Certificates { ca, identity: Identity { certificate, key } }) = options.tls.clone() {
            server = server.tls(&Tls { certificate, key, client_ca: Some(ca) });
        }
        match server.start().await {
            Ok(server) => Ok(Self { url: server.url(), own: Some(Box::new(server)) }),
            Err(StartError::PortTaken { port }) => Err(ports::taken("NATS", port, "--nats-port")),
            Err(error) => Err(error.into()),
        }
    }

    async fn ended(&mut self) -> anyhow::Error {
        let Some(server) = &mut self.own else { return std::future::pending().await };
        match server.exited().await {
            Ok(status) => anyhow::anyhow!("nats-server ended by itself ({status})"),
            Err(error) => error.into(),
        }
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        match &mut self.own {
            Some(server) => server.stop().await.context("nats-server did not stop"),
            None => Ok(()),
        }
    }
}
