//! Appending: a guarded publish for one event (or a place in a batch that others share: [`super::group`]), an atomic batch
//! for more.
//!
//! Invariant: `Conflict` and `Unavailable` are answered only when nothing was written; every doubt is `Unknown`.

use std::sync::Arc;

use async_nats::client::{Request, RequestError, RequestErrorKind};
use async_nats::{HeaderMap, Message, header};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

use super::Connection;
use crate::{Append, AppendError, NewEvent, Position, headers};

/// The last sequence of the subject is not the one expected.
const WRONG_LAST_SEQUENCE: u64 = 10071;
/// The same, as a replicated stream says it while another write to the subject is under way.
const WRONG_LAST_SEQUENCE_CONSTANT: u64 = 10164;
/// A batch repeats the id of a message: an earlier attempt may have got through.
const BATCH_DUPLICATE: u64 = 10201;

/// The server's answer to a publish.
#[derive(Deserialize)]
struct PubAck {
    error: Option<Refusal>,
    #[serde(default)]
    seq: Position,
}

#[derive(Deserialize)]
struct Refusal {
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Connection {
    pub(super) async fn append(self: &Arc<Self>, mut parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        Append::check(&parts)?;
        let total: usize = parts.iter().map(|part| part.events.len()).sum();
        match (total, parts.pop()) {
            (1, Some(mut part)) => match part.events.pop() {
                Some(event) => Ok(vec![self.one(part.expected, event).await?]),
                None => Ok(Vec::new()),
            },
            (_, last) => {
                parts.extend(last);
                self.batch(parts, total).await
            }
        }
    }

    pub(super) async fn single(&self, expected: Position, event: NewEvent) -> Result<Position, AppendError> {
        // When it is sent, not when it was asked for: it may have waited to share a batch, which then could not be had.
        self.reached().map_err(|error| uncommitted(error.0))?;
        let mut headers = headers::encode(&event.envelope, event.subject.kind().context);
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let reply = self.ask(self.subject(&event.subject), headers, event.payload).await.map_err(unanswered)?;
        acknowledged(&reply)
    }

    /// The first message is a request, for its answer tells whether a batch can be had at all; the last one commits and
    /// is answered for all. Those between are not answered, and a gap among them fails the commit.
    pub(super) async fn batch(&self, parts: Vec<Append>, total: usize) -> Result<Vec<Position>, AppendError> {
        self.reached().map_err(|error| uncommitted(error.0))?;
        #[expect(clippy::disallowed_methods, reason = "names a batch on the wire; nothing is decided by it")]
        let id = Uuid::new_v4().simple().to_string();
        let sizes: Vec<usize> = parts.iter().map(|part| part.events.len()).collect();
        let mut last = 0;
        let mut number = 0;
        for Append { expected, events } in parts {
            let mut guard = Some(expected);
            for event in events {
                number += 1;
                let mut headers = headers::encode(&event.envelope, event.subject.kind().context);
                headers.insert(header::NATS_BATCH_ID, id.as_str());
                headers.insert(header::NATS_BATCH_SEQUENCE, number.to_string());
                // The batch is checked against the stream as it was before: one guard for a subject covers all of it.
                if let Some(expected) = guard.take() {
                    headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
                }
                let subject = self.subject(&event.subject);
                if number == total {
                    headers.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
                    let reply = self.ask(subject, headers, event.payload).await.map_err(unanswered)?;
                    last = acknowledged(&reply)?;
                } else if number == 1 {
                    let reply = self.ask(subject, headers, event.payload).await.map_err(uncommitted)?;
                    if !reply.payload.is_empty() {
                        acknowledged(&reply)?;
                    }
                } else {
                    self.client.publish_with_headers(subject, headers, event.payload).await.map_err(uncommitted)?;
                }
            }
        }
        // The batch stands in the log without a gap, and the answer is the position of its last event.
        let before = last - total as Position;
        let ends = sizes.into_iter().scan(before, |end, size| {
            *end += size as Position;
            Some(*end)
        });
        Ok(ends.collect())
    }

    async fn ask(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<Message, RequestError> {
        let request = Request::new().headers(headers).payload(payload).timeout(Some(self.timeout));
        self.client.send_request(subject, request).await
    }
}

/// Nothing was sent; or without a commit, by which a batch is forgotten by the server.
fn uncommitted(error: impl std::fmt::Display) -> AppendError {
    AppendError::Unavailable(error.to_string())
}

fn unanswered(error: RequestError) -> AppendError {
    match error.kind() {
        RequestErrorKind::NoResponders => AppendError::Unavailable("no stream takes it".to_owned()),
        RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
            AppendError::Unavailable(error.to_string())
        }
        RequestErrorKind::TimedOut | RequestErrorKind::Other => AppendError::Unknown(error.to_string()),
    }
}

fn acknowledged(reply: &Message) -> Result<Position, AppendError> {
    let ack: PubAck = serde_json::from_slice(&reply.payload)
        .map_err(|error| AppendError::Unknown(format!("strange answer: {error}")))?;
    match ack.error {
        Some(Refusal { err_code: WRONG_LAST_SEQUENCE | WRONG_LAST_SEQUENCE_CONSTANT, .. }) => {
            Err(AppendError::Conflict)
        }
        Some(Refusal { err_code: BATCH_DUPLICATE, description }) => Err(AppendError::Unknown(description)),
        Some(Refusal { err_code, description }) => {
            Err(AppendError::Unavailable(format!("{description} (NATS error {err_code})")))
        }
        None if ack.seq == 0 => Err(AppendError::Unknown("the answer has no position".to_owned())),
        None => Ok(ack.seq),
    }
}
