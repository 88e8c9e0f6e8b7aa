//! Following the log: an ephemeral pull consumer, made anew from the last position whenever anything is odd.
//!
//! Invariant: positions handed out only rise, and nothing between them that the filter lets through is left out: the
//! consumer numbers its deliveries, and a gap in the numbers ends it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{BatchConfig, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::{Message, StatusCode, Subscriber, jetstream};
use futures::StreamExt;
use tokio::time::timeout;

use super::Connection;
use super::retry::Backoff;
use crate::{EventStream, Filter, Followed, Position, ReadError};

/// Most events that are sent for at once: enough to hide the round trip, and few enough for the client to buffer.
const BATCH: usize = 4096;
/// How often an idle server says that it is there. Twice this time without a word, and the consumer is made anew.
const HEARTBEAT: Duration = Duration::from_secs(1);
const EXPIRES: Duration = Duration::from_secs(30);

struct Follower {
    log: Arc<Connection>,
    subjects: Vec<String>,
    /// Position of the last event handed out.
    last: Position,
    consumption: Option<Consumption>,
    backoff: Backoff,
}

/// A consumer, and what was asked of it.
struct Consumption {
    consumer: PullConsumer,
    inbox: Subscriber,
    subject: async_nats::Subject,
    /// How many events it has delivered.
    delivered: u64,
    /// How many it may still send by the last request; none is under way if 0.
    requested: usize,
    /// Whether its end was reached, so that there is nothing but to wait for one to come.
    drained: bool,
}

/// What a consumer sends.
enum Sent {
    Event(Message),
    /// Nothing more by this request.
    End,
    /// It is there.
    Heartbeat,
}

pub(super) async fn follow(log: Arc<Connection>, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
    let subjects = log.subjects(filter)?;
    let mut follower = Follower { log, subjects, last: after, consumption: None, backoff: Backoff::new() };
    // The first time its failure is the caller's: a stream that is not there will not come back.
    follower.consumption = Some(follower.open().await?);
    let events = futures::stream::unfold(Box::new(follower), |mut follower| async move {
        let event = follower.next().await;
        Some((Ok(event), follower))
    });
    Ok(events.boxed())
}

impl Follower {
    async fn next(&mut self) -> Followed {
        loop {
            let Some(consumption) = &mut self.consumption else {
                self.backoff.wait().await;
                match self.open().await {
                    Ok(consumption) => self.consumption = Some(consumption),
                    Err(error) => tracing::warn!(%error, after = self.last, "can't follow the log, trying again"),
                }
                continue;
            };
            match consumption.next().await {
                Ok(message) => {
                    if let Some(event) = self.take(message) {
                        self.backoff.reset();
                        return event;
                    }
                    tracing::debug!(after = self.last, "a delivery is missing, asking again");
                }
                Err(error) => tracing::debug!(%error, after = self.last, "deliveries stopped, asking again"),
            }
            self.consumption = None;
        }
    }

    /// The event, if it is the next one.
    fn take(&mut self, message: Message) -> Option<Followed> {
        let consumption = self.consumption.as_mut()?;
        let message = jetstream::Message { message, context: self.log.context.clone() };
        let info = message.info().ok()?;
        let (position, more) = (info.stream_sequence, info.pending > 0);
        if info.consumer_sequence != consumption.delivered + 1 || position <= self.last {
            return None;
        }
        consumption.delivered += 1;
        self.last = position;
        let message = message.message;
        let event = self.log.recorded(position, &message.subject, message.headers.as_ref(), message.payload);
        Some(Followed { event, more })
    }

    async fn open(&self) -> Result<Consumption, ReadError> {
        let config = Config {
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
        let consumer =
            self.log.context.create_consumer_on_stream(config, &*self.log.stream).await.map_err(unreadable)?;
        let subject = async_nats::Subject::from(self.log.client.new_inbox());
        let inbox = self.log.client.subscribe(subject.clone()).await.map_err(unreadable)?;
        Ok(Consumption { consumer, inbox, subject, delivered: 0, requested: 0, drained: false })
    }
}

impl Consumption {
    /// The next event. All that is there is sent for at once; only at the end of the log a single one is waited for, so
    /// that what comes meanwhile stays with the server until somebody asks.
    async fn next(&mut self) -> Result<Message, ReadError> {
        loop {
            if self.requested == 0 {
                self.request().await?;
            }
            let message = timeout(HEARTBEAT * 2, self.inbox.next()).await;
            let message = message.map_err(|_| ReadError("the server is silent".to_owned()))?;
            match sent(message.ok_or_else(|| ReadError("the subscription ended".to_owned()))?)? {
                Sent::Event(message) => {
                    self.requested -= 1;
                    self.drained = false;
                    return Ok(message);
                }
                Sent::End => {
                    self.requested = 0;
                    self.drained = true;
                }
                Sent::Heartbeat => {}
            }
        }
    }

    async fn request(&mut self) -> Result<(), ReadError> {
        let request = if self.drained {
            BatchConfig { batch: 1, expires: Some(EXPIRES), idle_heartbeat: HEARTBEAT, ..Default::default() }
        } else {
            BatchConfig { batch: BATCH, no_wait: true, ..Default::default() }
        };
        self.requested = request.batch;
        self.consumer.request_batch(request, self.subject.clone()).await.map_err(unreadable)
    }
}

fn sent(message: Message) -> Result<Sent, ReadError> {
    match message.status {
        None | Some(StatusCode::OK) => Ok(Sent::Event(message)),
        Some(StatusCode::IDLE_HEARTBEAT) => Ok(Sent::Heartbeat),
        Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => Ok(Sent::End),
        Some(status) => Err(ReadError(format!("{status} {}", message.description.unwrap_or_default()))),
    }
}

fn unreadable(error: impl std::fmt::Display) -> ReadError {
    ReadError(error.to_string())
}
