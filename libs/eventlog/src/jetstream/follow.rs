//! Following the log: an ephemeral pull consumer, made anew from the last position whenever anything is odd.
//!
//! Invariant: positions handed out only rise, and nothing between them that the filter lets through is left out: the
//! consumer numbers its deliveries, and a gap in the numbers ends it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::{Message, jetstream};
use futures::StreamExt;
use uuid::Uuid;

use super::Connection;
use super::pull::{EXPIRES, Pull};
use super::retry::Backoff;
use crate::{EventStream, Filter, Followed, Position, ReadError};

/// Most events that are sent for at once: enough to hide the round trip, and few enough for the client to buffer.
const BATCH: usize = 4096;
struct Follower {
    log: Arc<Connection>,
    subjects: Vec<String>,
    /// Position of the last event handed out.
    last: Position,
    consumption: Option<Consumption>,
    backoff: Backoff,
}

/// A consumer that lives as long as nothing is odd.
struct Consumption {
    pull: Pull,
    /// How many events it has delivered.
    delivered: u64,
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
            match consumption.pull.next().await {
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
        #[expect(clippy::disallowed_methods, reason = "names a consumer that nobody asks for by name")]
        let name = format!("follower-{}", Uuid::new_v4().simple());
        let config = Config {
            // The server can forbid to touch another's consumer where the request is for a named one alone.
            name: Some(name),
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
        let pull = self.log.pull(config, BATCH, Duration::ZERO).await?;
        Ok(Consumption { pull, delivered: 0 })
    }
}
