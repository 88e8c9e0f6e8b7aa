//! Events for tests, in the shape of real ones.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{Append, Envelope, Kind, NewEvent, Position, Subject};

/// A kind for tests.
pub const CONTRACT: Kind = Kind { context: "contracts", aggregate: "contract" };
/// Another kind for tests.
pub const EARNING: Kind = Kind { context: "payouts", aggregate: "earning" };

/// An envelope with every attribute filled in; `id` is the event's id and its request's.
#[must_use]
pub fn envelope(id: &str) -> Envelope {
    Envelope {
        id: id.to_owned(),
        event_type: "tandem.contracts.v1.ContractSigned".to_owned(),
        resource: "contracts/c1".to_owned(),
        time: Timestamp::UNIX_EPOCH,
        actor: "users/ada".to_owned(),
        command: "tandem.contracts.v1.ContractService/SignContract".to_owned(),
        reason: "both agreed".to_owned(),
        request_id: id.to_owned(),
        request_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        correlation_id: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned(),
        causation_id: "0190163d-8694-739b-aea5-966c26f8ad90".to_owned(),
        partnership: "partnerships/acme~zoe".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        test_clock: true,
    }
}

/// An event to `subject`, told from others by `id`, which is its payload too.
#[must_use]
pub fn event(subject: &Subject, id: &str) -> NewEvent {
    let envelope = Envelope { resource: format!("{}/{}", subject.kind().context, subject.id()), ..envelope(id) };
    NewEvent { subject: subject.clone(), envelope, payload: Bytes::copy_from_slice(id.as_bytes()) }
}

/// One part of an append: events with these ids to `subject` if its last position is `expected`.
#[must_use]
pub fn part(subject: &Subject, expected: Position, ids: &[&str]) -> Append {
    Append { expected, events: ids.iter().map(|id| event(subject, id)).collect() }
}
