//! Handing events to a process: a durable pull consumer with explicit acknowledgement.
//!
//! Invariant: an event is handed out until it is acknowledged, over restarts of process and server.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::message::{AckKind, Acker};
use futures::StreamExt;

use super::Connection;
use super::retry::Backoff;
use crate::{Delivery, DeliveryStream, Filter, ReadError, RecordedEvent, is_token};

/// Events under way to one process: few, for each waits for those before it while its time to be acknowledged runs.
const BATCH: usize = 32;
/// Events handed out and not acknowledged, over all processes of a name.
const MAX_ACK_PENDING: i64 = 1024;
const HEARTBEAT: Duration = Duration::from_secs(1);
const EXPIRES: Duration = Duration::from_secs(30);

struct Consumption {
    log: Arc<Connection>,
    name: String,
    subjects: Vec<String>,
    messages: Option<Stream>,
    backoff: Backoff,
}

pub(super) async fn consume(log: Arc<Connection>, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
    if !is_token(name) {
        return Err(ReadError(format!("{name:?} can't name a consumer: use 1 to 128 of A-Z a-z 0-9 _ ~ -")));
    }
    let subjects = log.subjects(filter)?;
    let mut consumption = Consumption { log, name: name.to_owned(), subjects, messages: None, backoff: Backoff::new() };
    consumption.messages = Some(consumption.open().await?);
    let deliveries = futures::stream::unfold(consumption, |mut consumption| async move {
        let delivery: Box<dyn Delivery> = Box::new(consumption.next().await);
        Some((Ok(delivery), consumption))
    });
    Ok(deliveries.boxed())
}

impl Consumption {
    async fn next(&mut self) -> Handed {
        loop {
            let Some(messages) = &mut self.messages else {
                self.backoff.wait().await;
                match self.open().await {
                    Ok(messages) => self.messages = Some(messages),
                    Err(error) => tracing::warn!(%error, consumer = self.name, "can't consume the log, trying again"),
                }
                continue;
            };
            match messages.next().await {
                Some(Ok(message)) => match Handed::new(&self.log, message) {
                    Ok(handed) => {
                        self.backoff.reset();
                        return handed;
                    }
                    Err(error) => tracing::error!(%error, consumer = self.name, "a delivery can't be understood"),
                },
                Some(Err(error)) => {
                    tracing::debug!(%error, consumer = self.name, "deliveries stopped, asking again");
                    self.messages = None;
                }
                None => self.messages = None,
            }
        }
    }

    async fn open(&self) -> Result<Stream, ReadError> {
        let consumer = Config {
            durable_name: Some(self.name.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.log.ack_wait,
            max_ack_pending: MAX_ACK_PENDING,
            filter_subjects: self.subjects.clone(),
            ..Default::default()
        };
        // Creates it, or brings an existing one up to date where it goes on.
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

struct Handed {
    event: RecordedEvent,
    attempt: u64,
    acker: Acker,
}

impl Handed {
    fn new(log: &Connection, message: jetstream::Message) -> Result<Self, async_nats::Error> {
        let info = message.info()?;
        let (position, attempt) = (info.stream_sequence, u64::try_from(info.delivered)?);
        let (message, acker) = message.split();
        let event = log.recorded(position, &message.subject, message.headers.as_ref(), message.payload);
        Ok(Self { event, attempt, acker })
    }
}

#[async_trait::async_trait]
impl Delivery for Handed {
    fn event(&self) -> &RecordedEvent {
        &self.event
    }

    fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Waits for the server's word: an event that was reported as done does not come again.
    async fn ack(&self) -> Result<(), ReadError> {
        self.acker.double_ack().await.map_err(|error| ReadError(error.to_string()))
    }

    async fn retry(&self, delay: Duration) -> Result<(), ReadError> {
        self.acker.ack_with(AckKind::Nak(Some(delay))).await.map_err(|error| ReadError(error.to_string()))
    }
}
