//! What is due is done by itself, and by hand through the service that every service with timers has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too, and lives by the clock"
)]

mod common;

use std::sync::Arc;

use common::{Bearer, reason};
use futures::StreamExt as _;
use jiff::Timestamp;
use tandem_aggregate::{Aggregate, AggregateCache, CommandMeta, Context, Executor, Refusal, Scheduled};
use tandem_eventlog::{Envelope, EventLog, Filter, JetStreamLog, JetStreamOptions, Kind};
use tandem_nats_server::NatsServer;
use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::campaigns::v1::{DraftSubmitted, ReviewOverdue};
use tandem_proto::common::v1::timer_service_client::TimerServiceClient;
use tandem_proto::common::v1::{ActOnDueRequest, ActOnDueResponse};
use tandem_proto::time::{from_proto, to_proto};
use tandem_service::testing::{Running, settings, token};
use tandem_service::{Environment, NoArgs, Service, Wired};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

/// Goes off once, at the time that it was set to.
#[derive(Clone, Debug, Default)]
struct Alarm(Option<Timestamp>);

enum Command {
    Set(Timestamp),
    Act,
}

impl Aggregate for Alarm {
    const KIND: Kind = Kind { context: "ringing", aggregate: "alarm" };
    const COLLECTION: &'static str = "alarms";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        Ok(match (command, self.0) {
            (Command::Set(due), _) => {
                let set = DraftSubmitted { review_due_time: Some(to_proto(*due)), ..Default::default() };
                vec![Event::DraftSubmitted(set)]
            }
            (Command::Act, Some(due)) if due <= context.time => vec![Event::ReviewOverdue(ReviewOverdue::default())],
            (Command::Act, _) => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &Event, _: &Envelope) {
        self.0 = match event {
            Event::DraftSubmitted(set) => set.review_due_time.as_ref().and_then(from_proto),
            _ => None,
        };
    }
}

impl Scheduled for Alarm {
    fn next_due(&self) -> Option<Timestamp> {
        self.0
    }

    fn act_on_due() -> Command {
        Command::Act
    }
}

struct Ringing;

#[tonic::async_trait]
impl Service for Ringing {
    const NAME: &'static str = "ringing";
    const DEFAULT_PORT: u16 = 0;
    type Args = NoArgs;

    async fn wire(env: &Environment, _: &NoArgs) -> anyhow::Result<Wired> {
        let alarms = Arc::new(env.executor::<Alarm>());
        Ok(Wired::new().timers(env.timers(&alarms).await?))
    }
}

struct World {
    _nats: NatsServer,
    _views: tempfile::TempDir,
    log: Arc<JetStreamLog>,
    running: Running,
}

impl World {
    async fn new() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let log = Arc::new(JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap());
        let views = tempfile::tempdir().unwrap();
        let running = Running::start::<Ringing>(settings(&nats.url(), views.path()), NoArgs {}).await.unwrap();
        Self { _nats: nats, _views: views, log, running }
    }

    /// Sets an alarm, under a test clock if it is told a time.
    async fn set(&self, id: &str, due: Timestamp, told: Option<Timestamp>) {
        let meta = CommandMeta {
            tenant: "acme".to_owned(),
            actor: "users/ada".to_owned(),
            command: "test".to_owned(),
            reason: String::new(),
            request_id: uuid::Uuid::now_v7().to_string(),
            request_hash: String::new(),
            correlation_id: String::new(),
            causation_id: String::new(),
            traceparent: String::new(),
            etag: String::new(),
            time: told.unwrap_or_else(Timestamp::now),
            test_clock: told.is_some(),
        };
        let executor =
            Executor::<Alarm>::new(Arc::clone(&self.log) as Arc<dyn EventLog>, AggregateCache::with_bytes(1 << 20));
        executor.execute(id, &Command::Set(due), &meta).await.unwrap();
    }

    fn client(&self, tenant: &str, permissions: &[&str]) -> TimerServiceClient<InterceptedService<Channel, Bearer>> {
        TimerServiceClient::with_interceptor(self.running.channel(), Bearer(token("users/ada", tenant, permissions)))
    }

    /// Asks, at a time of the test clock.
    async fn act(&self, name: &str, request_id: &str, at: &str) -> Result<Response<ActOnDueResponse>, Status> {
        let message = ActOnDueRequest { name: name.to_owned(), request_id: request_id.to_owned() };
        let mut request = Request::new(message);
        request.metadata_mut().insert("tandem-test-clock", at.parse().unwrap());
        self.client("acme", &["timers.act"]).act_on_due(request).await
    }
}

#[tokio::test]
async fn an_alarm_goes_off_by_itself() {
    let world = World::new().await;
    world.set("a", Timestamp::now() + jiff::SignedDuration::from_millis(200), None).await;
    let mut events = world.log.follow(&Filter::default(), 0).await.unwrap();
    let next = async {
        loop {
            let event = events.next().await.unwrap().unwrap().event;
            if event.envelope.event_type.ends_with("ReviewOverdue") {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(std::time::Duration::from_secs(30), next).await.unwrap();
    assert_eq!(event.envelope.actor, "services/ringing");
    world.running.stop().await.unwrap();
}

#[tokio::test]
async fn by_hand_it_is_done_at_the_time_of_the_request() {
    let world = World::new().await;
    let due: Timestamp = "2020-02-01T00:00:00Z".parse().unwrap();
    world.set("a", due, Some("2020-01-01T00:00:00Z".parse().unwrap())).await;

    let early = world.act("alarms/a", "r1", "2020-01-31T23:59:59Z").await.unwrap().into_inner();
    assert_eq!(early, ActOnDueResponse { acted: false, next_due_time: Some(to_proto(due)) });
    let done = world.act("alarms/a", "r2", "2020-02-01T00:00:00Z").await.unwrap();
    let position = done.metadata().get("tandem-position").unwrap().to_str().unwrap().to_owned();
    assert_eq!(position, "ringing.alarm:2");
    assert_eq!(done.into_inner(), ActOnDueResponse { acted: true, next_due_time: None });
    // Repeated after a lost reply, and asked anew.
    let repeated = world.act("alarms/a", "r2", "2020-02-01T00:00:00Z").await.unwrap().into_inner();
    assert!(repeated.acted);
    let nothing = world.act("alarms/a", "r3", "2020-02-02T00:00:00Z").await.unwrap().into_inner();
    assert!(!nothing.acted);
    world.running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_not_allowed_refused() {
    let world = World::new().await;
    let due: Timestamp = "2020-02-01T00:00:00Z".parse().unwrap();
    world.set("a", due, Some(due)).await;
    for (name, told) in [
        ("alarms/b", "alarms/b does not exist"),
        ("clocks/a", "Time changes no clocks/a here, but alarms/{id}"),
        ("alarms", "alarms/{id}"),
    ] {
        let status = world.act(name, "", "2020-02-01T00:00:00Z").await.unwrap_err();
        assert_eq!((status.code(), &reason(&status)[..]), (Code::NotFound, "RESOURCE_NOT_FOUND"), "{name}");
        assert!(status.message().contains(told), "{status}");
    }
    let request = ActOnDueRequest { name: "alarms/a".to_owned(), request_id: String::new() };
    let other_tenant = world.client("other", &["timers.act"]).act_on_due(request.clone()).await.unwrap_err();
    assert_eq!(other_tenant.code(), Code::NotFound);
    let denied = world.client("acme", &["views.*"]).act_on_due(request).await.unwrap_err();
    assert_eq!((denied.code(), &reason(&denied)[..]), (Code::PermissionDenied, "PERMISSION_MISSING"));
    let wrong = world.act("alarms/a b", "", "2020-02-01T00:00:00Z").await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument, "{wrong}");
    world.running.stop().await.unwrap();
}
