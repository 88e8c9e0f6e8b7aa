//! Processes: what follows from an event, as commands to other aggregates.
//!
//! Invariant: every event is handled at least once and acknowledged only when handled, so a handler's commands carry
//! request ids made from the event's id.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use tandem_eventlog::{Delivery, EventLog, Filter, RecordedEvent};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// Events handled at the same time by one process.
const CONCURRENCY: usize = 16;
/// Longest wait before an event is handled again.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// A reaction to events.
#[async_trait::async_trait]
pub trait Process: Send + Sync + 'static {
    /// Name of its durable consumer, for example `payouts-accrual`. It stays for good: under another name the process
    /// would begin at the start of the log again.
    fn name(&self) -> &str;

    /// The events that it reacts to.
    fn filter(&self) -> Filter;

    /// Reacts. Events of one aggregate may come out of order and more than once.
    ///
    /// # Errors
    /// [`ProcessError`]: the event is handed out again later.
    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError>;
}

/// What a process's commands say of where they come from.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The event's id; request ids are made from it.
    pub event_id: String,
    /// From the event.
    pub correlation_id: String,
    /// Whose data.
    pub tenant: String,
    /// The event's time, if a test clock set it: what follows happens then, too.
    pub test_clock: Option<Timestamp>,
}

/// A reaction did not succeed and is to be tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProcessError(pub String);

/// Runs a process until `shutdown`; reconnects by itself.
pub async fn run_process<P: Process>(process: Arc<P>, log: Arc<dyn EventLog>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match log.consume(process.name(), &process.filter()).await {
            Ok(deliveries) => {
                let handled =
                    deliveries.take_until(shutdown.cancelled()).for_each_concurrent(CONCURRENCY, |delivery| {
                        let process = &process;
                        async move {
                            match delivery {
                                Ok(delivery) => handle(process.as_ref(), delivery.as_ref()).await,
                                Err(error) => {
                                    tracing::warn!(process = process.name(), %error, "deliveries interrupted")
                                }
                            }
                        }
                    });
                handled.await;
            }
            Err(error) => tracing::warn!(process = process.name(), %error, "the log can't be consumed"),
        }
        // Only reached when the log is away or on shutdown.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

/// How long what was tried this often (from 1) waits before it is tried again: twice as long each time, 30 s at most.
#[must_use]
pub fn retry_delay(attempt: u64) -> Duration {
    let doublings = u32::try_from(attempt).unwrap_or(u32::MAX);
    Duration::from_millis(100).saturating_mul(2u32.saturating_pow(doublings)).min(LONGEST_RETRY)
}

async fn handle<P: Process>(process: &P, delivery: &dyn Delivery) {
    let event = delivery.event();
    let envelope = &event.envelope;
    let cause = Cause {
        event_id: envelope.id.clone(),
        correlation_id: envelope.correlation_id.clone(),
        tenant: event.tenant().to_owned(),
        test_clock: envelope.test_clock.then_some(envelope.time),
    };
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", process.name()),
        otel.kind = "consumer",
        process = process.name(),
        event.r#type = envelope.event_type,
        event.position = event.position,
        attempt = delivery.attempt(),
    );
    tandem_eventlog::trace::set_remote_parent(&span, &envelope.traceparent);
    let settled = async {
        match process.handle(event, &cause).await {
            Ok(()) => delivery.ack().await,
            Err(error) => {
                let delay = retry_delay(delivery.attempt());
                tracing::warn!(%error, retry_in = ?delay, "not handled");
                delivery.retry(delay).await
            }
        }
    };
    if let Err(error) = settled.instrument(span).await {
        tracing::warn!(process = process.name(), %error, "acknowledgement lost; the event will come again");
    }
}
