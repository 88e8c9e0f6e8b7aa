//! Whether a command gets slower as the log grows: the first one on an aggregate of ten events, which is not in memory, and
//! the next one, in a large log and in a small one.
//!
//! Invariant: no aggregate is asked a third time, so each first command loads one from the log, decides, and appends, and
//! each next one finds it in memory; both logs lie on one server.

use std::sync::Arc;

use tandem_aggregate::{AggregateCache, Executor};
use tandem_contracts::contract::{Action, Command, Contract};
use tandem_eventlog::{EventLog, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;
use tandem_proto::contracts::v1::Party;

use crate::effort::Effort;
use crate::life::{EVENTS, Life, OFFERS_IN_RETURN, meta, sign};
use crate::load::{Sample, load};
use crate::report::{Goal, Report};
use crate::samples::{Figure, Samples};

/// The median in the large log, of that in the small one.
const MEDIAN: Goal = Goal::AtMost(1.2);
/// Contracts of the small log, each of ten events.
const FEW: usize = 1000;
/// Commands of a round.
const COUNT: usize = 100;
/// Memory for the aggregates of all rounds.
const MEMORY: usize = 256 << 20;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Small,
    Large,
}

/// What is done to each contract, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Accept,
    Sign,
}

const STEPS: [Step; 2] = [Step::Accept, Step::Sign];

/// A log of so many contracts, each of which waits for an answer to its last offer.
struct Filled {
    size: Size,
    contracts: usize,
    executor: Arc<Executor<Contract>>,
}

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let many = effort.pick(10 * FEW, 100 * FEW);
    let nats = NatsServer::builder().start().await?;
    let client = async_nats::connect(nats.url()).await?;
    let life = Life::negotiated().await?;
    let small = Filled::new(&client, Size::Small, FEW, &life).await?;
    let large = Filled::new(&client, Size::Large, many, &life).await?;

    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.pick(5, 9) {
        for log in [&small, &large] {
            for step in STEPS {
                let sample = log.take(step, round).await?;
                if round > 0 {
                    samples.add((step, log.size), sample);
                }
            }
        }
    }
    for step in STEPS {
        let which = if step == Step::Accept { "first" } else { "next" };
        let name = format!("{which} command on an aggregate, {} events in the log", EVENTS * many);
        let row = |figure| samples.row_beside(&name, figure, &(step, Size::Large), &(step, Size::Small));
        report.add(row(Figure::P50).goal(MEDIAN));
        report.add(row(Figure::P99));
    }
    Ok(())
}

impl Filled {
    async fn new(client: &async_nats::Client, size: Size, contracts: usize, life: &Life) -> anyhow::Result<Self> {
        let name = if size == Size::Small { "small" } else { "large" };
        let options = JetStreamOptions { name: name.to_owned(), ..JetStreamOptions::default() };
        let log: Arc<dyn EventLog> = Arc::new(JetStreamLog::open(client.clone(), options).await?);
        life.fill(&log, 0..contracts).await?;
        Ok(Self { size, contracts, executor: Arc::new(Executor::new(log, AggregateCache::with_bytes(MEMORY))) })
    }

    /// Of a round's contracts, which are spread over the log.
    async fn take(&self, step: Step, round: usize) -> anyhow::Result<Sample> {
        let (executor, stride) = (Arc::clone(&self.executor), self.contracts / FEW);
        let action = if step == Step::Accept { Action::Accept } else { sign(OFFERS_IN_RETURN)? };
        load(1, COUNT, move |number| {
            let (executor, action) = (Arc::clone(&executor), action.clone());
            async move {
                // 617 is coprime to FEW: each comes once, in no order that the log has.
                let number = (round * COUNT + number) * 617 % FEW * stride;
                let command = Command { by: Party::Creator, action };
                executor.execute(&format!("c{number}"), &command, &meta(Party::Creator)).await?;
                Ok(())
            }
        })
        .await
    }
}
