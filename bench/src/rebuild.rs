//! Rebuilding the view of contracts, beside reading the same messages and doing nothing with them.
//!
//! Invariant: the log holds what the service would have written: every event was decided by the aggregate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull::Config;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use tandem_aggregate::{CommandMeta, Executor};
use tandem_contracts::contract::{Action, Command, Consent, Contract, Draft};
use tandem_contracts::terms::Terms;
use tandem_eventlog::{EventLog, Filter, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;
use tandem_proto::contracts::v1::{Party, SignatureMethod};
use tandem_proto::validation::Path;
use tandem_service::ResourceView;
use tandem_views::{AnyView as _, ViewStore};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::report::{Goal, Row};
use crate::sample::{BRAND, CREATOR, TENANT, terms};

/// Events a second of those of a replay that does nothing.
const GOAL: Goal = Goal::AtLeast(0.3);
/// Of one contract, from its draft to the second signature.
const EVENTS_EACH: usize = 10;
const FIRST_BUILD: Duration = Duration::from_secs(300);
/// Messages under way to a replay.
const BATCH: usize = 4096;
/// Contracts negotiated at the same time, to fill the log.
const AT_ONCE: usize = 64;

/// How much is measured.
pub(crate) struct Effort {
    rounds: usize,
    contracts: usize,
}

impl Effort {
    pub(crate) fn new(quick: bool) -> Self {
        if quick { Self { rounds: 3, contracts: 2000 } } else { Self { rounds: 7, contracts: 10_000 } }
    }
}

pub(crate) async fn measure(nats: &NatsServer, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let client = async_nats::connect(nats.url()).await?;
    let log: Arc<dyn EventLog> = Arc::new(JetStreamLog::open(client.clone(), JetStreamOptions::default()).await?);
    fill(&log, effort.contracts).await?;
    let events = effort.contracts * EVENTS_EACH;
    let folder = TempDir::new()?;
    let (store, stop) =
        (ViewStore::open(&format!("sqlite:{}", folder.path().display())).await?, CancellationToken::new());
    let view = tandem_views::start(ResourceView::<Contract>::default(), &store, Arc::clone(&log), stop.clone()).await?;
    let last = log.last_position(&Filter::default()).await?;
    view.wait_for_position(last, tokio::time::Instant::now() + FIRST_BUILD).await?;

    let (mut replays, mut follows, mut rebuilds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        replays.push(rate(events, replay(&jetstream::new(client.clone()), events).await?));
        follows.push(rate(events, follow(&log, events).await?));
        let report = view.rebuild().await?;
        ensure!(report.event_count == events as u64 && report.row_count == effort.contracts as u64, "{report:?}");
        rebuilds.push(rate(events, report.duration));
    }
    stop.cancel();
    view.stopped().await;
    Ok(vec![
        Row::new("rebuild of a view", "events/s", &rebuilds).beside(&rebuilds, &replays).goal(GOAL),
        Row::new("following the log", "events/s", &follows).beside(&follows, &replays),
        Row::new("raw replay", "events/s", &replays),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 events")]
fn rate(events: usize, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

/// Reads all messages and forgets them, in batches as large as a follower of the log takes.
async fn replay(jetstream: &jetstream::Context, events: usize) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let config = Config { ack_policy: AckPolicy::None, memory_storage: true, ..Config::default() };
    let consumer = jetstream.create_consumer_on_stream(config, "tandem").await?;
    let messages = consumer.stream().max_messages_per_batch(BATCH).messages().await?;
    let read = messages.take(events).try_fold(0, async |read, _| Ok(read + 1)).await?;
    ensure!(read == events, "{read} of {events} messages");
    Ok(began.elapsed())
}

/// Reads all events and forgets them.
async fn follow(log: &Arc<dyn EventLog>, events: usize) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let followed = log.follow(&Filter::default(), 0).await?;
    let read = followed.take(events).try_fold(0, async |read, _| Ok(read + 1)).await?;
    ensure!(read == events, "{read} of {events} events");
    Ok(began.elapsed())
}

/// Negotiates and signs so many contracts.
async fn fill(log: &Arc<dyn EventLog>, contracts: usize) -> anyhow::Result<()> {
    let executor = Arc::new(Executor::<Contract>::new(Arc::clone(log), contracts.min(10_000)));
    futures::stream::iter(0..contracts)
        .map(|number| {
            let executor = Arc::clone(&executor);
            async move { tokio::spawn(async move { live(&executor, number).await }).await? }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// The life of one contract: seven offers, of which the last is accepted and signed by both.
async fn live(executor: &Executor<Contract>, number: usize) -> anyhow::Result<()> {
    let mut actions = vec![(Party::Brand, draft(number)?), (Party::Brand, Action::Propose { expire_time: None })];
    for round in 1..=5 {
        let by = if round % 2 == 1 { Party::Creator } else { Party::Brand };
        actions.push((by, Action::Counter { terms: parse(4000 + round)?, expire_time: None }));
    }
    let terms_hash = parse(4005)?.hash().to_owned();
    let capacity = "Head of Partnerships".to_owned();
    let consent =
        Consent { terms_hash, capacity, method: SignatureMethod::Click, document: None, exclusivity_override: None };
    actions.push((Party::Brand, Action::Accept));
    actions.extend([Party::Creator, Party::Brand].map(|by| (by, Action::Sign(consent.clone()))));
    ensure!(actions.len() == EVENTS_EACH, "{} events", actions.len());
    for (by, action) in actions {
        let meta = meta(if by == Party::Brand { "users/ada" } else { CREATOR });
        executor.execute(&format!("c{number}"), &Command { by, action }, &meta).await?;
    }
    Ok(())
}

fn draft(number: usize) -> anyhow::Result<Action> {
    let (creator, title) = (CREATOR.to_owned(), format!("Launch {number}"));
    Ok(Action::Draft(Draft { brand: BRAND.to_owned(), creator, title, terms: parse(4000)?, template: None }))
}

fn parse(fee: i64) -> anyhow::Result<Terms> {
    Terms::parse(terms(fee), &Path::Root).ok().context("the sample's terms are not valid")
}

/// As the service makes it of a request.
fn meta(actor: &str) -> CommandMeta {
    CommandMeta {
        tenant: TENANT.to_owned(),
        actor: actor.to_owned(),
        command: "tandem.contracts.v1.ContractService/CounterContract".to_owned(),
        reason: String::new(),
        request_id: Uuid::now_v7().to_string(),
        request_hash: Uuid::new_v4().simple().to_string(),
        correlation_id: Uuid::now_v7().to_string(),
        causation_id: String::new(),
        traceparent: String::new(),
        etag: String::new(),
        time: Timestamp::now(),
        test_clock: false,
    }
}
