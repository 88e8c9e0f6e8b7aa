//! Latency against load: creations offered at shares of the highest rate, and how soon the view shows them.
//!
//! Invariant: what is offered does not depend on what is answered (see [`crate::open_loop`]); the highest rate was
//! measured in the same run; the view is watched, not asked to hurry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tandem_nats_server::NatsServer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use tandem_eventlog::Position;

use crate::bare::{Bare, Publisher, Sizes, last_size};
use crate::effort::Effort;
use crate::load::{Times, load};
use crate::open_loop::offer;
use crate::plot::{Plot, Series};
use crate::report::{Goal, Report, Row, median};
use crate::samples::{Figure, Samples};
use crate::service::{Caller, Service, position};
use crate::view_file::ViewFile;

/// At half load, within so many milliseconds 99 of 100 events are seen.
const LAG: Goal = Goal::AtMost(50.0);
/// Calls in flight that make the highest rate.
const IN_FLIGHT: usize = 64;
/// How often the view is looked at.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Service,
    /// A handler that only appends.
    Append,
}

/// When the log had which event.
type Written = Arc<Mutex<Vec<(Position, Instant)>>>;

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let nats = NatsServer::builder().start().await?;
    let client = async_nats::connect(nats.url()).await?;
    let service = Service::start(&nats.url()).await?;
    let caller = Caller::connect(service.address).await?;
    let first = caller.create("first").await?;
    caller.caught_up(position(&first)?).await?;
    let size = last_size(&client).await?;
    let append = Some((Publisher::open(client, size).await?, Sizes { create: size, propose: size }));
    let append = Caller::connect(Bare { contract: first.into_inner(), append }.serve().await?).await?;
    let view = ViewFile::open(&service.view_file()).await?;

    let highest = highest(&caller, effort).await?;
    let percents: &[u32] = effort.pick(&[10, 50, 80, 100], &[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    let time = effort.pick(Duration::from_millis(400), Duration::from_millis(1500));
    let (mut samples, mut lags) = (Samples::new(), Vec::new());
    for round in 0..effort.pick(3, 5) {
        for percent in percents {
            let rate = highest * f64::from(*percent) / 100.0;
            let id = move |number| format!("open-{round}-{percent}-{number}");
            let limit = append.clone();
            let sample = offer(rate, time, move |number| {
                let (caller, id) = (limit.clone(), id(number));
                async move { caller.create(&id).await.map(drop) }
            });
            samples.add((*percent, Target::Append), sample.await?);

            let (watch, written, caller) = (Watch::start(view.clone()), Written::default(), caller.clone());
            let noted = Arc::clone(&written);
            let sample = offer(rate, time, move |number| {
                let (caller, noted, id) = (caller.clone(), Arc::clone(&noted), id(number));
                async move {
                    let position = position(&caller.create(&id).await?)?;
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push((position, Instant::now()));
                    Ok(())
                }
            });
            samples.add((*percent, Target::Service), sample.await?);
            let written = std::mem::take(&mut *written.lock().unwrap_or_else(PoisonError::into_inner));
            let lag = watch.lag(&written).await?;
            if *percent == 50 {
                lags.push(lag);
            }
        }
    }
    service.stop().await?;

    for percent in percents {
        let name = format!("create, open loop at {percent} % of {highest:.0}/s");
        let offered = highest * f64::from(*percent) / 100.0;
        for figure in [Figure::P50, Figure::P99] {
            let row = samples.row_beside(&name, figure, &(*percent, Target::Service), &(*percent, Target::Append));
            report.add(row.offered(offered));
        }
    }
    report.add(Row::new("view lag at half load: p99", "ms", &lags).goal(LAG));
    report.plot(plot(&samples, percents, highest));
    Ok(())
}

/// Creations a second that the service takes at most: the median of some rounds, after one that warms up.
async fn highest(caller: &Caller, effort: Effort) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    for round in 0..4 {
        let caller = caller.clone();
        let sample = load(IN_FLIGHT, effort.pick(3000, 10_000), move |number| {
            let caller = caller.clone();
            async move { caller.create(&format!("highest-{round}-{number}")).await.map(drop) }
        });
        rates.push(sample.await?.rate);
    }
    Ok(median(&rates[1..]))
}

/// Looks at what the view shows, again and again.
struct Watch {
    view: ViewFile,
    stop: CancellationToken,
    seen: JoinHandle<anyhow::Result<Vec<(Position, Instant)>>>,
}

impl Watch {
    fn start(view: ViewFile) -> Self {
        let stop = CancellationToken::new();
        let seen = tokio::spawn(watch(view.clone(), stop.clone()));
        Self { view, stop, seen }
    }

    /// Milliseconds within which 99 of 100 of the events were seen, once all of them are.
    async fn lag(self, written: &[(Position, Instant)]) -> anyhow::Result<f64> {
        let last = written.iter().map(|(position, _)| *position).max().unwrap_or_default();
        while self.view.position().await? < last {
            tokio::time::sleep(LOOK).await;
        }
        self.stop.cancel();
        let seen = self.seen.await??;
        let mut times = Times::new()?;
        for (position, at) in written {
            let shown = seen.get(seen.partition_point(|(seen, _)| seen < position));
            // What was seen before the answer came was seen at once.
            times.record(shown.map_or(Duration::ZERO, |(_, shown)| shown.saturating_duration_since(*at)))?;
        }
        Ok(times.micros(0.99) / 1000.0)
    }
}

/// Notes each position that the view shows, and when it was there first; the last one after `stop`.
async fn watch(view: ViewFile, stop: CancellationToken) -> anyhow::Result<Vec<(Position, Instant)>> {
    let mut seen: Vec<(Position, Instant)> = Vec::new();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        let stopped = stop.is_cancelled();
        let position = view.position().await?;
        if seen.last().is_none_or(|(last, _)| *last < position) {
            seen.push((position, Instant::now()));
        }
        if stopped {
            return Ok(seen);
        }
        looks.tick().await;
    }
}

fn plot(samples: &Samples<(u32, Target)>, percents: &[u32], highest: f64) -> Plot {
    let series = |name: &str, target, figure, of_limit| {
        let at = |percent: &u32| {
            let millis = median(&samples.figures(&(*percent, target), figure)) / 1000.0;
            (highest * f64::from(*percent) / 100.0, millis)
        };
        Series { name: name.to_owned(), points: percents.iter().map(at).collect(), of_limit }
    };
    Plot {
        title: "Creating a contract: latency against load".to_owned(),
        x: "creations offered a second (open loop)".to_owned(),
        y: "milliseconds".to_owned(),
        series: vec![
            series("service, p99", Target::Service, Figure::P99, false),
            series("service, p50", Target::Service, Figure::P50, false),
            series("bare handler that appends, p99", Target::Append, Figure::P99, true),
            series("bare handler that appends, p50", Target::Append, Figure::P50, true),
        ],
    }
}
