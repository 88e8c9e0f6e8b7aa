//! Commands on a log that acknowledges only what is on the disk (`sync_interval: always`), beside as many publishes of as
//! many bytes, each synced alone.
//!
//! Invariant: both write to the same server, guarded, with as many in flight.

use std::sync::Arc;

use tandem_aggregate::{AggregateCache, Executor};
use tandem_contracts::contract::{Command, Contract};
use tandem_eventlog::{EventLog, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;
use tandem_proto::contracts::v1::Party;

use crate::bare::{Publisher, last_size};
use crate::effort::Effort;
use crate::life::{draft, meta};
use crate::load::{Sample, load};
use crate::report::{Goal, Report};
use crate::samples::{Figure, Samples};

/// Commands a second, of the publishes.
const RATE: Goal = Goal::AtLeast(3.0);
const IN_FLIGHT: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Executor,
    Publish,
}

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let nats = NatsServer::builder().sync_always(true).start().await?;
    let client = async_nats::connect(nats.url()).await?;
    let log: Arc<dyn EventLog> = Arc::new(JetStreamLog::open(client.clone(), JetStreamOptions::default()).await?);
    let executor = Arc::new(Executor::<Contract>::new(log, AggregateCache::with_bytes(16 << 20)));
    create(&executor, 0, 1).await?;
    let size = last_size(&client).await?;
    let publisher = Publisher::open(client, size).await?;

    let count = effort.pick(4000, 10_000);
    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 1..=1 + effort.pick(3, 7) {
        let publisher = publisher.clone();
        let published = load(IN_FLIGHT, count, move |number| {
            let publisher = publisher.clone();
            async move { publisher.append(&format!("{round}-{number}"), size).await }
        });
        let published = published.await?;
        let executed = create(&executor, round, count).await?;
        if round > 1 {
            samples.add(Target::Publish, published);
            samples.add(Target::Executor, executed);
        }
    }
    let row = |figure| samples.row_beside("create, synced, 256 in flight", figure, &Target::Executor, &Target::Publish);
    report.add(row(Figure::Rate).goal(RATE));
    report.add(row(Figure::P50));
    report.add(row(Figure::P99));
    Ok(())
}

/// Creates as many contracts.
async fn create(executor: &Arc<Executor<Contract>>, round: usize, count: usize) -> anyhow::Result<Sample> {
    let executor = Arc::clone(executor);
    load(IN_FLIGHT.min(count), count, move |number| {
        let executor = Arc::clone(&executor);
        async move {
            let command = Command { by: Party::Brand, action: draft()? };
            executor.execute(&format!("{round}-{number}"), &command, &meta(Party::Brand)).await?;
            Ok(())
        }
    })
    .await
}
