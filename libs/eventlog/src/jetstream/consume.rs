//! Handing events to a process: a durable pull consumer with explicit acknowledgement.
//!
//! Invariant: an event is handed out until it is acknowledged, over restarts of process and server.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::message::{AckKind, Acker};
use async_nats::{Message, jetstream};
use futures::StreamExt;

use super::Connection;
use super::pull::Pull;
use super::retry::Backoff;
use crate::{Delivery, DeliveryStream, Filter, ReadError, RecordedEvent, is_token};

/// Events under way to one process: few, for each waits for those before it while its time to be acknowledged runs.
const BATCH: usize = 32;
/// Events handed out and not acknowledged, over all processes of a name: those that fail are among them until they are
/// handled, and must not be so many that nothing else is handed out.
const MAX_ACK_PENDING: i64 = 65_536;
/// A process that is woken for each event by itself slows down the commands beside it.
const LINGER: Duration = Duration::from_millis(20);

struct Consumption {
    log: Arc<Connection>,
    name: String,
    subjects: Vec<String>,
    pull: Option<Pull>,
    backoff: Backoff,
}

pub(super) async fn consume(log: Arc<Connection>, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
    if !is_token(name) {
        return Err(ReadError(format!("{name:?} can't name a consumer: use 1 to 128 of A-Z a-z 0-9 _ ~ -")));
    }
    let subjects = log.subjects(filter)?;
    let mut consumption = Consumption { log, name: name.to_owned(), subjects, pull: None, backoff: Backoff::new() };
    consumption.pull = Some(consumption.open().await?);
    let deliveries = futures::stream::unfold(consumption, |mut consumption| async move {
        let delivery: Box<dyn Delivery> = Box::new(consumption.next().await);
        Some((Ok(delivery), consumption))
    });
    Ok(deliveries.boxed())
}

impl Consumption {
    async fn next(&mut self) -> Handed {
        loop {
            let Some(pull) = &mut self.pull else {
                self.backoff.wait().await;
                match self.open().await {
                    Ok(pull) => self.pull = Some(pull),
                    Err(error) => tracing::warn!(%error, consumer = self.name, "can't consume the log, trying again"),
                }
                continue;
            };
            match pull.next().await {
                Ok(message) => match Handed::new(&self.log, message) {
                    Ok(handed) => {
                        self.backoff.reset();
                        return handed;
                    }
                    Err(error) => tracing::error!(%error, consumer = self.name, "a delivery can't be understood"),
                },
                Err(error) => {
                    tracing::debug!(%error, consumer = self.name, "deliveries stopped, asking again");
                    self.pull = None;
                }
            }
        }
    }

    async fn open(&self) -> Result<Pull, ReadError> {
        let config = Config {
            durable_name: Some(self.name.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.log.ack_wait,
            max_ack_pending: MAX_ACK_PENDING,
            filter_subjects: self.subjects.clone(),
            ..Default::default()
        };
        self.log.pull(config, BATCH, LINGER).await
    }
}

struct Handed {
    event: RecordedEvent,
    attempt: u64,
    acker: Acker,
}

impl Handed {
    fn new(log: &Connection, message: Message) -> Result<Self, async_nats::Error> {
        let message = jetstream::Message { message, context: log.context.clone() };
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

    /// Not waiting for the server's word: it would cost as much as the delivery, and whoever handles an event is prepared
    /// to see it again.
    async fn ack(&self) -> Result<(), ReadError> {
        self.acker.ack().await.map_err(|error| ReadError(error.to_string()))
    }

    async fn retry(&self, delay: Duration) -> Result<(), ReadError> {
        self.acker.ack_with(AckKind::Nak(Some(delay))).await.map_err(|error| ReadError(error.to_string()))
    }
}
