//! Following the log: an ephemeral pull consumer, made anew from the last position whenever anything is odd.
//!
//! Invariant: positions handed out only rise, and nothing between them that the filter lets through is left out: the
//! consumer numbers its deliveries, and a gap in the numbers ends it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use futures::StreamExt;

use super::Connection;
use super::retry::Backoff;
use crate::{EventStream, Filter, Position, ReadError, RecordedEvent};

/// Most events under way to a follower: enough to hide the round trip, and few enough for the client to buffer.
const BATCH: usize = 4096;
/// How often an idle server says that it is there. Twice this time without a word, and the consumer is made anew.
const HEARTBEAT: Duration = Duration::from_secs(1);
const EXPIRES: Duration = Duration::from_secs(30);

struct Follower {
    log: Arc<Connection>,
    subjects: Vec<String>,
    /// Position of the last event handed out.
    last: Position,
    /// How many events this consumer has delivered.
    delivered: u64,
    messages: Option<Stream>,
    backoff: Backoff,
}

pub(super) async fn follow(log: Arc<Connection>, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
    let subjects = log.subjects(filter)?;
    let mut follower = Follower { log, subjects, last: after, delivered: 0, messages: None, backoff: Backoff::new() };
    // The first time its failure is the caller's: a stream that is not there will not come back.
    follower.messages = Some(follower.open().await?);
    let events = futures::stream::unfold(Box::new(follower), |mut follower| async move {
        let event = follower.next().await;
        Some((Ok(event), follower))
    });
    Ok(events.boxed())
}

impl Follower {
    async fn next(&mut self) -> RecordedEvent {
        loop {
            let Some(messages) = &mut self.messages else {
                self.backoff.wait().await;
                match self.open().await {
                    Ok(messages) => (self.messages, self.delivered) = (Some(messages), 0),
                    Err(error) => tracing::warn!(%error, after = self.last, "can't follow the log, trying again"),
                }
                continue;
            };
            match messages.next().await {
                Some(Ok(message)) => {
                    if let Some(event) = self.take(message) {
                        self.backoff.reset();
                        return event;
                    }
                    tracing::debug!(after = self.last, "a delivery is missing, asking again");
                }
                Some(Err(error)) => tracing::debug!(%error, after = self.last, "deliveries stopped, asking again"),
                None => tracing::debug!(after = self.last, "deliveries ended, asking again"),
            }
            self.messages = None;
        }
    }

    /// The event, if it is the next one.
    fn take(&mut self, message: jetstream::Message) -> Option<RecordedEvent> {
        let info = message.info().ok()?;
        let position = info.stream_sequence;
        if info.consumer_sequence != self.delivered + 1 || position <= self.last {
            return None;
        }
        self.delivered += 1;
        self.last = position;
        let message = message.message;
        Some(self.log.recorded(position, &message.subject, message.headers.as_ref(), message.payload))
    }

    async fn open(&self) -> Result<Stream, ReadError> {
        let consumer = Config {
            description: Some("follows the log".to_owned()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.last + 1 },
            ack_policy: AckPolicy::None,
            filter_subjects: self.subjects.clone(),
            // It is made anew when lost: no need to keep or replicate it.
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: EXPIRES,
            ..Default::default()
        };
        let consumer = self
            .log
            .context
            .create_consumer_on_stream(consumer, &*self.log.stream)
            .await
            .map_err(|error| ReadError(error.to_string()))?;
        consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| ReadError(error.to_string()))
    }
}
