//! The one way in which a gRPC server is started here.
//!
//! Invariant: every request passes, in this order, the span, authorization and the limits; health and reflection alone
//! are open. Shutdown finishes what has begun.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tandem_proto::common::v1::timer_service_server::TimerServiceServer;
use tandem_proto::common::v1::view_service_server::ViewServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

use crate::auth::{AuthLayer, Authenticator};
use crate::config::Limits;
use crate::environment::{Environment, Wired};
use crate::health;
use crate::limits::LimitLayer;
use crate::telemetry::RpcLayer;
use crate::timers::TimerOperations;
use crate::views::ViewOperations;

/// A connection that is silent so long is asked for a sign of life ...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// ... and closed if it gives none within this time.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes the address before anything else is started, so that a taken one is told at once.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{address} is taken by another process; stop it, or choose another address with --listen")
        }
        _ => anyhow!(error).context(format!("can't listen on {address}; choose another address with --listen")),
    })
}

/// All routes of a service, and the names of its gRPC services.
pub(crate) fn routes(wired: Wired, env: &Environment) -> anyhow::Result<Routes> {
    let limit = env.settings.limits.max_message_bytes;
    let Wired { services, views, timers } = wired;
    let mut wired = Wired { services, ..Wired::default() };
    if !views.is_empty() {
        wired = wired.service(ViewServiceServer::new(ViewOperations(views)));
    }
    if !timers.is_empty() {
        wired = wired.service(TimerServiceServer::new(TimerOperations(timers)));
    }
    let names: Vec<_> = wired.services.iter().map(|(name, _)| *name).collect();
    let mut reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tandem_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    for name in &names {
        reflection = reflection.with_service_name(*name);
    }
    let health = health::server(names, env.log_reached.clone(), env.draining.clone());
    let mut routes = Routes::new(health).add_service(reflection.build_v1().context("descriptors for reflection")?);
    for (_, mount) in wired.services {
        routes = mount(routes, limit);
    }
    Ok(routes.prepare())
}

/// Serves until `draining`, then finishes what has begun, for `drain_timeout` at most.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Routes,
    authenticator: Authenticator,
    limits: &Limits,
    draining: CancellationToken,
) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE_INTERVAL));
    let serving = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(RpcLayer::new())
        .layer(AuthLayer(Arc::new(authenticator)))
        .layer(LimitLayer::new(limits))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, draining.cancelled());
    let overdue = async {
        draining.cancelled().await;
        tokio::time::sleep(limits.drain_timeout).await;
    };
    tokio::select! {
        served = serving => served.context("the gRPC server failed"),
        () = overdue => {
            tracing::warn!("requests were still in flight after {:?}; cutting them off", limits.drain_timeout);
            Ok(())
        }
    }
}
