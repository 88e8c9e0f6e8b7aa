//! The five services, each a process that can be killed by itself.
//!
//! Invariant: a service keeps its address over its deaths, as behind a load balancer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use tandem_cli::platform::{Child, Launch};
use tandem_client::{Client, Endpoints, Service};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long a service is given to become ready, whatever happened.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two questions for its health.
const PAUSE: Duration = Duration::from_millis(25);

pub(crate) struct Services {
    launch: Launch,
    running: Vec<(Service, SocketAddr, Option<Child>)>,
}

impl Services {
    /// Starts all of them, and does not wait for them.
    pub(crate) fn start(data: &Path, binaries: &Path, nats_url: &str, replicas: usize) -> anyhow::Result<Self> {
        let mut endpoints = Endpoints::default();
        let mut running = Vec::new();
        // All are held until the last is found, so that none is named twice.
        let mut held = Vec::new();
        for service in Service::ALL {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            *endpoints.of_mut(service) = format!("http://{address}");
            running.push((service, address, None));
            held.push(listener);
        }
        drop(held);
        let launch = Launch {
            binaries: binaries.to_owned(),
            data: data.to_owned(),
            nats_url: nats_url.to_owned(),
            views: format!("sqlite:{}", data.join("views").display()),
            replicas,
            endpoints,
            otlp_endpoint: None,
            tls: None,
        };
        let mut services = Self { launch, running };
        for service in Service::ALL {
            services.revive(service)?;
        }
        Ok(services)
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.launch.endpoints
    }

    /// Ends a service as a crash would.
    pub(crate) async fn kill(&mut self, service: Service) -> anyhow::Result<()> {
        let (_, _, child) = self.of(service)?;
        if let Some(mut child) = child.take() {
            child.signal(Signal::KILL)?;
            child.ended().await?;
        }
        Ok(())
    }

    /// Starts a service that was killed, and does not wait for it.
    pub(crate) fn revive(&mut self, service: Service) -> anyhow::Result<()> {
        let address = self.of(service)?.1;
        let (name, mut command, log) = self.launch.service(service, address)?;
        let child = Child::spawn(&name, &mut command, &log)?;
        self.of(service)?.2 = Some(child);
        Ok(())
    }

    /// None may have ended but by being killed.
    pub(crate) async fn all_live(&mut self) -> anyhow::Result<()> {
        for (service, _, child) in &mut self.running {
            let Some(child) = child else { continue };
            if let Ok(status) = tokio::time::timeout(Duration::ZERO, child.ended()).await {
                let output = child.output();
                let last = output.lines().rev().take(5).collect::<Vec<_>>().join(" | ");
                anyhow::bail!("the {service} service ended by itself ({}): {last}", status?);
            }
        }
        Ok(())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for (_, _, child) in self.running {
            if let Some(child) = child {
                child.stop().await?;
            }
        }
        Ok(())
    }

    fn of(&mut self, service: Service) -> anyhow::Result<&mut (Service, SocketAddr, Option<Child>)> {
        self.running.iter_mut().find(|(of, ..)| *of == service).context("a service of all")
    }
}

/// What a service answers for its health under a name; none if nobody answers.
pub(crate) async fn health(client: &Client, service: Service, name: &str) -> Option<ServingStatus> {
    let request = HealthCheckRequest { service: name.to_owned() };
    let asked = tokio::time::timeout(Duration::from_secs(2), async {
        HealthClient::new(client.channel(service)).check(request).await
    });
    asked.await.ok()?.ok().map(|answer| answer.into_inner().status())
}

/// Waits until all services are ready, and answers how long that took.
pub(crate) async fn ready(client: &Client) -> anyhow::Result<Duration> {
    let began = Instant::now();
    for service in Service::ALL {
        while health(client, service, "").await != Some(ServingStatus::Serving) {
            ensure!(began.elapsed() < PATIENCE, "the {service} service was not ready within {PATIENCE:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(began.elapsed())
}
