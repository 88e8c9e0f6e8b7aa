//! Commands: creating a contract and proposing it, through the real service and beside its limits.
//!
//! Invariant: each round measures every target, one after the other, and the service's view is idle while another
//! target is measured.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use async_nats::jetstream;
use tandem_nats_server::NatsServer;
use tonic::metadata::{Ascii, MetadataValue};

use crate::bare::{Bare, Publisher, Sizes};
use crate::load::{Sample, load};
use crate::report::{Goal, Row};
use crate::service::{Caller, Service};

/// At 64 in flight, commands a second of those of a bare handler that only appends.
const RATE: Goal = Goal::AtLeast(0.6);
/// One at a time, the median of that handler's.
const MEDIAN: Goal = Goal::AtMost(1.5);

/// How much is measured.
pub(crate) struct Effort {
    rounds: usize,
    /// Calls in flight, and how many of them make a round.
    loads: [(usize, usize); 2],
}

impl Effort {
    pub(crate) fn new(quick: bool) -> Self {
        if quick {
            Self { rounds: 3, loads: [(1, 400), (64, 3000)] }
        } else {
            Self { rounds: 9, loads: [(1, 1000), (64, 4000)] }
        }
    }
}

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
    positions: Arc<Mutex<Option<MetadataValue<Ascii>>>>,
}

type Samples = BTreeMap<(Operation, usize, Target), Vec<Sample>>;

pub(crate) async fn measure(nats: &NatsServer, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let service = Service::start(&nats.url()).await?;
    let bench = Bench::start(&service, async_nats::connect(nats.url()).await?).await?;
    let mut samples = Samples::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.rounds {
        for (in_flight, count) in effort.loads {
            for target in Target::ALL {
                for operation in Operation::ALL {
                    let sample = bench.load(target, operation, (round, in_flight, count)).await?;
                    if round > 0 {
                        samples.entry((operation, in_flight, target)).or_default().push(sample);
                    }
                }
                if target == Target::Service {
                    bench.settle().await?;
                }
            }
        }
    }
    service.stop().await?;
    Ok(rows(&samples, effort))
}

impl Bench {
    async fn start(service: &Service, nats: async_nats::Client) -> anyhow::Result<Self> {
        let service = Caller::connect(service.address).await?;
        let jetstream = jetstream::new(nats.clone());
        service.create("first").await?;
        let create = last_size(&jetstream).await?;
        let proposed = service.propose("first").await?.into_inner();
        let sizes = Sizes { create, propose: last_size(&jetstream).await? };
        let publisher = Publisher::open(nats, sizes.create.max(sizes.propose)).await?;
        let append = Bare { proposed: proposed.clone(), append: Some((publisher.clone(), sizes)) };
        let echo = Bare { proposed, append: None };
        let (append, echo) = (append.serve().await?, echo.serve().await?);
        let (append, echo) = (Caller::connect(append).await?, Caller::connect(echo).await?);
        Ok(Self { service, append, echo, publisher, sizes, positions: Arc::default() })
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
        if let Some(positions) = answer.metadata().get("tandem-position") {
            *self.positions.lock().unwrap_or_else(PoisonError::into_inner) = Some(positions.clone());
        }
        Ok(())
    }

    async fn settle(&self) -> anyhow::Result<()> {
        let positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.service.caught_up(positions.context("the service names no position")?).await
    }
}

/// Bytes of the log's last message.
async fn last_size(jetstream: &jetstream::Context) -> anyhow::Result<usize> {
    let log = jetstream.get_stream("tandem").await?;
    let last = log.get_raw_message(log.cached_info().state.last_sequence).await?;
    // `NATS/1.0`, then each as `name: value`, then an empty line.
    let lines = last.headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let headers: usize = lines.map(|(name, value)| name.to_string().len() + value.as_str().len() + 4).sum();
    Ok(last.payload.len() + headers + 12)
}

/// The service's figures beside those of the handler that only appends, then what that one is limited by.
fn rows(samples: &Samples, effort: &Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for (operation, (in_flight, _)) in Operation::ALL.into_iter().flat_map(|it| effort.loads.map(|load| (it, load))) {
        let of = |target, figure: fn(&Sample) -> f64| -> Vec<f64> {
            samples.get(&(operation, in_flight, target)).into_iter().flatten().map(figure).collect()
        };
        let name = |what: &str| format!("{}, {in_flight} in flight: {what}", operation.name());
        let command = |what: &str, unit, figure| {
            let values = of(Target::Service, figure);
            Row::new(name(what), unit, &values).beside(&values, &of(Target::Append, figure))
        };
        let rate = command("rate", "1/s", |sample| sample.rate);
        let p50 = command("p50", "µs", |sample| sample.p50);
        rows.push(if in_flight > 1 { rate.goal(RATE) } else { rate });
        rows.push(if in_flight > 1 { p50 } else { p50.goal(MEDIAN) });
        rows.push(command("p99", "µs", |sample| sample.p99));
        for (target, whose) in [(Target::Echo, "bare echo"), (Target::Publish, "raw publish")] {
            rows.push(Row::new(name(&format!("{whose}, rate")), "1/s", &of(target, |sample| sample.rate)));
            rows.push(Row::new(name(&format!("{whose}, p50")), "µs", &of(target, |sample| sample.p50)));
        }
    }
    rows
}
