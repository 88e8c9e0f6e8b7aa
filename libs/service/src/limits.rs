//! What a process takes on: so many requests at a time, each for so long.
//!
//! Invariant: a request over the limit is answered at once, and one over its deadline in time for the client to hear of
//! it; none waits for nothing.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, Either};
use http::{Request, Response};
use tandem_client::parse_grpc_timeout;
use tandem_proto::common::v1::ErrorReason;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use crate::config::Limits;
use crate::error::status;
use crate::methods;

/// Longer than anything takes that is worth waiting for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// When a request ends; in its extensions.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

#[derive(Clone)]
pub(crate) struct LimitLayer {
    requests: Arc<Semaphore>,
    timeout: Duration,
}

impl LimitLayer {
    pub(crate) fn new(limits: &Limits) -> Self {
        let permits = limits.max_concurrent_requests.min(Semaphore::MAX_PERMITS);
        Self { requests: Arc::new(Semaphore::new(permits)), timeout: limits.request_timeout }
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
        if methods::is_open(request.uri().path()) {
            return Either::Left(self.inner.call(request));
        }
        let Ok(permit) = Arc::clone(&self.limits.requests).try_acquire_owned() else {
            let message = "Too many requests at once. Repeat after the delay.";
            return Either::Right(Either::Right(ready(Ok(status(ErrorReason::Overloaded, message).into_http()))));
        };
        let client = request.headers().get("grpc-timeout").and_then(parse_grpc_timeout).map(in_time);
        let long_running = methods::find(request.uri().path()).is_some_and(|method| method.long_running);
        let own = if long_running { LONGEST } else { self.limits.timeout };
        let deadline = Instant::now() + client.map_or(own, |client| client.min(own));
        request.extensions_mut().insert(Deadline(deadline));
        let answer = self.inner.call(request);
        Either::Right(Either::Left(Box::pin(async move {
            // Until the answer begins; what streams then is bounded by flow control.
            let _permit = permit;
            let answered = timeout_at(deadline, answer).await.unwrap_or_else(|_| {
                let message =
                    "The deadline has passed. A write may still have happened: repeat it with the same request_id.";
                Ok(status(ErrorReason::Deadline, message).into_http())
            });
            answered.map(in_our_words)
        })))
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
