//! Reading: the events of an aggregate by batched direct get, and one event by its position.
//!
//! Invariant: what is read has no gaps; an answer that lacks a message is an error, never a shorter history. An aggregate
//! is read as it was when it was asked for, or newer: where there are replicas, which may lag behind, the leader tells how
//! far there is to read. Only [`Connection::read_from_any`] does without it.

use async_nats::client::Request;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::{Message, StatusCode, header};
use futures::future::try_join;
use tokio::time::timeout;

use super::Connection;
use super::retry::Backoff;
use crate::{Position, ReadError, RecordedEvent, Subject};

/// Most events of one batched get: an aggregate's whole life as a rule, and few enough that many at once do not
/// overflow the inbox (65 536 messages).
const BATCH: usize = 512;

pub(super) const BATCH_END: u16 = 204;
const NUM_PENDING: &str = "Nats-Num-Pending";

impl Connection {
    pub(super) async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reached()?;
        let subject = self.subject(subject);
        let mut events = Vec::new();
        if !self.replicated {
            self.read_batches(&subject, after, &mut events).await?;
            return Ok(events);
        }
        let reading = async {
            let (last, ()) = try_join(self.last_of(&subject), self.read_past(&subject, after, &mut events)).await?;
            let mut backoff = Backoff::new();
            while events.last().map_or(after, |event| event.position) < last {
                backoff.wait().await;
                self.read_past(&subject, after, &mut events).await?;
            }
            Ok(events)
        };
        timeout(self.timeout, reading).await.unwrap_or_else(|_| Err(self.silent()))
    }

    /// Those events that some replica has.
    pub(super) async fn read_from_any(
        &self,
        subject: &Subject,
        after: Position,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reached()?;
        let (subject, mut events) = (self.subject(subject), Vec::new());
        if !self.replicated {
            self.read_batches(&subject, after, &mut events).await?;
            return Ok(events);
        }
        let read = timeout(self.timeout, self.read_past(&subject, after, &mut events)).await;
        read.unwrap_or_else(|_| Err(self.silent())).map(|()| events)
    }

    /// Position of the subject's last event, by the leader; 0 if it has none.
    pub(super) async fn last_of(&self, subject: &str) -> Result<Position, ReadError> {
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(unreadable)?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// The events that one replica or another has. Past one that hangs another is asked, for it is the server that chooses
    /// among them, and at random.
    async fn read_past(
        &self,
        subject: &str,
        after: Position,
        events: &mut Vec<RecordedEvent>,
    ) -> Result<(), ReadError> {
        loop {
            events.clear();
            match timeout(self.timeout / 5, self.read_batches(subject, after, events)).await {
                Ok(read) => return read,
                Err(_) => tracing::debug!(subject, "a replica does not answer, asking again"),
            }
        }
    }

    /// All events of the subject, as one replica has them.
    async fn read_batches(
        &self,
        subject: &str,
        after: Position,
        events: &mut Vec<RecordedEvent>,
    ) -> Result<(), ReadError> {
        let mut after = after;
        loop {
            let more = self.read_batch(subject, after, events).await?;
            match events.last() {
                Some(last) if more && last.position > after => after = last.position,
                _ if more => return Err(ReadError("the server announces events and does not send them".to_owned())),
                _ => return Ok(()),
            }
        }
    }

    fn silent(&self) -> ReadError {
        ReadError(format!("no answer within {:?}", self.timeout))
    }

    /// Adds the next batch of the subject's events, and answers whether there are more.
    async fn read_batch(
        &self,
        subject: &str,
        after: Position,
        events: &mut Vec<RecordedEvent>,
    ) -> Result<bool, ReadError> {
        let mut route = self.inbox.route();
        let first = after + 1;
        // The subject is made of tokens that need no quoting.
        let request = format!(r#"{{"seq":{first},"next_by_subj":"{subject}","batch":{BATCH}}}"#);
        let reply = std::mem::take(&mut route.reply);
        self.client.publish_with_reply(self.direct_get.clone(), reply, request.into()).await.map_err(unreadable)?;
        let mut previous = 0;
        loop {
            let message = timeout(self.timeout, route.next())
                .await
                .map_err(|_| self.silent())?
                .ok_or_else(|| ReadError("the connection to NATS is closed".to_owned()))?;
            match message.status.map(|status| status.as_u16()) {
                None => {}
                Some(BATCH_END) => {
                    gapless(&message, previous)?;
                    return Ok(number(&message, NUM_PENDING)? > 0);
                }
                Some(_) if message.status == Some(StatusCode::NOT_FOUND) => return Ok(false),
                Some(_) => return Err(refused(&message)),
            }
            gapless(&message, previous)?;
            let event = self.stored(message)?;
            previous = event.position;
            events.push(event);
        }
    }

    pub(super) async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        if position == 0 {
            return Ok(None);
        }
        self.reached()?;
        let request = Request::new().payload(format!(r#"{{"seq":{position}}}"#).into()).timeout(Some(self.timeout));
        let message = self.client.send_request(self.direct_get.clone(), request).await.map_err(unreadable)?;
        match message.status {
            None => Ok(Some(self.stored(message)?)),
            // A replica that lags says so too; the leader knows.
            Some(StatusCode::NOT_FOUND) => self.get_from_leader(position).await,
            Some(_) => Err(refused(&message)),
        }
    }

    async fn get_from_leader(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(unreadable)?;
        match stream.get_raw_message(position).await {
            Ok(StreamMessage { subject, sequence, headers, payload, .. }) => {
                Ok(Some(self.recorded(sequence, &subject, Some(&headers), payload)))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// The event in an answer to a direct get, which tells subject and position in headers.
    fn stored(&self, message: Message) -> Result<RecordedEvent, ReadError> {
        let position = number(&message, header::NATS_SEQUENCE)?;
        let headers = message.headers.as_ref();
        let subject = headers
            .and_then(|headers| headers.get(header::NATS_SUBJECT))
            .ok_or_else(|| ReadError("the answer names no subject".to_owned()))?;
        Ok(self.recorded(position, subject.as_str(), headers, message.payload))
    }
}

/// Every message of a batch names the one before it, the first names 0: a message that the client had to drop is noticed.
pub(super) fn gapless(message: &Message, previous: Position) -> Result<(), ReadError> {
    let named = number(message, header::NATS_LAST_SEQUENCE)?;
    if named == previous {
        return Ok(());
    }
    Err(ReadError(format!("an answer was lost: {named} came after {previous}")))
}

pub(super) fn number(message: &Message, name: impl header::IntoHeaderName) -> Result<u64, ReadError> {
    message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(name))
        .and_then(|value| value.as_str().parse().ok())
        .ok_or_else(|| ReadError("the answer lacks a number".to_owned()))
}

pub(super) fn refused(message: &Message) -> ReadError {
    let status = message.status.map(|status| status.as_u16()).unwrap_or_default();
    ReadError(format!("{status} {}", message.description.as_deref().unwrap_or_default()))
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> ReadError {
    ReadError(error.to_string())
}
