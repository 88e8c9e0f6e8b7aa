//! `GetContract` of the real service, beside a bare handler that answers the same message at once.
//!
//! Invariant: what is got was read before, so that the service has it in memory; that it is the newest is still asked of
//! the log, for each answer.

use tandem_nats_server::NatsServer;

use crate::bare::Bare;
use crate::effort::Effort;
use crate::load::load;
use crate::report::{Goal, Report};
use crate::samples::{Figure, Samples};
use crate::service::{Caller, Service, position};

/// The 99th percentile at 64 in flight, of the bare handler's.
const P99: Goal = Goal::AtMost(1.3);
const IN_FLIGHT: usize = 64;
const CONTRACTS: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Service,
    Echo,
}

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let nats = NatsServer::builder().start().await?;
    let service = Service::start(&nats.url()).await?;
    let caller = Caller::connect(service.address).await?;
    let mut last = 0;
    for number in 0..CONTRACTS {
        last = position(&caller.create(&format!("c{number}")).await?)?;
    }
    caller.caught_up(last).await?;
    let contract = caller.get("c0").await?.into_inner();
    let echo = Caller::connect(Bare { contract, append: None }.serve().await?).await?;

    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.pick(5, 9) {
        for (target, caller) in [(Target::Echo, &echo), (Target::Service, &caller)] {
            let caller = caller.clone();
            let sample = load(IN_FLIGHT, effort.pick(6000, 12_000), move |number| {
                let caller = caller.clone();
                async move { caller.get(&format!("c{}", number % CONTRACTS)).await.map(drop) }
            });
            let sample = sample.await?;
            if round > 0 {
                samples.add(target, sample);
            }
        }
    }
    service.stop().await?;
    for figure in [Figure::Rate, Figure::P50, Figure::P99] {
        let row = samples.row_beside("get, 64 in flight", figure, &Target::Service, &Target::Echo);
        report.add(if matches!(figure, Figure::P99) { row.goal(P99) } else { row });
    }
    Ok(())
}
