//! The queue of timers as a service sees it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tandem_eventlog::Kind;
use tandem_timers::{Fired, FiredStream, QueueError, Timer, TimerQueue};

use super::incarnation::Incarnation;
use super::{LATER, Sabotage};
use crate::faults::Fault;

pub(super) struct SimulatedTimers(pub(super) Arc<Incarnation>);

impl SimulatedTimers {
    fn fails(of: &Incarnation) -> Result<(), QueueError> {
        let fails = of.world.occurs(Fault::TimerFailed, &of.label);
        if fails { Err(QueueError::new("the stream of timers is away")) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl TimerQueue for SimulatedTimers {
    async fn arm(&self, kind: Kind, timer: &Timer) -> Result<(), QueueError> {
        self.0.passes("arm").await;
        Self::fails(&self.0)?;
        self.0.world.step(|| format!("{} arms {kind} {} for {}", self.0.label, timer.id, timer.due));
        self.0.world.timers.arm(kind, timer).await?;
        self.0.passes("armed").await;
        // Armed, and nobody knows.
        Self::fails(&self.0)
    }

    async fn fired(&self, kind: Kind, consumer: &str) -> Result<FiredStream, QueueError> {
        self.0.passes("fired").await;
        let fired = self.0.world.timers.fired(kind, consumer).await?;
        let handed = futures::stream::unfold((fired, Arc::clone(&self.0)), |(mut fired, of)| async move {
            of.lives().await;
            let timer = tokio::select! {
                biased;
                () = of.died() => super::never().await,
                timer = fired.next() => timer?,
            };
            let timer = timer.map(|timer| -> Box<dyn Fired> {
                of.world.step(|| {
                    format!("{} is handed the timer of {} for {}", of.label, timer.timer().id, timer.timer().due)
                });
                Box::new(Handed { timer, of: Arc::clone(&of) })
            });
            Some((timer, (fired, of)))
        });
        Ok(handed.boxed())
    }
}

struct Handed {
    timer: Box<dyn Fired>,
    of: Arc<Incarnation>,
}

#[async_trait::async_trait]
impl Fired for Handed {
    fn timer(&self) -> &Timer {
        self.timer.timer()
    }

    fn attempt(&self) -> u64 {
        self.timer.attempt()
    }

    async fn ack(&self) -> Result<(), QueueError> {
        self.of.passes("timer done").await;
        SimulatedTimers::fails(&self.of)?;
        if self.of.world.is(Sabotage::UnheardAcks) {
            return self.timer.retry(LATER).await;
        }
        self.timer.ack().await
    }

    async fn retry(&self, delay: Duration) -> Result<(), QueueError> {
        self.of.passes("timer put back").await;
        self.timer.retry(delay).await
    }
}
