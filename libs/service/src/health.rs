//! `grpc.health.v1`: whether this process is to be sent requests.
//!
//! Invariant: SERVING only while the log can be reached and shutdown has not begun; a watcher never holds up shutdown. "live"
//! alone is always SERVING: whoever restarts what is not would restart it because NATS is away.

use std::collections::BTreeSet;
use std::pin::Pin;

use futures::{Stream, StreamExt as _, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Served by every process beside its own.
const OPEN: [&str; 2] = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];

/// The name under which the process says that it answers at all.
const LIVE: &str = "live";

pub(crate) struct HealthService {
    services: BTreeSet<&'static str>,
    log_reached: watch::Receiver<bool>,
    draining: CancellationToken,
}

/// The health of all these services by their full names, of the open ones beside them, and of the process (the empty
/// name): they stand and fall together.
pub(crate) fn server(
    services: impl IntoIterator<Item = &'static str>,
    log_reached: watch::Receiver<bool>,
    draining: CancellationToken,
) -> HealthServer<HealthService> {
    let services = services.into_iter().chain(OPEN).chain(["", LIVE]).collect();
    HealthServer::new(HealthService { services, log_reached, draining })
}

fn response(log_reached: bool, draining: bool) -> HealthCheckResponse {
    let serving = log_reached && !draining;
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !self.services.contains(&*service) {
            let served: Vec<_> = self.services.iter().copied().filter(|name| !name.is_empty()).collect();
            let message = format!("{service:?} is not served here; ask for one of {}, or for none.", served.join(", "));
            return Err(Status::not_found(message));
        }
        if service == LIVE {
            return Ok(Response::new(response(true, false)));
        }
        Ok(Response::new(response(*self.log_reached.borrow(), self.draining.is_cancelled())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        if !self.services.contains(&*service) {
            // A watcher waits for the service to appear (health.proto).
            let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
            let forever = stream::once(async move { Ok(unknown) }).chain(stream::pending());
            return Ok(Response::new(Box::pin(forever.take_until(self.draining.clone().cancelled_owned()))));
        }
        let changes = tokio_stream::wrappers::WatchStream::new(self.log_reached.clone());
        let live = service == LIVE;
        let states = changes.map(move |reached| Ok(response(reached || live, false)));
        let draining = self.draining.clone();
        let last = stream::once(async { Ok(response(false, true)) });
        Ok(Response::new(Box::pin(states.take_until(draining.cancelled_owned()).chain(last))))
    }
}
