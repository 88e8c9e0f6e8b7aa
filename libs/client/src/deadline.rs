//! Deadlines: a unary call ends in time, with all its tries.
//!
//! Invariant: the server is told what is left (`grpc-timeout`), never more.

use std::time::Duration;

use http::HeaderValue;
use tandem_proto::common::v1::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use crate::call::{Call, Concern, Exchange, Reply};
use crate::error::status;

/// The header with which a caller sets the time of a call (`tonic::Request::set_timeout`), and tells it to the server.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Gives unary calls the caller's timeout, else this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Duration);

impl Concern for Deadline {
    async fn carry<S: Exchange>(&self, mut call: Call, next: S) -> Result<Reply, Status> {
        if !call.method.is_unary() {
            return next.oneshot(call).await;
        }
        let timeout = call.head.headers.get(GRPC_TIMEOUT).and_then(parse_grpc_timeout).unwrap_or(self.0);
        call.deadline = Instant::now().checked_add(timeout);
        let Some(deadline) = call.deadline else { return next.oneshot(call).await };
        timeout_at(deadline, next.oneshot(call)).await.unwrap_or_else(|_| Err(exceeded(timeout)))
    }
}

/// The error of a call that took longer.
pub(crate) fn exceeded(timeout: Duration) -> Status {
    let message =
        format!("no reply within {timeout:.1?}; a write may have happened: repeat it with the same request_id");
    status(Code::DeadlineExceeded, ErrorReason::Deadline, message)
}

/// The header's value for the time that is left, in the finest unit that fits its eight digits.
pub(crate) fn header(left: Duration) -> HeaderValue {
    let (value, unit) = [(left.as_micros(), 'u'), (left.as_millis(), 'm')]
        .into_iter()
        .find(|(value, _)| *value < 100_000_000)
        .unwrap_or((u128::from(left.as_secs()).min(99_999_999), 'S'));
    HeaderValue::try_from(format!("{value}{unit}")).unwrap_or(HeaderValue::from_static("0u"))
}

/// Reads `grpc-timeout` (gRPC over HTTP/2: at most eight digits and a unit); none if it is not one.
#[must_use]
pub fn parse_grpc_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_timeout_is_read() {
        let read = |text: &str| parse_grpc_timeout(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for text in ["", "m", "5", "5x", "123456789S", "-1S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_written_in_eight_digits() {
        assert_eq!(header(Duration::ZERO), "0u");
        assert_eq!(header(Duration::from_secs(10)), "10000000u");
        assert_eq!(header(Duration::from_secs(100)), "100000m");
        assert_eq!(header(Duration::from_secs(200_000)), "200000S");
    }
}
