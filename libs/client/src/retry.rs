//! Retries: what failed in passing is tried again.
//!
//! Invariant: only a call that may be done twice (by its method's `idempotency_level`) is sent twice, and only after an
//! error that says nothing about the request itself.

use std::time::Duration;

use tandem_proto::common::v1::ErrorReason;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use crate::call::{Call, Concern, Exchange, Reply};
use crate::deadline;
use crate::error::{reason_of, retry_delay_of};

/// How often, and after what time, a call is tried again. Its deadline bounds it in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of a call, the first included; 1 is no retry.
    pub attempts: u32,
    /// Wait before the second try; each further wait is twice as long. A random part of it, up to half, is left off, so
    /// that clients that failed together don't come back together.
    pub backoff: Duration,
    /// The longest wait. One that a server asks for (`google.rpc.RetryInfo`) comes on top.
    pub max_backoff: Duration,
    /// Time that one try may take; if none, all that is left to the deadline.
    pub attempt_timeout: Option<Duration>,
}

impl Default for RetryPolicy {
    /// Ten tries within at most eight seconds: a service that restarts is waited for.
    fn default() -> Self {
        Self {
            attempts: 10,
            backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            attempt_timeout: None,
        }
    }
}

impl RetryPolicy {
    /// No retries.
    pub const NEVER: Self =
        Self { attempts: 1, backoff: Duration::ZERO, max_backoff: Duration::ZERO, attempt_timeout: None };

    async fn attempt<S: Exchange>(&self, mut call: Call, next: S) -> Result<Reply, Status> {
        let Some(timeout) = self.attempt_timeout else { return next.oneshot(call).await };
        let end = Instant::now() + timeout;
        if call.deadline.is_some_and(|deadline| deadline <= end) {
            return next.oneshot(call).await;
        }
        call.deadline = Some(end);
        timeout_at(end, next.oneshot(call)).await.unwrap_or_else(|_| Err(deadline::exceeded(timeout)))
    }

    /// How long to wait after the n-th try failed with this; none if that is final.
    fn delay(&self, error: &Status, attempt: u32) -> Option<Duration> {
        let asked = retry_delay_of(error);
        let transient = match error.code() {
            Code::Unavailable | Code::DeadlineExceeded => true,
            Code::Aborted => reason_of(error) == Some(ErrorReason::ConcurrentWrites),
            Code::ResourceExhausted => asked.is_some(),
            _ => false,
        };
        let backoff = self.backoff.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(self.max_backoff);
        transient.then(|| asked.unwrap_or_default().saturating_add(backoff.mul_f64(1.0 - fastrand::f64() / 2.0)))
    }
}

impl Concern for RetryPolicy {
    async fn carry<S: Exchange>(&self, mut call: Call, next: S) -> Result<Reply, Status> {
        if !call.repeatable {
            return next.oneshot(call).await;
        }
        let mut attempt = 1;
        loop {
            let again = if attempt < self.attempts { call.try_clone() } else { None };
            let error = match self.attempt(call, next.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(again) = again else { return Err(error) };
            let Some(delay) = self.delay(&error, attempt) else { return Err(error) };
            let Some(resume) = Instant::now().checked_add(delay) else { return Err(error) };
            if again.deadline.is_some_and(|deadline| deadline <= resume) {
                return Err(error);
            }
            tracing::debug!(method = again.head.uri.path(), attempt, ?delay, %error, "trying again");
            sleep(delay).await;
            attempt += 1;
            call = again;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tonic::body::Body;
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;
    use crate::error::status;

    #[tokio::test]
    async fn what_may_not_be_done_twice_is_tried_once() {
        let policy = RetryPolicy { attempts: 3, backoff: Duration::from_millis(1), ..RetryPolicy::default() };
        for (repeatable, expected) in [(false, 1), (true, 3)] {
            let tries = Arc::new(AtomicU32::new(0));
            let counted = tries.clone();
            let down = tower::service_fn(move |_: Call| {
                counted.fetch_add(1, Ordering::Relaxed);
                ready(Err::<Reply, _>(Status::unavailable("down")))
            });
            let request = http::Request::post("/tandem.creators.v1.CreatorService/MergeCreators");
            let mut call = Call::from_request(request.body(Body::empty()).unwrap()).await.unwrap();
            call.repeatable = repeatable;

            assert_eq!(policy.carry(call, down).await.unwrap_err().code(), Code::Unavailable);
            assert_eq!(tries.load(Ordering::Relaxed), expected);
        }
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        let policy = RetryPolicy::default();
        let retried = |error: Status| policy.delay(&error, 1).is_some();
        assert!(retried(Status::unavailable("")));
        assert!(retried(Status::deadline_exceeded("")));
        assert!(retried(status(Code::Aborted, ErrorReason::ConcurrentWrites, "")));
        assert!(!retried(status(Code::Aborted, ErrorReason::EtagMismatch, "")));
        assert!(!retried(Status::resource_exhausted("a quota, not load")));
        for code in [
            Code::InvalidArgument,
            Code::FailedPrecondition,
            Code::Internal,
            Code::Unknown,
            Code::Cancelled,
            Code::DataLoss,
            Code::PermissionDenied,
            Code::Unauthenticated,
        ] {
            assert!(!retried(Status::new(code, "")), "{code}");
        }
    }

    #[test]
    fn the_wait_doubles_up_to_a_limit() {
        let policy = RetryPolicy::default();
        for (attempt, milliseconds) in [(1, 50), (2, 100), (3, 200), (6, 1600), (7, 2000), (40, 2000)] {
            let (most, delay) = (Duration::from_millis(milliseconds), policy.delay(&Status::unavailable(""), attempt));
            assert!((most / 2..=most).contains(&delay.unwrap()), "{attempt}: {delay:?}");
        }
    }

    #[test]
    fn a_server_that_names_a_delay_gets_it_and_more() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
        let error = Status::with_error_details(Code::ResourceExhausted, "", details);
        let delay = RetryPolicy::default().delay(&error, 1).unwrap();
        assert!((Duration::from_millis(3025)..=Duration::from_millis(3050)).contains(&delay), "{delay:?}");
    }
}
