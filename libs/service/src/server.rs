//! The one way in which a gRPC server is started here.
//!
//! Invariant: every request passes, in this order, the span, authorization, the limits and the gate; health and reflection
//! alone are open. Shutdown is announced, then finishes what has begun.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::future::Either;
use tandem_proto::common::v1::info_service_server::InfoServiceServer;
use tandem_proto::common::v1::process_service_server::ProcessServiceServer;
use tandem_proto::common::v1::timer_service_server::TimerServiceServer;
use tandem_proto::common::v1::view_service_server::ViewServiceServer;
use tandem_tls::ServerTls;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::pb::health_server::HealthServer;

use crate::auth::{AuthLayer, Authenticator};
use crate::config::Limits;
use crate::environment::{Environment, Wired};
use crate::gate::{Behind, Gate};
use crate::health::HealthService;
use crate::info::InfoOperations;
use crate::limits::LimitLayer;
use crate::processes::ProcessOperations;
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

/// All that a service serves beside its health.
pub(crate) fn behind(wired: Wired, env: &Environment) -> anyhow::Result<Behind> {
    let limit = env.settings.limits.max_message_bytes;
    let Wired { services, views, timers } = wired;
    let mut wired = Wired { services, ..Wired::default() };
    if !views.is_empty() {
        wired = wired.service(ViewServiceServer::new(ViewOperations(views)));
    }
    if !timers.is_empty() {
        wired = wired.service(TimerServiceServer::new(TimerOperations(timers)));
    }
    let info = InfoOperations::new(env.name, &env.settings);
    wired = wired.service(InfoServiceServer::new(info));
    let processes = env.failing();
    if !processes.is_empty() {
        wired = wired.service(ProcessServiceServer::new(ProcessOperations(processes)));
    }
    let names: Vec<_> = wired.services.iter().map(|(name, _)| *name).collect();
    let mut reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tandem_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    for name in &names {
        reflection = reflection.with_service_name(*name);
    }
    let mut routes = Routes::new(reflection.build_v1().context("descriptors for reflection")?);
    for (_, mount) in wired.services {
        routes = mount(routes, limit);
    }
    Ok(Behind { routes: routes.prepare(), names: names.into_iter().collect() })
}

/// Serves health, and what is behind the gate, until `draining`; then finishes what has begun, for `drain_timeout` at
/// most.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<ServerTls>,
    gate: Gate,
    health: HealthServer<HealthService>,
    authenticator: Authenticator,
    limits: &Limits,
    draining: CancellationToken,
) -> anyhow::Result<()> {
    let server = tonic::transport::Server::builder()
        .max_connection_age(limits.max_connection_age)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(RpcLayer::new())
        .layer(AuthLayer(Arc::new(authenticator)))
        .layer(LimitLayer::new(limits))
        .layer(gate)
        .add_service(health);
    let (incoming, end) = (incoming(listener), draining.cancelled());
    let serving = match tls {
        None => Either::Left(server.serve_with_incoming_shutdown(incoming, end)),
        Some(tls) => Either::Right(server.serve_with_incoming_shutdown(tls.accept(incoming), end)),
    };
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

/// Serves health alone, in plain text, for as long as it is polled.
pub(crate) async fn serve_health(listener: Option<TcpListener>, health: HealthServer<HealthService>) {
    if let Some(listener) = listener {
        let serving = tonic::transport::Server::builder().add_service(health).serve_with_incoming(incoming(listener));
        if let Err(error) = serving.await {
            tracing::error!(%error, "health is no longer served at --health-listen");
        }
    }
    std::future::pending().await
}

fn incoming(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE_INTERVAL))
}
