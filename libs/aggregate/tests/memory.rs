//! Memory that aggregates take, however many there are: measured, for an estimate proves nothing about itself.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tandem_aggregate::{Aggregate, AggregateCache, Context, Executor, Refusal, testing};
use tandem_eventlog::{
    Append, AppendError, DeliveryStream, Envelope, EventLog, EventStream, Filter, Kind, Position, ReadError,
    RecordedEvent, Subject,
};
use tandem_proto::EventSet;
use tandem_proto::campaigns::v1::campaign_event::Event;
use tandem_proto::campaigns::v1::{Campaign, CampaignPlanned, RegionBudget};
use tandem_proto::google::r#type::Money;

const MIB: u64 = 1 << 20;

/// A campaign that keeps what it was planned as.
#[derive(Clone, Debug, Default)]
struct Planned(Option<Campaign>);

impl Aggregate for Planned {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };
    const COLLECTION: &'static str = "campaigns";
    type Command = ();
    type Event = Event;

    fn decide(&self, (): &(), _: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        Ok(Vec::new())
    }

    fn evolve(&mut self, event: &Event, _: &Envelope) {
        if let Event::Planned(planned) = event {
            self.0.clone_from(&planned.campaign);
        }
    }
}

/// A log of any number of campaigns, each planned once; it takes no memory itself.
struct Endless;

#[async_trait::async_trait]
impl EventLog for Endless {
    async fn append(&self, _: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        Err(AppendError::Conflict)
    }

    async fn read(&self, subject: &Subject, _: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        let budget = |n| RegionBudget { region: format!("region {n}"), amount: Some(Money::default()) };
        let campaign = Campaign {
            name: format!("campaigns/{}", subject.id()),
            brief: "x".repeat(500),
            budgets: (0..40).map(budget).collect(),
            ..Campaign::default()
        };
        let event = Event::Planned(CampaignPlanned { campaign: Some(campaign) });
        let envelope = testing::envelope(event.type_name(), Timestamp::UNIX_EPOCH, "users/ada");
        let payload = Bytes::from(EventSet::encode(&event));
        Ok(vec![RecordedEvent { position: 1, subject: subject.to_string().into(), envelope, payload }])
    }

    async fn get(&self, _: Position) -> Result<Option<RecordedEvent>, ReadError> {
        Ok(None)
    }

    async fn last_position(&self, _: &Filter) -> Result<Position, ReadError> {
        Ok(0)
    }

    async fn follow(&self, _: &Filter, _: Position) -> Result<EventStream, ReadError> {
        Err(ReadError("nobody follows".to_owned()))
    }

    async fn consume(&self, _: &str, _: &Filter) -> Result<DeliveryStream, ReadError> {
        Err(ReadError("nobody consumes".to_owned()))
    }
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

async fn load(cache: &AggregateCache, count: usize) {
    let executor = Executor::<Planned>::new(Arc::new(Endless), cache.clone());
    for n in 0..count {
        let loaded = executor.get("acme", &format!("campaign-{n}")).await.unwrap();
        assert!(loaded.exists());
    }
}

#[tokio::test]
async fn memory_stays_within_the_option_whatever_the_number_of_aggregates() {
    const BOUND: u64 = 16 * MIB;
    // What the first of all takes is not the aggregates'.
    load(&AggregateCache::with_bytes(MIB as usize), 100).await;
    let before = resident();
    let cache = AggregateCache::with_bytes(BOUND as usize);
    load(&cache, 8_000).await;
    let grown = resident().saturating_sub(before);
    assert!(cache.bytes() <= BOUND && cache.bytes() > BOUND / 2, "{} of {BOUND} bytes are used", cache.bytes());
    assert!(grown < BOUND * 3 / 2, "{} MiB more for {} aggregates", grown / MIB, cache.count());

    // Without a bound worth the name it is several times as much: the measurement would have shown it.
    let unbounded = AggregateCache::with_bytes(1 << 40);
    load(&unbounded, 8_000).await;
    assert_eq!(unbounded.count(), 8_000);
    let grown = resident().saturating_sub(before);
    assert!(grown > BOUND * 2, "{} MiB", grown / MIB);
}

#[tokio::test]
async fn what_is_larger_than_the_bound_is_not_kept() {
    let tiny = AggregateCache::with_bytes(100);
    load(&tiny, 10).await;
    assert_eq!((tiny.count(), tiny.bytes()), (0, 0));
}
