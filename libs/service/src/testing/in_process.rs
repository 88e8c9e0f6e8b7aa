//! A service without a server: called by function, over a log, views and timers that a test brings.
//!
//! Invariant: between a request and its handler stand the same layers as in the server; only sockets, health and
//! reflection are left out.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tandem_aggregate::AggregateCache;
use tandem_client::Carrier;
use tandem_eventlog::EventLog;
use tandem_proto::common::v1::timer_service_server::TimerServiceServer;
use tandem_proto::common::v1::view_service_server::ViewServiceServer;
use tandem_timers::TimerQueue;
use tandem_views::ViewStore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::auth::{AuthLayer, Authenticator};
use crate::config::Settings;
use crate::environment::{Environment, Service};
use crate::limits::LimitLayer;
use crate::telemetry::RpcLayer;
use crate::timers::TimerOperations;
use crate::views::ViewOperations;

/// What a service is put together from.
pub struct Parts {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Where its views are kept.
    pub views: ViewStore,
    /// Where its timers wait.
    pub timers: Arc<dyn TimerQueue>,
    /// By which other services are reached.
    pub carriers: Vec<(tandem_client::Service, Carrier)>,
}

/// Starts a service; what it answers is carried by function. Its background work goes on until the runtime ends.
///
/// # Errors
/// What keeps it from starting.
pub async fn in_process<S: Service>(settings: &Settings, args: &S::Args, parts: Parts) -> anyhow::Result<Carrier> {
    settings.check()?;
    let Parts { log, views, timers, carriers } = parts;
    let env = Environment {
        name: S::NAME,
        settings: settings.clone(),
        log,
        nats: None,
        views,
        draining: CancellationToken::new(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
        timers: Some(timers),
        carriers,
        processes: Mutex::default(),
        failing: Mutex::default(),
        aggregates: AggregateCache::with_bytes(settings.limits.cache_bytes),
    };
    let mut wired = S::wire(&env, args).await.with_context(|| format!("{} can't be started", S::NAME))?;
    env.start_processes();
    let (views, timers) = (std::mem::take(&mut wired.views), std::mem::take(&mut wired.timers));
    wired = wired.service(ViewServiceServer::new(ViewOperations(views)));
    wired = wired.service(TimerServiceServer::new(TimerOperations(timers)));
    let limit = settings.limits.max_message_bytes;
    let routes = wired.services.into_iter().fold(Routes::default(), |routes, (_, mount)| mount(routes, limit));
    let stack = ServiceBuilder::new()
        .layer(RpcLayer::new())
        .layer(AuthLayer(Arc::new(Authenticator::new(&settings.auth)?)))
        .layer(LimitLayer::new(&settings.limits))
        .service(routes.prepare());
    Ok(BoxCloneSyncService::new(stack.map_err(|never| match never {})))
}
