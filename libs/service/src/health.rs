//! `grpc.health.v1`: whether this process is to be sent requests, and whether it lives.
//!
//! Invariant: SERVING only while it is ready and shutdown has not begun, but [`LIVE`] always: what waits for NATS is
//! not helped by being killed. A watcher never holds up shutdown.

use std::collections::BTreeSet;
use std::pin::Pin;

use futures::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::gate::Gate;
use crate::readiness::Readiness;

/// The name to ask for whether the process lives: for a liveness probe, whose failure is answered by a restart.
pub const LIVE: &str = "live";

/// Served by every process beside its own.
const OPEN: [&str; 3] = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", ""];

pub(crate) struct HealthService {
    gate: Gate,
    readiness: Readiness,
    draining: CancellationToken,
}

/// The health of all gRPC services behind the gate by their full names, of the open ones beside them, and of the process
/// (the empty name): they stand and fall together.
pub(crate) fn server(gate: Gate, readiness: Readiness, draining: CancellationToken) -> HealthServer<HealthService> {
    HealthServer::new(HealthService { gate, readiness, draining })
}

fn response(serving: bool) -> HealthCheckResponse {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    HealthCheckResponse { status: status.into() }
}

impl HealthService {
    /// Whether it is served here, as far as is known: before the gate is open, that may be anything.
    fn knows(&self, service: &str) -> bool {
        OPEN.contains(&service) || self.gate.names().is_none_or(|names| names.contains(service))
    }
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if service == LIVE {
            return Ok(Response::new(response(true)));
        }
        if !self.knows(&service) {
            let open = OPEN.into_iter().chain([LIVE]).filter(|name| !name.is_empty());
            let served: BTreeSet<_> = self.gate.names().into_iter().flatten().copied().chain(open).collect();
            let served = served.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!("{service:?} is not served here; ask for one of {served}, or for none.");
            return Err(Status::not_found(message));
        }
        Ok(Response::new(response(self.readiness.is_ready() && !self.draining.is_cancelled())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let draining = self.draining.clone();
        let constant = |response| {
            let forever = stream::once(async move { Ok(response) }).chain(stream::pending());
            forever.take_until(draining.clone().cancelled_owned())
        };
        if service == LIVE {
            return Ok(Response::new(Box::pin(constant(response(true)))));
        }
        if !self.knows(&service) {
            // A watcher waits for the service to appear (health.proto).
            let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
            return Ok(Response::new(Box::pin(constant(unknown))));
        }
        let states = self.readiness.changes().map(|ready| Ok(response(ready)));
        let last = stream::once(async { Ok(response(false)) });
        Ok(Response::new(Box::pin(states.take_until(draining.cancelled_owned()).chain(last))))
    }
}
