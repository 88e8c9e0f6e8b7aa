//! A span and a measurement for each request, and an answer even if its handler panics.
//!
//! Invariant: neither holds anything of the message, the metadata or the token.

use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Either};
use http::{Request, Response};
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tandem_eventlog::trace;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::error::Problem;
use crate::methods;

#[derive(Clone)]
pub(crate) struct RpcLayer {
    duration: Histogram<f64>,
}

impl RpcLayer {
    /// Measures with the meter that is global by then.
    pub(crate) fn new() -> Self {
        let meter = global::meter("tandem");
        let duration = meter.f64_histogram("rpc.server.duration").with_unit("ms");
        Self { duration: duration.with_description("Time from a request to the start of its answer").build() }
    }
}

impl<S> Layer<S> for RpcLayer {
    type Service = Rpc<S>;

    fn layer(&self, inner: S) -> Rpc<S> {
        Rpc { inner, duration: self.duration.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Rpc<S> {
    inner: S,
    duration: Histogram<f64>,
}

impl<S> Service<Request<Body>> for Rpc<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if methods::is_open(path) {
            return Either::Left(self.inner.call(request));
        }
        let begin = Instant::now();
        // Paths that are no methods of ours could be anything, and are not made into names.
        let method = methods::find(path).map_or("unknown", |method| method.name.as_str());
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.method = method,
            rpc.grpc.status_code = Empty,
        );
        if let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
            trace::set_remote_parent(&span, parent);
        }
        let duration = self.duration.clone();
        let answer = span.in_scope(|| self.inner.call(request));
        let answered = async move {
            let answer = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
                // The panic hook has written where.
                Ok(Status::from(Problem::internal("a handler panicked")).into_http())
            });
            let code = answer.as_ref().map_or(Code::Internal, code);
            record(&duration, method, code, begin);
            answer
        };
        Either::Right(Box::pin(answered.instrument(span)))
    }
}

/// What an answer that has begun says; streams may still fail.
fn code(answer: &Response<Body>) -> Code {
    answer.headers().get(Status::GRPC_STATUS).map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

fn record(duration: &Histogram<f64>, method: &'static str, code: Code, begin: Instant) {
    let number = i64::from(i32::from(code));
    let span = Span::current();
    span.record("rpc.grpc.status_code", number);
    // As OpenTelemetry's conventions for gRPC servers have it: what is the client's fault is no error here.
    if matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    ) {
        span.record("otel.status_code", "ERROR");
    }
    let attributes = [
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.method", method),
        KeyValue::new("rpc.grpc.status_code", number),
    ];
    duration.record(begin.elapsed().as_secs_f64() * 1000.0, &attributes);
}
