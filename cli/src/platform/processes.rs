//! Each service in a process of its own, as in production.
//!
//! Invariant: a service is told all that it needs by its options; it knows nothing of having been started from here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use futures::FutureExt as _;
use futures::future::{join_all, select_all, try_join_all};
use rustix::process::Signal;
use tandem_client::{Endpoints, Identity, Service};
use tokio::process::Command;

use super::child::Child;
use super::ports::Listeners;
use super::{Certificates, Options};

pub(super) struct Processes {
    running: Vec<Running>,
    launch: Launch,
}

struct Running {
    service: Service,
    address: SocketAddr,
    child: Child,
}

/// What all services are told that are started from here.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Folder of the services' programs.
    pub binaries: PathBuf,
    /// Folder of their views and log files.
    pub data: PathBuf,
    /// NATS servers, comma separated.
    pub nats_url: String,
    /// Where views are kept, as `--views` names it.
    pub views: String,
    /// Copies of each stream.
    pub replicas: usize,
    /// Where each service answers.
    pub endpoints: Endpoints,
    /// OTLP collector for traces and metrics.
    pub otlp_endpoint: Option<String>,
    /// Certificates of all services, if they are to speak TLS.
    pub tls: Option<Certificates>,
}

impl Processes {
    pub(super) async fn start(
        listeners: Listeners,
        endpoints: &Endpoints,
        nats_url: &str,
        options: &Options,
        binaries: &Path,
    ) -> anyhow::Result<Self> {
        let launch = Launch {
            binaries: binaries.to_owned(),
            data: options.data.clone(),
            nats_url: nats_url.to_owned(),
            views: options.views(),
            replicas: 1,
            endpoints: endpoints.clone(),
            otlp_endpoint: options.otlp_endpoint.clone(),
            tls: options.tls.clone(),
        };
        let starting = listeners.into_iter().map(|(service, listener, address)| {
            // A listener can't be handed to another program here: its port is free for an instant.
            drop(listener);
            let launch = &launch;
            async move { anyhow::Ok(Running { service, address, child: launch.start(service, address).await? }) }
        });
        let running = try_join_all(starting).await?;
        Ok(Self { running, launch })
    }

    /// Kills a service as a crash would, and starts it again where it was.
    pub(super) async fn crash(&mut self, service: Service) -> anyhow::Result<()> {
        let running = self.running.iter_mut().find(|running| running.service == service);
        let running = running.with_context(|| format!("the {service} service does not run"))?;
        running.child.signal(Signal::KILL)?;
        running.child.ended().await?;
        running.child = self.launch.start(service, running.address).await?;
        Ok(())
    }

    /// Waits until a service ends, and says which.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        let ends = self.running.iter_mut().map(|Running { child, .. }| {
            async {
                let status = child.ended().await;
                (child.name().to_owned(), status)
            }
            .boxed()
        });
        let ((name, status), ..) = select_all(ends).await;
        match status {
            Ok(status) => anyhow!("{name} ended by itself ({status})"),
            Err(error) => error.into(),
        }
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        join_all(self.running.into_iter().map(|running| running.child.stop())).await.into_iter().collect()
    }
}

impl Launch {
    fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// A service, on an address: its name, its program with all options, and the file of its output.
    ///
    /// # Errors
    /// If the folder of the log files can't be made.
    pub fn service(&self, service: Service, address: SocketAddr) -> anyhow::Result<(String, Command, PathBuf)> {
        std::fs::create_dir_all(self.logs())?;
        let program = format!("tandem-{service}");
        let mut command = Command::new(self.binaries.join(&program));
        command
            .arg("--development-key")
            .args(["--environment", "development", "--nats-url", &self.nats_url])
            .args(["--stream-replicas", &self.replicas.to_string()])
            .args(["--listen", &address.to_string()])
            // Not an argument, which everybody could see: there may be a password in it.
            .env("TANDEM_VIEWS", &self.views);
        if let Some(collector) = &self.otlp_endpoint {
            command.args(["--otlp-endpoint", collector]);
        }
        if let Some(Certificates { ca, identity: Identity { certificate, key } }) = &self.tls {
            command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
            command.arg("--tls-client-ca").arg(ca).arg("--tls-ca").arg(ca);
            command.arg("--nats-cert").arg(certificate).arg("--nats-key").arg(key).arg("--nats-ca").arg(ca);
        }
        for other in Service::ALL {
            command.env(other.variable(), self.endpoints.of(other));
        }
        Ok((program, command, self.logs().join(format!("{service}.log"))))
    }

    async fn start(&self, service: Service, address: SocketAddr) -> anyhow::Result<Child> {
        let (program, mut command, log) = self.service(service, address)?;
        let ready_file = log.with_extension("ready");
        command.arg("--ready-file").arg(&ready_file);
        let started = Child::start(&program, &mut command, &ready_file, &log).await;
        started.map(|(child, _)| child).with_context(|| format!("the {service} service"))
    }
}
