//! What a process takes on: so many requests at a time, each for so long.
//!
//! Invariant: a request over the limit is answered at once, and one over its deadline in time for the client to hear of
//! it; none waits for nothing.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, Either};
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tandem_client::parse_grpc_timeout;
use tandem_proto::common::v1::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::admission::{Admission, Full, Gate};
use crate::auth::Admitted;
use crate::config::Limits;
use crate::error::{Problem, status};

/// Longer than anything takes that is worth waiting for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// When a request ends; in its extensions.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Limits what [`AuthLayer`](crate::auth::AuthLayer) has let through; what that leaves open is not limited.
#[derive(Clone)]
pub(crate) struct LimitLayer {
    /// Until their answers begin; what streams then is bounded by flow control.
    requests: Arc<Gate>,
    /// Until their answers end: they may stream for days.
    long_running: Arc<Gate>,
    timeout: Duration,
    refusals: Arc<Refusals>,
}

impl LimitLayer {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            requests: Gate::new("request", limits.max_concurrent_requests),
            long_running: Gate::new("long_running", limits.max_long_running_requests),
            timeout: limits.request_timeout,
            refusals: Arc::new(Refusals::new()),
        }
    }
}

/// The answers to who is refused, made once: the more are refused, the less it may cost.
struct Refusals {
    tenant: HeaderMap,
    service: HeaderMap,
}

impl Refusals {
    fn new() -> Self {
        let headers = |limit: &str, who: &str| {
            let problem = Problem::new(
                ErrorReason::Overloaded,
                format!("{who} has too many requests under way at once. Repeat after the delay."),
            );
            Status::from(problem.with("limit", limit)).into_http::<Body>().into_parts().0.headers
        };
        Self { tenant: headers("tenant", "The tenant"), service: headers("service", "The service") }
    }

    fn answer(&self, full: Full) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        *answer.headers_mut() = match full {
            Full::Tenant => self.tenant.clone(),
            Full::Service => self.service.clone(),
        };
        answer
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limits: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Limited<S> {
    inner: S,
    limits: LimitLayer,
}

type Answer<E> = Result<Response<Body>, E>;

impl<S> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Either<BoxFuture<'static, Answer<S::Error>>, Ready<Answer<S::Error>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(Admitted { caller, method }) = request.extensions().get() else {
            // Open to all, and never shed.
            return Either::Left(self.inner.call(request));
        };
        let long_running = method.long_running;
        let gate = if long_running { &self.limits.long_running } else { &self.limits.requests };
        let admission = match gate.admit(caller) {
            Ok(admission) => admission,
            Err(full) => return Either::Right(Either::Right(ready(Ok(self.limits.refusals.answer(full))))),
        };
        let client = request.headers().get("grpc-timeout").and_then(parse_grpc_timeout).map(in_time);
        let own = if long_running { LONGEST } else { self.limits.timeout };
        let deadline = Instant::now() + client.map_or(own, |client| client.min(own));
        request.extensions_mut().insert(Deadline(deadline));
        let answer = self.inner.call(request);
        Either::Right(Either::Left(Box::pin(async move {
            let answered = timeout_at(deadline, answer).await.unwrap_or_else(|_| {
                let message =
                    "The deadline has passed. A write may still have happened: repeat it with the same request_id.";
                Ok(status(ErrorReason::Deadline, message).into_http())
            });
            let answer = in_our_words(answered?);
            Ok(if long_running { answer.map(|body| Body::new(Held { body, _admission: admission })) } else { answer })
        })))
    }
}

/// An answer that takes a place until it ends, or nobody wants the rest.
struct Held {
    body: Body,
    _admission: Admission,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A message that tonic itself did not take is the client's fault, and is answered like any other that is invalid.
fn in_our_words(answer: Response<Body>) -> Response<Body> {
    let headers = answer.headers();
    if !headers.contains_key(Status::GRPC_STATUS) || headers.contains_key("grpc-status-details-bin") {
        return answer;
    }
    let Some(refused) = Status::from_header_map(headers) else { return answer };
    let undecodable = refused.code() == Code::Internal && refused.message().starts_with("failed to decode");
    if refused.code() != Code::OutOfRange && !undecodable {
        return answer;
    }
    let message = format!("The message can't be taken: {}.", refused.message().trim_start_matches("Error, "));
    status(ErrorReason::FieldInvalid, message).into_http()
}

/// What is left for a handler, so that an answer to an expired deadline reaches the client before it has gone, and
/// before tonic, which watches the same header, says CANCELLED.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 20).min(Duration::from_millis(20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_reaches_the_client_in_time() {
        assert_eq!(in_time(Duration::from_millis(100)), Duration::from_millis(95));
        assert_eq!(in_time(Duration::from_secs(30)), Duration::from_millis(29_980));
        assert_eq!(in_time(Duration::ZERO), Duration::ZERO);
    }
}
