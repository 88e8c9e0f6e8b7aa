//! All services in this process.
//!
//! Invariant: one token stops all of them; each drains on its own.

use std::future::Future;

use anyhow::{Context as _, anyhow};
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use tandem_client::{Endpoints, Identity, Service};
use tandem_service::{DeploymentEnvironment, Settings, TlsSettings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ports::Listeners;
use super::{Certificates, Options};

pub(super) struct InProcess {
    tasks: JoinSet<(Service, anyhow::Result<()>)>,
    shutdown: CancellationToken,
}

impl InProcess {
    pub(super) async fn start(
        listeners: Listeners,
        endpoints: &Endpoints,
        nats_url: &str,
        options: &Options,
    ) -> anyhow::Result<Self> {
        let settings = settings(nats_url, options);
        let mut started = Self { tasks: JoinSet::new(), shutdown: CancellationToken::new() };
        let mut ready = Vec::new();
        for (service, listener, _) in listeners.into_iter() {
            let (told, answers) = oneshot::channel();
            let shutdown = started.shutdown.clone();
            let running = run(service, endpoints, Part { listener, settings: settings.clone(), shutdown, ready: told });
            started.tasks.spawn(running.map(move |ended| (service, ended)));
            ready.push(answers);
        }
        // A service that fails to start drops its sender; why, its task tells.
        if try_join_all(ready).await.is_ok() {
            return Ok(started);
        }
        let error = started.ended().await;
        let _ = started.stop().await;
        Err(error)
    }

    /// Waits until a service ends, and says why.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((service, Ok(())))) => anyhow!("the {service} service ended by itself"),
            Some(Ok((service, Err(error)))) => error.context(format!("the {service} service")),
            Some(Err(panicked)) => anyhow!(panicked).context("a service crashed"),
            None => std::future::pending().await,
        }
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let mut stopped = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = match ended {
                Ok((service, ended)) => ended.with_context(|| format!("the {service} service")),
                Err(panicked) => Err(anyhow!(panicked).context("a service crashed")),
            };
            stopped = stopped.and(ended);
        }
        stopped
    }
}

/// What one service is run with.
struct Part {
    listener: TcpListener,
    settings: Settings,
    shutdown: CancellationToken,
    ready: oneshot::Sender<std::net::SocketAddr>,
}

impl Part {
    fn run<S: tandem_service::Service>(self, args: S::Args) -> impl Future<Output = anyhow::Result<()>> + Send {
        let Self { listener, settings, shutdown, ready } = self;
        async move { tandem_service::run_on::<S>(listener, &settings, &args, shutdown, ready).await }
    }
}

fn run(service: Service, endpoints: &Endpoints, part: Part) -> BoxFuture<'static, anyhow::Result<()>> {
    match service {
        Service::Creators => part.run::<tandem_creators::Creators>(tandem_creators::Args::default()).boxed(),
        Service::Contracts => part.run::<tandem_contracts::Contracts>(tandem_service::NoArgs {}).boxed(),
        Service::Campaigns => part.run::<tandem_campaigns::Campaigns>(endpoints.clone()).boxed(),
        Service::Payouts => part.run::<tandem_payouts::Payouts>(endpoints.clone()).boxed(),
        Service::Relationships => part.run::<tandem_relationships::Relationships>(tandem_service::NoArgs {}).boxed(),
    }
}

/// Those of development, for all services alike.
fn settings(nats_url: &str, options: &Options) -> Settings {
    let mut settings =
        Settings { environment: DeploymentEnvironment::Development, views: options.views(), ..Settings::default() };
    nats_url.clone_into(&mut settings.nats.url);
    settings.auth.development_key = true;
    if let Some(Certificates { ca, identity: Identity { certificate, key } }) = options.tls.clone() {
        settings.tls = TlsSettings {
            tls_cert: Some(certificate.clone()),
            tls_key: Some(key.clone()),
            tls_client_ca: Some(ca.clone()),
            tls_ca: Some(ca.clone()),
        };
        (settings.nats.ca, settings.nats.cert, settings.nats.key) = (Some(ca), Some(certificate), Some(key));
    }
    settings.telemetry.otlp_endpoint.clone_from(&options.otlp_endpoint);
    settings
}
