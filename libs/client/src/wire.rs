//! The wire: one try of a call over HTTP/2.
//!
//! Invariant: the outcome is judged here once. Whatever form an error has (trailers only, trailers, an HTTP status of a
//! proxy, a lost connection), what comes out is an `Err`; a unary reply that comes out is complete.

use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status, TimeoutExpired};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::call::{Call, Reply};
use crate::deadline::{self, GRPC_TIMEOUT};

/// By how much a timer at the other end may be ahead of ours.
const TIMER_RESOLUTION: Duration = Duration::from_millis(2);

/// What carries requests to a service in place of a connection; an error is a connection that was lost.
pub type Carrier = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, std::io::Error>;

/// A connection to a service; made when first needed, and anew when it is lost.
#[derive(Clone)]
pub(crate) struct Wire {
    carried: Carried,
    address: Arc<str>,
}

#[derive(Clone)]
enum Carried {
    Connection(Channel),
    Otherwise(Carrier),
}

impl Wire {
    pub(crate) fn new(channel: Channel, address: &str) -> Self {
        Self { carried: Carried::Connection(channel), address: address.into() }
    }

    pub(crate) fn carried_by(carrier: Carrier, address: &str) -> Self {
        Self { carried: Carried::Otherwise(carrier), address: address.into() }
    }

    async fn exchange(self, mut call: Call) -> Result<Reply, Status> {
        let Some(deadline) = call.deadline else { return self.reply(call).await };
        let left = deadline.saturating_duration_since(Instant::now());
        call.head.headers.insert(GRPC_TIMEOUT, deadline::header(left));
        self.reply(call).await.map_err(|error| match error.code() {
            // tonic's word for it, at both ends of the wire. No one else cancels a call that is waited for.
            Code::Cancelled if deadline <= Instant::now() + TIMER_RESOLUTION => deadline::exceeded(left),
            _ => error,
        })
    }

    async fn reply(self, call: Call) -> Result<Reply, Status> {
        let (unary, request) = (call.method.is_unary(), call.into_request());
        let reply = match self.carried {
            Carried::Connection(channel) => channel.oneshot(request).await.map_err(|error| lost(&self.address, error)),
            Carried::Otherwise(carrier) => carrier.oneshot(request).await.map_err(|error| lost(&self.address, error)),
        }?;
        refused(&reply)?;
        if !unary {
            return Ok(reply);
        }
        // The reply may be lost with half of it read. Only here can it still be asked for again.
        let (head, body) = reply.into_parts();
        let body = body.collect().await.map_err(|error| lost(&self.address, error))?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        if let Some(error) = Status::from_header_map(&trailers).filter(|status| status.code() != Code::Ok) {
            return Err(error);
        }
        let body = Full::new(body.to_bytes()).with_trailers(async move { Some(Ok(trailers)) });
        Ok(Reply::from_parts(head, Body::new(body)))
    }
}

impl Service<Call> for Wire {
    type Response = Reply;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Reply, Status>>;

    /// Always ready, as [`With`](crate::call::With) is.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        Box::pin(self.clone().exchange(call))
    }
}

/// The error that the head of a reply tells, be it of the service or of a proxy before it.
fn refused(reply: &Reply) -> Result<(), Status> {
    if let Some(status) = Status::from_header_map(reply.headers()) {
        return if status.code() == Code::Ok { Ok(()) } else { Err(status) };
    }
    // As in gRPC's doc/http-grpc-status-mapping.md.
    let code = match reply.status() {
        StatusCode::OK => return Ok(()),
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    Err(Status::new(code, format!("HTTP status {} instead of a gRPC reply", reply.status())))
}

/// The error of a request that may or may not have arrived.
fn lost(address: &str, error: impl Error + Send + Sync + 'static) -> Status {
    if causes(&error).any(|cause| cause.is::<TimeoutExpired>()) {
        return Status::cancelled(format!("no reply from {address} in time"));
    }
    let innermost = causes(&error).last().map(ToString::to_string).unwrap_or_default();
    let mut status = Status::unavailable(format!("no reply from {address}: {innermost}"));
    status.set_source(Arc::new(error));
    status
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| <dyn Error>::source(*error))
}
