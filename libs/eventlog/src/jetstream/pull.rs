//! Pulling from a consumer: all that is there is sent for at once, and at the end of the log a single message is waited for.
//!
//! Invariant: at most one request is under way, so what comes while nobody asks stays with the server, and whoever asks
//! again later gets it together.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::{BatchConfig, Config};
use async_nats::{Message, StatusCode, Subject, Subscriber};
use futures::StreamExt;
use tokio::time::{Instant, timeout};

use super::Connection;
use crate::ReadError;

/// How often an idle server says that it is there. Twice this time without a word, and the consumer is given up.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long one request waits.
pub(super) const EXPIRES: Duration = Duration::from_secs(30);

/// A consumer, and what was asked of it.
pub(super) struct Pull {
    consumer: PullConsumer,
    inbox: Subscriber,
    subject: Subject,
    /// Most messages that are sent for at once.
    batch: usize,
    /// How many it may still send by the last request; none is under way if 0.
    requested: usize,
    /// Whether its end was reached, so that there is nothing but to wait for a message to come.
    drained: bool,
    /// How long what follows such a message is left with the server, to come together.
    linger: Duration,
    /// Until when it is.
    resume: Instant,
}

/// What a consumer sends.
enum Sent {
    Message(Message),
    /// Nothing more by this request.
    End,
    /// It is there.
    Heartbeat,
}

impl Connection {
    /// Makes a consumer, or brings a durable one up to date where it goes on. `batch` messages are sent for at once; what
    /// follows a message that was waited for is left to come together for so long.
    pub(super) async fn pull(&self, config: Config, batch: usize, linger: Duration) -> Result<Pull, ReadError> {
        self.reached()?;
        let consumer = self.context.create_consumer_on_stream(config, &*self.stream).await.map_err(unreadable)?;
        let subject = Subject::from(self.client.new_inbox());
        let inbox = self.client.subscribe(subject.clone()).await.map_err(unreadable)?;
        let resume = Instant::now();
        Ok(Pull { consumer, inbox, subject, batch, requested: 0, drained: false, linger, resume })
    }
}

impl Pull {
    /// The next message. After an error the consumer is of no more use.
    pub(super) async fn next(&mut self) -> Result<Message, ReadError> {
        loop {
            if self.requested == 0 {
                self.request().await?;
            }
            let message = timeout(HEARTBEAT * 2, self.inbox.next()).await;
            let message = message.map_err(|_| ReadError("the server is silent".to_owned()))?;
            match sent(message.ok_or_else(|| ReadError("the subscription ended".to_owned()))?)? {
                Sent::Message(message) => {
                    self.requested -= 1;
                    if std::mem::take(&mut self.drained) {
                        self.resume = Instant::now() + self.linger;
                    }
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
            tokio::time::sleep_until(self.resume).await;
            BatchConfig { batch: self.batch, no_wait: true, ..Default::default() }
        };
        self.requested = request.batch;
        self.consumer.request_batch(request, self.subject.clone()).await.map_err(unreadable)
    }
}

fn sent(message: Message) -> Result<Sent, ReadError> {
    match message.status {
        None | Some(StatusCode::OK) => Ok(Sent::Message(message)),
        Some(StatusCode::IDLE_HEARTBEAT) => Ok(Sent::Heartbeat),
        Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => Ok(Sent::End),
        Some(status) => {
            let description = message.description.unwrap_or_default();
            // Until one of those that are handed out is acknowledged there is nothing.
            if status == StatusCode::REQUEST_TERMINATED && description.contains("MaxAckPending") {
                return Ok(Sent::End);
            }
            Err(ReadError(format!("{status} {description}")))
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> ReadError {
    ReadError(error.to_string())
}
