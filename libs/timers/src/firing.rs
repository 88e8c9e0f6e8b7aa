//! Firing: what is done when a timer's time has come.
//!
//! Invariant: a fired timer is acknowledged only when nothing of its aggregate's is due any more; until then it comes
//! again, with growing delays.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tandem_aggregate::{CommandMeta, ExecuteError, Executor, Scheduled, retry_delay};
use tandem_eventlog::{ambient, trace};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::queue::{Fired, QueueError, TimerQueue};
use crate::timer::Timer;
use crate::timers::ACT_ON_DUE;

/// Timers that one process works on at the same time.
const CONCURRENCY: usize = 16;
/// How long the stream is left alone when it can't be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Acts on the fired timers of `A`.
pub(crate) struct Firing<A: Scheduled> {
    pub(crate) executor: Arc<Executor<A>>,
    pub(crate) queue: Arc<dyn TimerQueue>,
    /// `<service>-<aggregate>-timers`.
    pub(crate) name: Arc<str>,
    /// `services/{service}`.
    pub(crate) actor: String,
}

/// Why a fired timer is to come again.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    /// The server's clock is ahead of this machine's.
    #[error("it fired before its time by this machine's clock")]
    Early(Duration),
    #[error("the replica that was asked has not read that far yet")]
    Behind,
    /// A defect: the aggregate says that something is due, and does nothing.
    #[error("something is due, and acting on it does nothing")]
    Stuck,
    #[error(transparent)]
    Failed(#[from] ExecuteError),
}

impl NotYet {
    fn delay(&self, attempt: u64) -> Duration {
        match self {
            Self::Early(wait) => (*wait).min(retry_delay(u64::MAX)),
            _ => retry_delay(attempt),
        }
    }

    fn is_defect(&self) -> bool {
        match self {
            Self::Stuck => true,
            Self::Failed(error) => !matches!(error, ExecuteError::Unavailable(_) | ExecuteError::Contended),
            Self::Early(_) | Self::Behind => false,
        }
    }
}

impl<A: Scheduled> Firing<A> {
    /// Acts on timers until `stopping`; reconnects by itself.
    pub(crate) async fn run(&self, stopping: &CancellationToken) {
        while !stopping.is_cancelled() {
            match self.queue.fired(A::KIND, &self.name).await {
                Ok(messages) => {
                    // What is under way is finished when the messages end.
                    let readable = messages.take_while(|message| {
                        if let Err(error) = message {
                            tracing::debug!(timers = &*self.name, %error, "timers stopped coming, asking again");
                        }
                        std::future::ready(message.is_ok())
                    });
                    let handled = readable
                        .take_until(stopping.cancelled())
                        .filter_map(|message| std::future::ready(message.ok()))
                        .for_each_concurrent(CONCURRENCY, |fired| async move { self.handle(fired.as_ref()).await });
                    handled.await;
                }
                Err(error) => tracing::warn!(timers = &*self.name, %error, "timers can't be consumed"),
            }
            // Only reached when the stream is away or on shutdown.
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn handle(&self, fired: &dyn Fired) {
        let (timer, attempt) = (fired.timer(), fired.attempt());
        let span = tracing::info_span!(
            "timer",
            otel.name = format!("timer {}", A::KIND),
            otel.kind = "consumer",
            timers = &*self.name,
            tenant = timer.tenant,
            id = timer.id,
            due = %timer.due,
            attempt,
        );
        if let Err(error) = self.settle(fired).instrument(span).await {
            tracing::warn!(timers = &*self.name, %error, "acknowledgement lost; the timer will fire again");
        }
    }

    async fn settle(&self, fired: &dyn Fired) -> Result<(), QueueError> {
        let timer = fired.timer();
        let Err(not_yet) = self.act(timer).await else { return fired.ack().await };
        let (delay, id) = (not_yet.delay(fired.attempt()), &timer.id);
        if not_yet.is_defect() {
            tracing::error!(id, error = %not_yet, retry_in = ?delay, "what is due can't be done; it is tried until it can");
        } else {
            tracing::warn!(id, error = %not_yet, retry_in = ?delay, "not acted on");
        }
        fired.retry(delay).await
    }

    /// Looks whether something is due, and does it.
    async fn act(&self, timer: &Timer) -> Result<(), NotYet> {
        let loaded = self.executor.get(&timer.tenant, &timer.id).await?;
        if loaded.position < timer.position {
            return Err(NotYet::Behind);
        }
        let Some(due) = loaded.state.next_due() else { return Ok(()) };
        #[expect(clippy::disallowed_methods, reason = "the edge, where what follows from a timer gets its time")]
        let now = ambient::now();
        if loaded.test_clock {
            return Ok(());
        }
        if due > now {
            // Another timer is armed for a date that was moved. This one would be gone.
            let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
            return if due == timer.due { Err(NotYet::Early(wait)) } else { Ok(()) };
        }
        let meta = CommandMeta {
            tenant: timer.tenant.clone(),
            actor: self.actor.clone(),
            command: ACT_ON_DUE.to_owned(),
            reason: String::new(),
            // The position tells what is due now from what was due at the same instant before and is done.
            request_id: format!("timer-{}-{}", due.as_nanosecond(), loaded.etag()),
            request_hash: String::new(),
            correlation_id: timer.correlation_id.clone(),
            causation_id: timer.event_id.clone(),
            traceparent: trace::current_traceparent(),
            etag: String::new(),
            time: now,
            test_clock: false,
        };
        let done = self.executor.execute(&timer.id, &A::act_on_due(), &meta).await?;
        let still_due = done.loaded.state.next_due().is_some_and(|due| due <= now);
        if still_due && !done.written && !done.repeated { Err(NotYet::Stuck) } else { Ok(()) }
    }
}
