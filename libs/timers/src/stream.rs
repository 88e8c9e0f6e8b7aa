//! The stream in which timers wait and fire.
//!
//! Invariant: a timer stays in it until it has fired, and a fired one until it is acknowledged.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header;
use async_nats::jetstream::consumer::pull::{Config as ConsumerConfig, MessagesError};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::{AckKind, Acker};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, Message};
use futures::StreamExt as _;
use tandem_eventlog::{Kind, StreamFault};

use crate::queue::{Fired, FiredStream, QueueError, TimerQueue};
use crate::timer::{Timer, fired_subjects};

/// Fired timers under way to one process; each waits for those before it while its time to be acknowledged runs.
const BATCH: usize = 32;
const HEARTBEAT: Duration = Duration::from_secs(1);
const EXPIRES: Duration = Duration::from_secs(30);

/// Which stream holds the timers, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct TimerStreamOptions {
    /// Name of the stream that is the log; the timers' is `<log>-timers`.
    pub log: String,
    /// Copies of the stream if it is created: 1 or, on a cluster, 3 or 5.
    pub replicas: usize,
    /// How long an answer of the server is waited for.
    pub timeout: Duration,
    /// After how long a fired timer that nobody has acknowledged is handed out again.
    pub ack_wait: Duration,
}

impl Default for TimerStreamOptions {
    fn default() -> Self {
        Self {
            log: "tandem".to_owned(),
            replicas: 1,
            timeout: Duration::from_secs(5),
            ack_wait: Duration::from_secs(30),
        }
    }
}

/// Why there is no stream for timers.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be created or asked.
    #[error("the stream {name} can't be opened: {reason}")]
    Unavailable {
        /// The stream.
        name: String,
        /// What NATS said.
        reason: String,
    },
    /// There is a stream of this name that would lose timers, or never fire them.
    #[error("the stream {name} can't hold timers: {}; make it so, or delete it to have it made anew", list(faults))]
    Unfit {
        /// The stream.
        name: String,
        /// The settings that it needs and has not.
        faults: Vec<StreamFault>,
    },
}

fn list(faults: &[StreamFault]) -> String {
    faults.iter().map(|fault| fault.what).collect::<Vec<_>>().join(", ")
}

/// Name of the stream that holds the timers of a log.
#[must_use]
pub fn timer_stream(log: &str) -> String {
    format!("{log}-timers")
}

/// The timers of all services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TimerStream {
    context: Context,
    name: String,
    ack_wait: Duration,
}

impl TimerStream {
    /// Opens the stream, which is made if it is missing.
    ///
    /// # Errors
    /// If the stream can't be had, or is one that could lose timers: see [`OpenError`].
    pub async fn open(client: async_nats::Client, options: TimerStreamOptions) -> Result<Self, OpenError> {
        let name = timer_stream(&options.log);
        let mut context = jetstream::new(client);
        context.set_timeout(options.timeout);
        let stream = context
            .get_or_create_stream(wanted(&name, options.replicas))
            .await
            .map_err(|error| OpenError::Unavailable { name: name.clone(), reason: error.to_string() })?;
        let faults = timer_faults(&stream.cached_info().config);
        if !faults.is_empty() {
            return Err(OpenError::Unfit { name, faults });
        }
        Ok(Self { context, name, ack_wait: options.ack_wait })
    }
}

#[async_trait::async_trait]
impl TimerQueue for TimerStream {
    async fn arm(&self, kind: Kind, timer: &Timer) -> Result<(), QueueError> {
        let subject = timer.armed_subject(&self.name, kind).map_err(QueueError::new)?;
        let target = timer.fired_subject(&self.name, kind).map_err(QueueError::new)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_SCHEDULE, format!("@at {}", timer.due));
        headers.insert(header::NATS_SCHEDULE_TARGET, target);
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        let payload = serde_json::to_vec(timer).map_err(QueueError::new)?;
        let published = self.context.publish_with_headers(subject, headers, payload.into()).await;
        match published.map_err(QueueError::new)?.await {
            Ok(_) => Ok(()),
            // It waits already.
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(()),
            Err(error) => Err(QueueError::new(error)),
        }
    }

    async fn fired(&self, kind: Kind, consumer: &str) -> Result<FiredStream, QueueError> {
        let config = ConsumerConfig {
            durable_name: Some(consumer.to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // What waits to be tried again holds up nothing else.
            max_ack_pending: -1,
            filter_subject: fired_subjects(&self.name, kind),
            ..Default::default()
        };
        // Creates it, or brings an existing one up to date where it goes on.
        let consumer = self.context.create_consumer_on_stream(config, &*self.name).await.map_err(QueueError::new)?;
        let messages = consumer.stream().max_messages_per_batch(BATCH).expires(EXPIRES).heartbeat(HEARTBEAT);
        let messages = messages.messages().await.map_err(QueueError::new)?;
        Ok(messages.filter_map(handed).boxed())
    }
}

/// A fired timer; none if what fired is no timer.
async fn handed(message: Result<Message, MessagesError>) -> Option<Result<Box<dyn Fired>, QueueError>> {
    let message = match message {
        Ok(message) => message,
        Err(error) => return Some(Err(QueueError::new(error))),
    };
    let attempt = message.info().map_or(1, |info| u64::try_from(info.delivered).unwrap_or(1));
    let (message, acker) = message.split();
    match serde_json::from_slice(&message.payload) {
        Ok(timer) => Some(Ok(Box::new(Handed { timer, attempt, acker }))),
        Err(error) => {
            // Somebody else wrote it: it will never be one.
            tracing::error!(subject = %message.subject, %error, "what fired is no timer; it is put away");
            if let Err(error) = acker.ack_with(AckKind::Term).await {
                tracing::warn!(%error, "acknowledgement lost; it will come again");
            }
            None
        }
    }
}

struct Handed {
    timer: Timer,
    attempt: u64,
    acker: Acker,
}

#[async_trait::async_trait]
impl Fired for Handed {
    fn timer(&self) -> &Timer {
        &self.timer
    }

    fn attempt(&self) -> u64 {
        self.attempt
    }

    async fn ack(&self) -> Result<(), QueueError> {
        self.acker.double_ack().await.map_err(QueueError::new)
    }

    async fn retry(&self, delay: Duration) -> Result<(), QueueError> {
        self.acker.ack_with(AckKind::Nak(Some(delay))).await.map_err(QueueError::new)
    }
}

fn wanted(name: &str, replicas: usize) -> Config {
    Config {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        storage: StorageType::File,
        // What has fired is removed once it is acknowledged; what waits has no consumer and stays.
        retention: RetentionPolicy::WorkQueue,
        // Scheduling demands it; without limits nothing is ever discarded.
        discard: DiscardPolicy::Old,
        num_replicas: replicas,
        allow_message_schedules: true,
        ..Default::default()
    }
}

/// What keeps a stream from holding timers.
#[must_use]
pub fn timer_faults(config: &Config) -> Vec<StreamFault> {
    let needed = [
        (config.subjects == [format!("{}.>", config.name)], StreamFault::SUBJECTS),
        (
            config.allow_message_schedules,
            StreamFault {
                what: "allow_msg_schedules is off (it needs nats-server 2.12)",
                why: "no timer would ever fire",
                option: Some("--allow-schedules"),
            },
        ),
        (
            config.retention == RetentionPolicy::WorkQueue,
            StreamFault {
                what: "its retention is not workqueue",
                why: "what has fired would stay for ever",
                option: None,
            },
        ),
        (StreamFault::is_unlimited(config), StreamFault::LIMITED),
        (!config.no_ack, StreamFault::NO_ACK),
        (!config.sealed, StreamFault::SEALED),
        (config.storage == StorageType::File, StreamFault::IN_MEMORY),
    ];
    needed.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault).collect()
}
