//! Rebuilding the view of contracts, beside reading the same messages and doing nothing with them.
//!
//! Invariant: every round rebuilds from all events into an empty generation, on a log that nobody writes to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::jetstream;
use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull::Config;
use futures::{StreamExt as _, TryStreamExt as _};
use tandem_contracts::contract::Contract;
use tandem_eventlog::{EventLog, Filter, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;
use tandem_postgres_server::PostgresServer;
use tandem_service::ResourceView;
use tandem_views::{AnyView as _, ViewHandle, ViewStore};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::effort::Effort;
use crate::life::{self, Life};
use crate::report::{Goal, Report, Row};

/// Events a second of those of a replay that does nothing.
const GOAL: Goal = Goal::AtLeast(0.5);
const FIRST_BUILD: Duration = Duration::from_secs(300);
/// Messages under way to a replay.
const BATCH: usize = 4096;

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let contracts = effort.pick(4000, 10_000);
    let events = contracts * life::EVENTS;
    let nats = NatsServer::builder().start().await?;
    let client = async_nats::connect(nats.url()).await?;
    let log: Arc<dyn EventLog> = Arc::new(JetStreamLog::open(client.clone(), JetStreamOptions::default()).await?);
    Life::signed().await?.fill(&log, 0..contracts).await?;
    let folder = TempDir::new()?;
    let postgres = PostgresServer::builder().durable(true).start().await?;
    let stop = CancellationToken::new();
    let sqlite = Rebuilt::first(&format!("sqlite:{}", folder.path().display()), &log, &stop).await?;
    let mut stores = [("SQLite", sqlite), ("Postgres", Rebuilt::first(&postgres.url(), &log, &stop).await?)];

    let (mut replays, mut follows) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(3, 7) {
        replays.push(rate(events, replay(&jetstream::new(client.clone()), events).await?));
        follows.push(rate(events, follow(&log, events).await?));
        for (_, rebuilt) in &mut stores {
            rebuilt.again(contracts).await?;
        }
    }
    stop.cancel();
    for (name, Rebuilt { view, rates }) in stores {
        view.stopped().await;
        let row = Row::new(format!("rebuild of a view, {name}"), "events/s", &rates);
        report.add(row.beside(&rates, &replays).goal(GOAL));
    }
    report.add(Row::new("following the log", "events/s", &follows).beside(&follows, &replays));
    report.add(Row::new("raw replay", "events/s", &replays));
    Ok(())
}

/// The view of contracts in one store.
struct Rebuilt {
    view: ViewHandle<ResourceView<Contract>>,
    /// Events a second, by rounds.
    rates: Vec<f64>,
}

impl Rebuilt {
    /// The view, once it is built for the first time.
    async fn first(url: &str, log: &Arc<dyn EventLog>, stop: &CancellationToken) -> anyhow::Result<Self> {
        let store = ViewStore::open(url).await?;
        let view = tandem_views::start(ResourceView::default(), &store, Arc::clone(log), stop.clone()).await?;
        let last = log.last_position(&Filter::default()).await?;
        view.wait_for_position(last, tokio::time::Instant::now() + FIRST_BUILD).await?;
        Ok(Self { view, rates: Vec::new() })
    }

    async fn again(&mut self, contracts: usize) -> anyhow::Result<()> {
        let report = self.view.rebuild().await?;
        let (events, rows) = (contracts * life::EVENTS, contracts as u64);
        ensure!(report.event_count == events as u64 && report.row_count == rows, "{report:?}");
        self.rates.push(rate(events, report.duration));
        Ok(())
    }
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
