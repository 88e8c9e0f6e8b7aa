//! The gate before a service that is still being put together.
//!
//! Invariant: whoever comes before it is open is told at once that it is not and when to come again; nobody waits.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use tandem_proto::common::v1::ErrorReason;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Layer, Service};

use crate::error::status;
use crate::methods;

/// What is behind it once it is open.
pub(crate) struct Behind {
    pub(crate) routes: Routes,
    /// Full names of the gRPC services.
    pub(crate) names: BTreeSet<&'static str>,
}

/// Opened once. Health alone is before it.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<OnceLock<Behind>>);

impl Gate {
    /// Opens it. It does not close, nor open a second time.
    pub(crate) fn open(&self, behind: Behind) {
        // Whoever runs a service opens its gate once.
        let _ = self.0.set(behind);
    }

    /// Names of the gRPC services behind it; none while it is closed.
    pub(crate) fn names(&self) -> Option<&BTreeSet<&'static str>> {
        self.0.get().map(|behind| &behind.names)
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, outside: S) -> Gated<S> {
        Gated { outside, gate: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Gated<S> {
    outside: S,
    gate: Gate,
}

impl<S> Service<Request<Body>> for Gated<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<
        S::Future,
        Either<<Routes as Service<Request<Body>>>::Future, Ready<Result<Response<Body>, Infallible>>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes are always ready.
        self.outside.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if methods::is_health(request.uri().path()) {
            return Either::Left(self.outside.call(request));
        }
        Either::Right(match self.gate.0.get() {
            Some(behind) => Either::Left(behind.routes.clone().call(request)),
            None => {
                let message = "The service is starting: it waits for the log. Repeat after the delay.";
                Either::Right(ready(Ok(status(ErrorReason::LogUnavailable, message).into_http())))
            }
        })
    }
}
