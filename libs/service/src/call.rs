//! A request as a handler sees it.
//!
//! Invariant: tenant and actor come from the token, never from the request; a message reaches a handler only if it
//! keeps the rules of its proto file.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Aggregate, CommandMeta};
use tandem_eventlog::{Position, Positions, ambient, trace};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::{FieldViolation, RequestMessage};
use tokio::time::Instant;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Request, Response, Status};

use crate::auth::{Admitted, Caller};
use crate::error::Problem;
use crate::limits::Deadline;

/// Request metadata: positions that a list must have read.
pub(crate) const READ_AFTER: &str = "tandem-read-after";
/// Response metadata: where a write stands in the log.
const POSITION: &str = "tandem-position";
/// Request metadata: what the request belongs to.
const CORRELATION_ID: &str = "tandem-correlation-id";
/// Request metadata, from services only: the event that the request follows from.
const CAUSATION_ID: &str = "tandem-causation-id";

/// Request metadata, under the development key only: the time at which the request is to happen, RFC 3339.
const TEST_CLOCK: &str = "tandem-test-clock";

/// A request that was admitted and is valid.
#[derive(Debug)]
pub struct Call<M> {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// What they ask for.
    pub message: M,
    /// What goes into the log beside the event, if the call is a command.
    pub meta: CommandMeta,
    /// Writes that the caller has seen: a view must have read them before it answers.
    pub read_after: Positions,
    /// When the caller stops waiting, or the service does.
    pub deadline: Instant,
    /// What the message names; for error details.
    resource: String,
}

impl<M: RequestMessage> Call<M> {
    /// Takes the request of a handler.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that names all fields at fault. INTERNAL if the request did not come through this crate's
    /// server.
    #[expect(clippy::disallowed_methods, reason = "the edge, where requests get their time and id")]
    pub fn accept(request: Request<M>) -> Result<Self, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let (Some(admitted), Some(Deadline(deadline))) = (extensions.get::<Admitted>(), extensions.get::<Deadline>())
        else {
            return Err(Problem::internal("a request came past the authorization layer").into());
        };
        let mut violations = message.violations();
        if message.request_id().bytes().any(|byte| !byte.is_ascii_graphic()) {
            violations.push(FieldViolation::new("request_id", "must be of printable ASCII without spaces; use a UUID"));
        }
        let correlation_id = text(&metadata, CORRELATION_ID, &mut violations);
        let causation_id = text(&metadata, CAUSATION_ID, &mut violations);
        let test_clock = text(&metadata, TEST_CLOCK, &mut violations);
        let test_clock = match test_clock {
            "" => None,
            _ if !admitted.caller.test_clock => {
                violations.push(FieldViolation::new(TEST_CLOCK, "is for tokens of the development key alone"));
                None
            }
            time => time.parse::<Timestamp>().map_or_else(
                |_| {
                    violations.push(FieldViolation::new(TEST_CLOCK, "must be an instant as 2026-09-01T09:00:00Z"));
                    None
                },
                Some,
            ),
        };
        let read_after = metadata.get(READ_AFTER).map_or(Ok(Positions::default()), |value| {
            value.to_str().unwrap_or("?").parse::<Positions>().map_err(Problem::from)
        })?;
        if !violations.is_empty() {
            return Err(Problem::fields(violations).into());
        }
        let caller = Arc::clone(&admitted.caller);
        let mut meta = CommandMeta {
            tenant: caller.tenant.clone(),
            actor: caller.actor.clone(),
            command: admitted.method.name.clone(),
            reason: message.reason().to_owned(),
            request_id: message.request_id().to_owned(),
            request_hash: String::new(),
            correlation_id: correlation_id.to_owned(),
            // Anyone else could make up causes.
            causation_id: if caller.is_service() { causation_id.to_owned() } else { String::new() },
            traceparent: trace::current_traceparent(),
            etag: message.etag().to_owned(),
            time: test_clock.unwrap_or_else(ambient::now),
            test_clock: test_clock.is_some(),
        };
        if meta.request_id.is_empty() {
            // Nobody knows it, so nobody can repeat it: a fingerprint would never be compared.
            meta.request_id = ambient::new_id().to_string();
        } else {
            meta.request_hash = fingerprint(&admitted.method.name, &message);
        }
        if meta.correlation_id.is_empty() {
            meta.correlation_id.clone_from(&meta.request_id);
        }
        let resource = message.name().to_owned();
        Ok(Self { caller, message, meta, read_after, deadline: *deadline, resource })
    }
}

impl<M> Call<M> {
    /// What the client is told of an error, about the resource that the request names.
    pub fn error(&self, error: impl Into<Problem>) -> Status {
        error.into().about(&self.resource).into()
    }

    /// INVALID_ARGUMENT, for a field that a rule of the proto file can't judge.
    #[must_use]
    pub fn invalid(&self, field: &str, description: &str) -> Status {
        self.error(vec![FieldViolation::new(field, description)])
    }

    /// NOT_FOUND, for a resource of this name.
    #[must_use]
    pub fn not_found(&self, name: &str) -> Status {
        Problem::new(ErrorReason::ResourceNotFound, format!("{name} does not exist.")).about(name).into()
    }

    /// The id of what the call creates: the one given, else one made from tenant and request id, which is the same
    /// whenever the request is repeated, and in no other tenant.
    #[must_use]
    pub fn new_id(&self, given: &str) -> String {
        if !given.is_empty() {
            return given.to_owned();
        }
        short_hash([self.caller.tenant.as_bytes(), self.meta.request_id.as_bytes()])
    }

    /// The answer to a write of one aggregate, with its position for the caller's next list.
    pub fn written<A: Aggregate, T>(&self, message: T, position: Position) -> Response<T> {
        let mut positions = Positions::default();
        positions.insert(A::KIND, position);
        self.written_at(message, &positions)
    }

    /// The answer to a write of several aggregates.
    pub fn written_at<T>(&self, message: T, positions: &Positions) -> Response<T> {
        let mut response = Response::new(message);
        if let Ok(value) = AsciiMetadataValue::try_from(positions.to_string()) {
            response.metadata_mut().insert(POSITION, value);
        }
        response
    }
}

/// Metadata that goes into the log: short, printable ASCII.
fn text<'a>(metadata: &'a MetadataMap, key: &'static str, violations: &mut Vec<FieldViolation>) -> &'a str {
    let Some(value) = metadata.get(key) else { return "" };
    match value.to_str() {
        Ok(text) if text.len() <= 128 => text,
        _ => {
            violations.push(FieldViolation::new(key, "must be of at most 128 printable ASCII characters"));
            ""
        }
    }
}

/// Tells a request from another with the same id: by method and body.
fn fingerprint(method: &str, message: &impl RequestMessage) -> String {
    short_hash([method.as_bytes(), &message.encode_to_vec()])
}

/// 128 bits of a SHA-256 over two parts, the first of which has no NUL, in lower-case hex.
fn short_hash(parts: [&[u8]; 2]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut hash = Sha256::new();
    hash.update(parts[0]);
    hash.update([0]);
    hash.update(parts[1]);
    let mut out = String::with_capacity(32);
    for byte in &hash.finalize()[..16] {
        out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]].map(char::from));
    }
    out
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
