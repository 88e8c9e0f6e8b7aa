//! Alarms, the log that they are kept in, and replicas of the service that lets them go off.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use futures::StreamExt as _;
use jiff::Timestamp;
use tandem_aggregate::{AggregateCache, CommandMeta, Executor, Process, run_processes};
use tandem_eventlog::{EventLog, JetStreamLog, JetStreamOptions, RecordedEvent, Subject};
use tandem_nats_server::NatsServer;
use tandem_timers::{TimerStream, TimerStreamOptions, Timers};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::alarm::{Alarm, Command};
use tandem_aggregate::Aggregate as _;

pub const TENANT: &str = "acme";
pub const WENT_OFF: &str = "tandem.campaigns.v1.ReviewOverdue";

pub struct World {
    pub nats: NatsServer,
    pub client: async_nats::Client,
    pub log: Arc<dyn EventLog>,
    pub executor: Arc<Executor<Alarm>>,
}

/// A replica of the service.
pub struct Replica {
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Replica {
    pub async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap();
    }
}

pub fn from_now(millis: i64) -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_millis(millis)
}

pub fn meta(time: Timestamp, test_clock: bool) -> CommandMeta {
    CommandMeta {
        tenant: TENANT.to_owned(),
        actor: "users/ada".to_owned(),
        command: "test".to_owned(),
        reason: String::new(),
        request_id: uuid::Uuid::now_v7().to_string(),
        request_hash: String::new(),
        correlation_id: "correlation".to_owned(),
        causation_id: String::new(),
        traceparent: String::new(),
        etag: String::new(),
        time,
        test_clock,
    }
}

impl World {
    pub async fn new() -> Self {
        Self::opened(Self::unopened().await).await
    }

    /// A server without a log.
    pub async fn unopened() -> (NatsServer, async_nats::Client) {
        let nats = NatsServer::builder().start().await.unwrap();
        let client = async_nats::connect(nats.url()).await.unwrap();
        (nats, client)
    }

    /// With the log that is there, or a new one.
    pub async fn opened((nats, client): (NatsServer, async_nats::Client)) -> Self {
        let options = JetStreamOptions { ack_wait: Duration::from_secs(2), ..Default::default() };
        let log = Arc::new(JetStreamLog::open(client.clone(), options).await.unwrap());
        Self::over(nats, client, log)
    }

    pub fn over(nats: NatsServer, client: async_nats::Client, log: Arc<dyn EventLog>) -> Self {
        let executor = Arc::new(Executor::new(Arc::clone(&log), AggregateCache::with_bytes(1 << 20)));
        Self { nats, client, log, executor }
    }

    /// Starts a replica, with an executor of its own.
    pub async fn replica(&self) -> Replica {
        let options = TimerStreamOptions { ack_wait: Duration::from_secs(2), ..Default::default() };
        let stream = Arc::new(TimerStream::open(self.client.clone(), options).await.unwrap());
        let stopping = CancellationToken::new();
        let cache = AggregateCache::with_bytes(1 << 20);
        let timers = Timers::new(Arc::new(Executor::<Alarm>::new(Arc::clone(&self.log), cache)));
        let arming: [Arc<dyn Process>; 1] = [Arc::new(timers.arming("test", stream.clone()))];
        let (log, stop) = (Arc::clone(&self.log), stopping.clone());
        let task = tokio::spawn(async move {
            let arm = run_processes("test", &arming, log, stop.clone());
            tokio::join!(arm, timers.run("test", stream, stop.clone()));
        });
        Replica { stopping, task }
    }

    pub async fn set(&self, id: &str, due: Option<Timestamp>) {
        self.set_by(id, due, &meta(Timestamp::now(), false)).await;
    }

    pub async fn set_by(&self, id: &str, due: Option<Timestamp>, meta: &CommandMeta) {
        self.executor.execute(id, &Command::Set(due), meta).await.unwrap();
    }

    /// All that has happened to an alarm.
    pub async fn events(&self, id: &str) -> Vec<RecordedEvent> {
        self.log.read(&Subject::new(TENANT, Alarm::KIND, id).unwrap(), 0).await.unwrap()
    }

    /// How often an alarm has gone off.
    pub async fn times(&self, id: &str) -> usize {
        self.events(id).await.iter().filter(|event| event.envelope.event_type == WENT_OFF).count()
    }

    /// All events, as soon as the log can be reached.
    async fn followed(&self) -> tandem_eventlog::EventStream {
        let following = async {
            loop {
                match self.log.follow(&tandem_eventlog::Filter::default(), 0).await {
                    Ok(followed) => break followed,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), following).await.unwrap()
    }

    /// Waits until an alarm has gone off.
    pub async fn goes_off(&self, id: &str) -> RecordedEvent {
        let subject = format!("{TENANT}.{}.{id}", Alarm::KIND);
        let mut found =
            self.followed().await.filter_map(|event| std::future::ready(event.ok())).filter(|event| {
                std::future::ready(*event.subject == *subject && event.envelope.event_type == WENT_OFF)
            });
        let event = tokio::time::timeout(Duration::from_secs(60), found.next()).await.unwrap().unwrap();
        event.event
    }

    /// Timers below `<stream>.<part>`.
    pub async fn waiting(&self, part: &str) -> usize {
        let stream = jetstream::new(self.client.clone()).get_stream_no_info("tandem-timers").await.unwrap();
        let Ok(info) = stream.info_with_subjects(format!("tandem-timers.{part}.>")).await else { return usize::MAX };
        info.count().await
    }

    /// Waits until so many timers wait (`armed`), or wait for somebody to act (`fired`).
    pub async fn until(&self, part: &str, count: usize) {
        let reached = async {
            while self.waiting(part).await != count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap();
    }

    /// Waits until all events have been looked at, and all timers have fired and been acted on.
    pub async fn settled(&self) {
        let context = jetstream::new(self.client.clone());
        let settled = async {
            loop {
                let consumer: Result<jetstream::consumer::PullConsumer, _> =
                    context.get_consumer_from_stream("test", "tandem").await;
                if let Ok(mut consumer) = consumer
                    && let Ok(info) = consumer.info().await
                    && (info.num_pending, info.num_ack_pending) == (0, 0)
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), settled).await.unwrap();
        self.until("armed", 0).await;
        self.until("fired", 0).await;
    }

    /// Lets the timer of an alarm fire by hand, as a server would that does it twice, or too early.
    pub async fn fire(&self, id: &str, due: Timestamp, position: u64) {
        let timer = format!(
            r#"{{"tenant":"{TENANT}","id":"{id}","due":"{due}","position":{position},"correlation_id":"","event_id":""}}"#
        );
        self.fire_text(id, &timer).await;
    }

    /// Lets anything fire.
    pub async fn fire_text(&self, id: &str, text: &str) {
        let subject = format!("tandem-timers.fired.{TENANT}.{}.{id}", Alarm::KIND);
        jetstream::new(self.client.clone()).publish(subject, text.to_owned().into()).await.unwrap().await.unwrap();
    }
}
