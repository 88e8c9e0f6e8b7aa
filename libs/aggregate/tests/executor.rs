//! The executor over a log that loses replies and requests, conflicts, lags and takes its time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;
use tandem_aggregate::{Aggregate, AggregateCache, CommandMeta, Context, ExecuteError, Executor, Refusal};
use tandem_eventlog::{
    Append, AppendError, DeliveryStream, Envelope, EventLog, EventStream, Fault, Filter, Kind, MemoryLog, NewEvent,
    Position, ReadError, RecordedEvent, Subject,
};
use tandem_proto::campaigns::v1::campaign_event::Event;
use tandem_proto::campaigns::v1::{CampaignClosed, CampaignKpisSet};
use tandem_proto::common::v1::ErrorReason;

const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };

/// Counts what was asked of it until it is closed.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    count: u32,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Command {
    Count,
    /// Once something was counted.
    Close,
    /// Without effect.
    Look,
}

impl Aggregate for Tally {
    const KIND: Kind = KIND;
    const COLLECTION: &'static str = "campaigns";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Look => Ok(Vec::new()),
            _ if self.closed => {
                Err(Refusal::new(ErrorReason::StateForbids, format!("{} is closed.", context.resource)))
            }
            Command::Close if self.count == 0 => {
                Err(Refusal::new(ErrorReason::StateForbids, format!("{} has counted nothing.", context.resource)))
            }
            Command::Count => Ok(vec![Event::KpisSet(CampaignKpisSet::default())]),
            Command::Close => Ok(vec![Event::Closed(CampaignClosed {})]),
        }
    }

    fn evolve(&mut self, event: &Event, _: &Envelope) {
        match event {
            Event::KpisSet(_) => self.count += 1,
            _ => self.closed = true,
        }
    }
}

/// A log that counts how often it is read.
#[derive(Clone, Default)]
struct Counted {
    log: MemoryLog,
    /// Answers what any replica may answer; none if the log does.
    replica: Option<MemoryLog>,
    /// Of any replica.
    reads: Arc<AtomicUsize>,
    exact_reads: Arc<AtomicUsize>,
}

impl Counted {
    /// Reads of any replica, and exact ones.
    fn counts(&self) -> (usize, usize) {
        (self.reads.load(Ordering::Relaxed), self.exact_reads.load(Ordering::Relaxed))
    }
}

#[async_trait::async_trait]
impl EventLog for Counted {
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        self.log.append(parts).await
    }

    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.exact_reads.fetch_add(1, Ordering::Relaxed);
        self.log.read(subject, after).await
    }

    async fn read_from_any(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.replica.as_ref().unwrap_or(&self.log).read_from_any(subject, after).await
    }

    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        self.log.get(position).await
    }

    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        self.log.last_position(filter).await
    }

    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
        self.log.follow(filter, after).await
    }

    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
        self.log.consume(name, filter).await
    }
}

fn cache() -> AggregateCache {
    AggregateCache::with_bytes(1 << 20)
}

fn executor(log: &MemoryLog) -> Executor<Tally> {
    Executor::new(Arc::new(log.clone()), cache())
}

fn meta(request_id: &str) -> CommandMeta {
    CommandMeta {
        tenant: "acme".into(),
        actor: "users/ada".into(),
        command: "tandem.campaigns.v1.CampaignService/SetKpis".into(),
        reason: String::new(),
        request_id: request_id.into(),
        request_hash: "1".into(),
        correlation_id: request_id.into(),
        causation_id: String::new(),
        traceparent: String::new(),
        etag: String::new(),
        time: Timestamp::UNIX_EPOCH,
        test_clock: false,
    }
}

/// Repeats a command as a client does, until its outcome is known.
async fn surely(executor: &Executor<Tally>, command: Command, request_id: &str) -> Result<u32, ExecuteError> {
    loop {
        match executor.execute("c1", &command, &meta(request_id)).await {
            Err(ExecuteError::Unavailable(_) | ExecuteError::Contended) => {}
            outcome => return outcome.map(|outcome| outcome.loaded.state.count),
        }
    }
}

#[tokio::test]
async fn a_creation_reads_nothing() {
    let log = Counted::default();
    let executor = Executor::<Tally>::new(Arc::new(log.clone()), cache());
    let outcome = executor.execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    assert_eq!((outcome.loaded.state.count, outcome.loaded.position, outcome.written), (1, 1, true));
    assert_eq!(log.counts(), (0, 0));
    // Nor does a command on what is in memory.
    executor.execute("c1", &Command::Count, &meta("r2")).await.unwrap();
    assert_eq!(log.counts(), (0, 0));
}

#[tokio::test]
async fn what_is_not_in_memory_is_read_of_any_replica_and_exactly_before_a_refusal() {
    let log = Counted::default();
    let executor = || Executor::<Tally>::new(Arc::new(log.clone()), cache());
    executor().execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    // What needs something to be there, and finds it.
    executor().execute("c1", &Command::Close, &meta("r2")).await.unwrap();
    assert_eq!(log.counts(), (1, 0));
    let refused = executor().execute("c1", &Command::Count, &meta("r3")).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{refused:?}");
    assert_eq!(log.counts().1, 1);
}

#[tokio::test]
async fn what_is_in_memory_is_read_again_only_for_what_is_newer() {
    let log = Counted::default();
    let executor = Executor::<Tally>::new(Arc::new(log.clone()), cache());
    executor.execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    assert_eq!(executor.get_since("acme", "c1", 1).await.unwrap().state.count, 1);
    assert_eq!(log.counts(), (0, 0));
    // Another replica writes.
    let other = Executor::<Tally>::new(Arc::new(log.log.clone()), cache());
    other.execute("c1", &Command::Count, &meta("r2")).await.unwrap();
    let newer = executor.get_since("acme", "c1", 2).await.unwrap();
    assert_eq!((newer.state.count, newer.position, log.counts()), (2, 2, (1, 0)));
    // A replica of the log that lags is not enough.
    other.execute("c1", &Command::Count, &meta("r3")).await.unwrap();
    log.log.inject(Fault::StaleRead);
    assert_eq!(executor.get_since("acme", "c1", 3).await.unwrap().position, 3);
    assert_eq!(log.counts(), (2, 1));
}

#[tokio::test]
async fn how_it_was_is_not_told_by_a_replica_that_lags() {
    let log = MemoryLog::new();
    executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    log.inject(Fault::StaleRead);
    assert_eq!(executor(&log).get_at("acme", "c1", 1).await.unwrap().state.count, 1);
}

#[tokio::test]
async fn a_lost_reply_is_found_in_the_log() {
    let log = MemoryLog::new();
    log.inject(Fault::LostReply);
    let outcome = executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    assert_eq!((outcome.loaded.state.count, outcome.repeated, log.events().len()), (1, true, 1));
}

#[tokio::test]
async fn a_lost_request_is_sent_again() {
    let log = MemoryLog::new();
    log.inject(Fault::LostRequest);
    let outcome = executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    assert_eq!((outcome.loaded.state.count, outcome.written, log.events().len()), (1, true, 1));
}

#[tokio::test]
async fn a_stale_read_costs_a_conflict_and_nothing_worse() {
    let log = MemoryLog::new();
    executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    log.inject(Fault::StaleRead);
    // Another replica, which has nothing in memory.
    let outcome = executor(&log).execute("c1", &Command::Count, &meta("r2")).await.unwrap();
    assert_eq!((outcome.loaded.state.count, log.events().len()), (2, 2));
}

#[tokio::test]
async fn a_refusal_by_what_is_in_memory_is_not_believed() {
    let log = MemoryLog::new();
    let (old, new) = (executor(&log), executor(&log));
    old.execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    new.execute("c1", &Command::Close, &meta("r2")).await.unwrap();
    let refused = old.execute("c1", &Command::Count, &meta("r3")).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{refused:?}");
    assert_eq!(log.events().len(), 2);
}

/// The first service took the command and died before it could answer; the second asks a replica that has not heard of it.
#[tokio::test]
async fn a_repeated_command_that_was_taken_is_not_refused_because_a_replica_lags() {
    let log = MemoryLog::new();
    executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    executor(&log).execute("c1", &Command::Close, &meta("r2")).await.unwrap();
    for (command, request_id) in [(Command::Count, "r1"), (Command::Close, "r2")] {
        for known in 0..=2 {
            let behind = Counted { log: log.clone(), replica: Some(log.cut_off_at(known)), ..Counted::default() };
            let second = Executor::<Tally>::new(Arc::new(behind), cache());
            let repeated = second.execute("c1", &command, &meta(request_id)).await.unwrap();
            assert!(repeated.repeated, "{request_id}, {known} events");
        }
    }
    assert_eq!(log.events().len(), 2);
}

#[tokio::test]
async fn that_there_is_nothing_to_do_is_not_believed_of_a_replica_that_lags() {
    let log = MemoryLog::new();
    executor(&log).execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    log.inject(Fault::StaleRead);
    let looked = executor(&log).execute("c1", &Command::Look, &meta("r2")).await.unwrap();
    assert_eq!(looked.loaded.state.count, 1);
    log.inject(Fault::StaleRead);
    assert!(executor(&log).stage("c1", &Command::Count, &meta("r1")).await.unwrap().repeated);
}

#[tokio::test]
async fn when_others_keep_writing_it_gives_up_and_has_written_nothing() {
    let log = MemoryLog::new();
    for _ in 0..20 {
        log.inject(Fault::Conflict);
    }
    let given_up = executor(&log).execute("c1", &Command::Count, &meta("r1")).await;
    assert!(matches!(given_up, Err(ExecuteError::Contended)), "{given_up:?}");
    assert_eq!(log.events(), []);
}

#[tokio::test]
async fn a_request_id_with_another_body_has_no_effect() {
    let log = MemoryLog::new();
    let executor = executor(&log);
    executor.execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    let other = CommandMeta { request_hash: "2".into(), ..meta("r1") };
    let refused = executor.execute("c1", &Command::Close, &other).await;
    assert!(matches!(refused, Err(ExecuteError::RequestIdReused)), "{refused:?}");
    assert_eq!(log.events().len(), 1);
}

#[tokio::test]
async fn an_old_etag_decides_nothing() {
    let log = MemoryLog::new();
    let executor = executor(&log);
    let etag = executor.execute("c1", &Command::Count, &meta("r1")).await.unwrap().loaded.etag();
    executor.execute("c1", &Command::Count, &meta("r2")).await.unwrap();
    let refused = executor.execute("c1", &Command::Count, &CommandMeta { etag, ..meta("r3") }).await;
    assert!(matches!(refused, Err(ExecuteError::EtagMismatch)), "{refused:?}");
    assert_eq!(log.events().len(), 2);
}

#[tokio::test]
async fn what_has_no_effect_writes_nothing() {
    let log = MemoryLog::new();
    let outcome = executor(&log).execute("c1", &Command::Look, &meta("r1")).await.unwrap();
    assert_eq!((outcome.written, outcome.repeated), (false, false));
    assert_eq!(log.events(), []);
}

/// Appends what no version of here would.
async fn written_elsewhere(log: &MemoryLog, event_type: &str, payload: &'static [u8]) -> Position {
    let subject = Subject::new("acme", KIND, "c1").unwrap();
    let expected = log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
    let envelope = tandem_aggregate::testing::envelope(event_type, Timestamp::UNIX_EPOCH, "users/ada");
    let event = NewEvent { subject, envelope, payload: Bytes::from_static(payload) };
    log.append(vec![Append { expected, events: vec![event] }]).await.unwrap()[0]
}

#[tokio::test]
async fn nothing_is_decided_or_told_by_half_of_what_happened() {
    const NEWER: &str = "tandem.campaigns.v1.CampaignPaused";
    let log = MemoryLog::new();
    let executor = executor(&log);
    executor.execute("c1", &Command::Count, &meta("r1")).await.unwrap();
    // The executor has the aggregate in memory, and does not know yet that it is old.
    let at = written_elsewhere(&log, NEWER, &[]).await;
    let refused = executor.execute("c1", &Command::Count, &meta("r2")).await.unwrap_err();
    assert!(
        matches!(&refused, ExecuteError::UpgradeNeeded { event_type, position } if event_type == NEWER && *position == at),
        "{refused}"
    );
    assert!(matches!(executor.get("acme", "c1").await, Err(ExecuteError::UpgradeNeeded { .. })));
    assert_eq!(log.events().len(), 2, "nothing was written");
}

#[tokio::test]
async fn damage_is_told_from_what_an_upgrade_would_know() {
    for (event_type, payload) in
        [("tandem.campaigns.v1.CampaignKpisSet", &[0xff][..]), ("", &[]), ("com.example.Paused", &[])]
    {
        let log = MemoryLog::new();
        written_elsewhere(&log, event_type, payload).await;
        let error = executor(&log).get("acme", "c1").await.unwrap_err();
        assert!(matches!(error, ExecuteError::Corrupt(_)), "{event_type}: {error}");
    }
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::LostReply),
        Just(Fault::LostRequest),
        Just(Fault::Conflict),
        Just(Fault::Unavailable),
        Just(Fault::StaleRead),
        (0..20_u64).prop_map(|millis| Fault::Delay(Duration::from_millis(millis))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever goes wrong, and however many replicas write: each command that is repeated until it is answered has taken
    /// effect once, in all answers and in the log.
    #[test]
    fn each_command_takes_effect_once(
        faults in proptest::collection::vec(any_fault(), 0..40),
        commands in 1..12_usize,
        replicas in 1..4_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let log = MemoryLog::new();
        for fault in faults {
            log.inject(fault);
        }
        let executors: Vec<_> = (0..replicas).map(|_| executor(&log)).collect();
        let answers = runtime.block_on(futures::future::join_all((0..commands).map(|number| {
            let executor = &executors[number % replicas];
            async move { surely(executor, Command::Count, &format!("r{number}")).await.unwrap() }
        })));
        let mut written = BTreeMap::<String, u32>::new();
        for event in log.events() {
            *written.entry(event.envelope.request_id.clone()).or_default() += 1;
        }
        prop_assert_eq!(written.len(), commands);
        prop_assert!(written.values().all(|times| *times == 1), "{:?}", written);
        // Each was answered with the state right after it.
        let mut answers = answers;
        answers.sort_unstable();
        prop_assert_eq!(answers, (1..=u32::try_from(commands).unwrap()).collect::<Vec<_>>());
    }
}
