//! What a service is made of, and what it is given to be made with.
//!
//! Invariant: what is started through an [`Environment`] ends when the service stops, after the last request.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tandem_aggregate::{Aggregate, AggregateCache, Executor, Process, Scheduled, Watched, run_processes};
use tandem_client::tokens::SigningKey;
use tandem_eventlog::{EventLog, JetStreamLog, JetStreamOptions};
use tandem_proto::GrpcServer;
use tandem_timers::{AnyTimers, TimerQueue, TimerStream, TimerStreamOptions, Timers};
use tandem_views::{AnyView, View, ViewHandle, ViewStore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::config::Settings;
use crate::preflight;
use crate::processes::Processes;
use crate::readiness::Readiness;
use crate::service_tokens::ServiceTokens;
use crate::waiting::until_it_passes;

/// A Tandem service.
#[tonic::async_trait]
pub trait Service: 'static {
    /// `contracts`: in paths, in its tokens (`services/contracts`) and in telemetry.
    const NAME: &'static str;
    /// Where it listens unless told otherwise.
    const DEFAULT_PORT: u16;
    /// Whether it opens the vault, so that production is refused if that could be lost.
    const KEEPS_VAULT: bool = false;
    /// Settings of its own, for example addresses of other services; [`crate::NoArgs`] if none.
    type Args: clap::Args + Clone + Send + Sync;

    /// Puts its parts together.
    ///
    /// # Errors
    /// What keeps it from starting, with the setting that would help.
    async fn wire(env: &Environment, args: &Self::Args) -> anyhow::Result<Wired>;
}

/// A service put together: what it serves, over which views.
#[derive(Default)]
pub struct Wired {
    pub(crate) services: Vec<(&'static str, Mount)>,
    pub(crate) views: Vec<Arc<dyn AnyView>>,
    pub(crate) timers: Vec<Arc<dyn AnyTimers>>,
}

/// Adds a gRPC service to the routes, with the limit on message size.
pub(crate) type Mount = Box<dyn FnOnce(Routes, usize) -> Routes + Send>;

impl Wired {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves a gRPC service.
    #[must_use]
    pub fn service<S>(mut self, server: S) -> Self
    where
        S: GrpcServer + NamedService + Clone + Send + Sync + 'static,
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible>,
        S::Future: Send + 'static,
    {
        self.services.push((S::NAME, Box::new(|routes, limit| routes.add_service(server.max_message_bytes(limit)))));
        self
    }

    /// Lets operators see and rebuild a view, through `ViewService`, and measures it.
    #[must_use]
    pub fn view<V: View>(mut self, view: &ViewHandle<V>) -> Self {
        self.views.push(Arc::new(view.clone()));
        self
    }

    /// Lets operators make up for timers, through `TimerService`, and tests move aggregates by a clock of their own.
    #[must_use]
    pub fn timers<A: Scheduled>(mut self, timers: Timers<A>) -> Self {
        self.timers.push(Arc::new(timers));
        self
    }
}

/// What a service is given to be put together with.
pub struct Environment {
    /// Name of the service.
    pub name: &'static str,
    /// What it was told.
    pub settings: Settings,
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The connection under the log; none in a test that keeps the log in memory.
    pub(crate) nats: Option<async_nats::Client>,
    /// Where its views are kept.
    pub views: ViewStore,
    /// Cancelled when shutdown begins: no new requests, long streams should end.
    pub draining: CancellationToken,
    /// Cancelled after the last request: background work should end.
    pub stopping: CancellationToken,
    /// Shared by the executors of all kinds.
    pub(crate) aggregates: AggregateCache,
    pub(crate) tasks: TaskTracker,
    /// Where timers wait; on NATS unless a test says otherwise.
    pub(crate) timers: Option<Arc<dyn TimerQueue>>,
    /// By which other services are reached; by connections where none is named.
    pub(crate) carriers: Vec<(tandem_client::Service, tandem_client::Carrier)>,
    /// By consumer.
    pub(crate) processes: Mutex<BTreeMap<String, Vec<Arc<dyn Process>>>>,
    /// What fails in the processes of this service.
    pub(crate) failing: Mutex<Processes>,
}

impl Environment {
    pub(crate) async fn open(
        name: &'static str,
        settings: &Settings,
        keeps_vault: bool,
        readiness: Readiness,
        draining: CancellationToken,
    ) -> anyhow::Result<Self> {
        let nats = settings.nats.connect_watched(name, readiness).await?;
        preflight::check(settings, &nats, keeps_vault).await?;
        let options = JetStreamOptions {
            name: settings.stream.clone(),
            replicas: settings.stream_replicas,
            ..JetStreamOptions::default()
        };
        let passes =
            |error: &tandem_eventlog::OpenError| matches!(error, tandem_eventlog::OpenError::Unavailable { .. });
        let log = until_it_passes("the log", passes, || JetStreamLog::open(nats.clone(), options.clone())).await;
        let log = log.context("the log can't be opened (--stream)")?;
        let opened = ViewStore::open_for(&settings.views, name).await;
        let views = opened.context("views can't be kept there (--views)")?;
        let views = views.with_cache_bytes(settings.limits.view_cache_bytes);
        Ok(Self {
            name,
            settings: settings.clone(),
            log: Arc::new(log),
            nats: Some(nats),
            views,
            draining,
            stopping: CancellationToken::new(),
            aggregates: AggregateCache::with_bytes(settings.limits.cache_bytes),
            tasks: TaskTracker::new(),
            timers: None,
            carriers: Vec::new(),
            processes: Mutex::default(),
            failing: Mutex::default(),
        })
    }

    /// The connection under the log, for what else lies in NATS: the vault, timers.
    ///
    /// # Errors
    /// If there is none, for the log is kept in memory.
    pub fn nats(&self) -> anyhow::Result<async_nats::Client> {
        self.nats.clone().with_context(|| format!("{} needs NATS", self.name))
    }

    /// Runs commands on aggregates of a kind.
    #[must_use]
    pub fn executor<A: Aggregate>(&self) -> Executor<A> {
        Executor::new(Arc::clone(&self.log), self.aggregates.clone())
    }

    /// Starts a view, until the service stops.
    ///
    /// # Errors
    /// If its store can't be opened, or it breaks a rule of [`View`].
    pub async fn view<V: View>(&self, view: V) -> anyhow::Result<ViewHandle<V>> {
        let started = tandem_views::start(view, &self.views, Arc::clone(&self.log), self.stopping.clone());
        started.await.with_context(|| format!("view {} can't be started", V::NAME))
    }

    /// Runs a process, from when the service is put together until it stops. What fails in it can be seen through
    /// `ProcessService`.
    pub fn process<P: Process>(&self, process: P) {
        let process = Watched::new(process);
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).push(process.failing());
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        let consumer = process.consumer().to_owned();
        processes.entry(consumer).or_default().push(Arc::new(process));
    }

    /// What fails in the processes of this service.
    pub(crate) fn failing(&self) -> Processes {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts the processes, those of one consumer together.
    pub(crate) fn start_processes(&self) {
        let processes = std::mem::take(&mut *self.processes.lock().unwrap_or_else(PoisonError::into_inner));
        for (consumer, processes) in processes {
            let (log, stopping) = (Arc::clone(&self.log), self.stopping.clone());
            self.spawn(async move { run_processes(&consumer, &processes, log, stopping).await });
        }
    }

    /// Lets what is due for aggregates `A` be done by itself, until the service stops: see [`tandem_timers`].
    ///
    /// # Errors
    /// If the stream of timers can't be had.
    pub async fn timers<A: Scheduled>(&self, executor: &Arc<Executor<A>>) -> anyhow::Result<Timers<A>> {
        let queue =
            self.timer_queue().await.with_context(|| format!("timers of {} can't be started", A::COLLECTION))?;
        let timers = Timers::new(Arc::clone(executor));
        self.process(timers.arming(self.name, Arc::clone(&queue)));
        self.spawn(timers.clone().run(self.name, queue, self.stopping.clone()));
        Ok(timers)
    }

    async fn timer_queue(&self) -> anyhow::Result<Arc<dyn TimerQueue>> {
        if let Some(queue) = &self.timers {
            return Ok(Arc::clone(queue));
        }
        let options = TimerStreamOptions {
            log: self.settings.stream.clone(),
            replicas: self.settings.stream_replicas,
            ..TimerStreamOptions::default()
        };
        let passes = |error: &tandem_timers::OpenError| matches!(error, tandem_timers::OpenError::Unavailable { .. });
        let nats = self.nats()?;
        let open = || TimerStream::open(nats.clone(), options.clone());
        Ok(Arc::new(until_it_passes("the stream of timers", passes, open).await?))
    }

    /// Starts background work, which is to end on [`Self::stopping`] and is waited for then.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    /// Tokens for calls to other services, with these permissions.
    ///
    /// # Errors
    /// If there is no signing key, or it can't be read.
    pub fn tokens<P: Into<String>>(&self, permissions: impl IntoIterator<Item = P>) -> anyhow::Result<ServiceTokens> {
        let auth = &self.settings.auth;
        let key = match &auth.signing_key {
            Some(path) => {
                let pem =
                    std::fs::read(path).with_context(|| format!("--signing-key {} can't be read", path.display()))?;
                SigningKey::from_pem(auth.signing_key_id.as_deref().unwrap_or(self.name), &pem)
                    .with_context(|| format!("--signing-key {}", path.display()))?
            }
            None if auth.development_key => SigningKey::development(),
            None => anyhow::bail!("{} calls other services: name its private key in --signing-key", self.name),
        };
        let issuer = auth.issuer.first().cloned().unwrap_or_default();
        Ok(ServiceTokens::new(key, self.name, issuer, auth.audience.clone(), permissions))
    }

    /// The other services, called with these permissions.
    ///
    /// # Errors
    /// If there is no signing key, an address is not one, or certificates can't be used.
    pub fn peers<P: Into<String>>(
        &self,
        endpoints: tandem_client::Endpoints,
        permissions: impl IntoIterator<Item = P>,
    ) -> anyhow::Result<crate::Peers> {
        let mut client = tandem_client::Client::builder().endpoints(endpoints);
        if let Some(tls) = self.settings.tls.client()? {
            client = client.tls(tls);
        }
        for (service, carrier) in &self.carriers {
            client = client.carried_by(*service, carrier.clone());
        }
        Ok(crate::Peers::new(client.build()?, self.tokens(permissions)?))
    }

    /// Ends background work, waiting for it no longer than `timeout`.
    pub(crate) async fn stop(&self, views: &[Arc<dyn AnyView>], timeout: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        let ended = async {
            self.tasks.wait().await;
            for view in views {
                view.stopped().await;
            }
        };
        if tokio::time::timeout(timeout, ended).await.is_err() {
            tracing::warn!("background work did not end within {timeout:?}; leaving it");
        }
    }
}
