//! Commands: creating a contract and proposing it, through the real service and beside its limits.
//!
//! Invariant: each round measures every target, one after the other, and the service's views are idle while another
//! target is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tandem_nats_server::NatsServer;

use crate::bare::{Bare, Publisher, Sizes, last_size};
use crate::effort::Effort;
use crate::load::{Sample, load};
use crate::report::{Goal, Report};
use crate::samples::{Figure, Samples};
use crate::service::{Caller, Service, position};

/// At 64 in flight, commands a second of those of a bare handler that only appends.
const RATE: Goal = Goal::AtLeast(0.8);
/// One at a time, the median of that handler's.
const MEDIAN: Goal = Goal::AtMost(1.25);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Create,
    Propose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// The contracts service.
    Service,
    /// A handler that only appends.
    Append,
    /// A handler that answers at once.
    Echo,
    /// No handler: JetStream alone.
    Publish,
}

impl Operation {
    const ALL: [Self; 2] = [Self::Create, Self::Propose];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Propose => "propose",
        }
    }
}

impl Target {
    const ALL: [Self; 4] = [Self::Publish, Self::Append, Self::Service, Self::Echo];
}

/// All that is called.
#[derive(Clone)]
struct Bench {
    service: Caller,
    append: Caller,
    echo: Caller,
    publisher: Publisher,
    sizes: Sizes,
    /// Of the service's last answer.
    position: Arc<AtomicU64>,
}

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let nats = NatsServer::builder().start().await?;
    let service = Service::start(&nats.url()).await?;
    let bench = Bench::start(&service, async_nats::connect(nats.url()).await?).await?;
    // Calls in flight, and how many of them make a round.
    let loads = effort.pick([(1, 400), (64, 3000)], [(1, 1000), (64, 4000)]);
    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.pick(3, 9) {
        for (in_flight, count) in loads {
            for target in Target::ALL {
                for operation in Operation::ALL {
                    let sample = bench.load(target, operation, (round, in_flight, count)).await?;
                    if round > 0 {
                        samples.add((operation, in_flight, target), sample);
                    }
                }
                if target == Target::Service {
                    bench.service.caught_up(bench.position.load(Ordering::Relaxed)).await?;
                }
            }
        }
    }
    service.stop().await?;
    for operation in Operation::ALL {
        for (in_flight, _) in loads {
            rows(&samples, operation, in_flight, report);
        }
    }
    Ok(())
}

/// The service's figures beside those of the handler that only appends, then what that one is limited by.
fn rows(samples: &Samples<(Operation, usize, Target)>, operation: Operation, in_flight: usize, report: &mut Report) {
    let name = format!("{}, {in_flight} in flight", operation.name());
    let key = |target| (operation, in_flight, target);
    let command = |figure| samples.row_beside(&name, figure, &key(Target::Service), &key(Target::Append));
    let (rate, p50) = (command(Figure::Rate), command(Figure::P50));
    report.add(if in_flight > 1 { rate.goal(RATE) } else { rate });
    report.add(if in_flight > 1 { p50 } else { p50.goal(MEDIAN) });
    report.add(command(Figure::P99));
    for (target, whose) in [(Target::Echo, "bare echo"), (Target::Publish, "raw publish")] {
        for figure in [Figure::Rate, Figure::P50] {
            report.add(samples.row(&format!("{name}, {whose}"), figure, &key(target)));
        }
    }
}

impl Bench {
    async fn start(service: &Service, nats: async_nats::Client) -> anyhow::Result<Self> {
        let service = Caller::connect(service.address).await?;
        service.create("first").await?;
        let create = last_size(&nats).await?;
        let contract = service.propose("first").await?.into_inner();
        let sizes = Sizes { create, propose: last_size(&nats).await? };
        let publisher = Publisher::open(nats, sizes.create.max(sizes.propose)).await?;
        let append = Bare { contract: contract.clone(), append: Some((publisher.clone(), sizes)) };
        let echo = Bare { contract, append: None };
        let (append, echo) = (append.serve().await?, echo.serve().await?);
        let (append, echo) = (Caller::connect(append).await?, Caller::connect(echo).await?);
        Ok(Self { service, append, echo, publisher, sizes, position: Arc::default() })
    }

    async fn load(
        &self,
        target: Target,
        operation: Operation,
        (round, in_flight, count): (usize, usize, usize),
    ) -> anyhow::Result<Sample> {
        let bench = self.clone();
        load(in_flight, count, move |number| {
            let bench = bench.clone();
            async move {
                bench.call(target, operation, &format!("{target:?}-{round}-{in_flight}-{number}").to_lowercase()).await
            }
        })
        .await
    }

    async fn call(&self, target: Target, operation: Operation, id: &str) -> anyhow::Result<()> {
        let caller = match target {
            Target::Service => &self.service,
            Target::Append => &self.append,
            Target::Echo => &self.echo,
            Target::Publish => {
                let Sizes { create, propose } = self.sizes;
                let size = if operation == Operation::Create { create } else { propose };
                return self.publisher.append(&format!("raw-{id}"), size).await;
            }
        };
        let answer = match operation {
            Operation::Create => caller.create(id).await?,
            Operation::Propose => caller.propose(id).await?,
        };
        if target == Target::Service {
            self.position.fetch_max(position(&answer)?, Ordering::Relaxed);
        }
        Ok(())
    }
}
