//! `ListContracts` of the real service, beside the same SQL by sqlx and nothing else.
//!
//! Invariant: both read the same file, which nobody writes to meanwhile, and both count all rows that match.

use std::sync::Arc;

use tandem_eventlog::{EventLog, Filter, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;

use crate::effort::Effort;
use crate::life::Life;
use crate::load::load;
use crate::report::{Goal, Report};
use crate::samples::{Figure, Samples};
use crate::service::{Caller, Service};
use crate::view_file::ViewFile;

/// The median, of that of the SQL.
const MEDIAN: Goal = Goal::AtMost(1.5);
const PAGE: usize = 50;
/// Contracts of the brand: a small and a large one.
const CONTRACTS: [usize; 2] = [2000, 20_000];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Service,
    Sql,
}

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let nats = NatsServer::builder().start().await?;
    let client = async_nats::connect(nats.url()).await?;
    let log: Arc<dyn EventLog> = Arc::new(JetStreamLog::open(client, JetStreamOptions::default()).await?);
    let service = Service::start(&nats.url()).await?;
    let caller = Caller::connect(service.address).await?;
    let life = Life::agreed().await?;
    let mut filled = 0;
    for contracts in CONTRACTS {
        life.fill(&log, filled..contracts).await?;
        filled = contracts;
        caller.caught_up(log.last_position(&Filter::default()).await?).await?;
        let samples = compare(effort, &caller, &ViewFile::open(&service.view_file()).await?).await?;
        let name = format!("list of {PAGE} of {contracts}, 1 in flight");
        let row = |figure| samples.row_beside(&name, figure, &Target::Service, &Target::Sql);
        report.add(row(Figure::P50).goal(MEDIAN));
        report.add(row(Figure::P99));
    }
    service.stop().await
}

async fn compare(effort: Effort, caller: &Caller, file: &ViewFile) -> anyhow::Result<Samples<Target>> {
    let (page_size, count) = (i32::try_from(PAGE)?, effort.pick(200, 500));
    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.pick(5, 9) {
        let sql = file.clone();
        let sql = load(1, count, move |_| {
            let sql = sql.clone();
            async move { sql.list(PAGE).await }
        });
        let sql = sql.await?;
        let caller = caller.clone();
        let served = load(1, count, move |_| {
            let caller = caller.clone();
            async move {
                let listed = caller.list(page_size, 0).await?;
                anyhow::ensure!(listed.contracts.len() == PAGE, "{} contracts", listed.contracts.len());
                Ok(())
            }
        });
        let served = served.await?;
        if round > 0 {
            samples.add(Target::Sql, sql);
            samples.add(Target::Service, served);
        }
    }
    Ok(samples)
}
