//! Processes: what follows from an event, as commands to other aggregates.
//!
//! Invariant: every event is handled at least once and acknowledged only when all processes of its consumer have handled
//! it, so a handler's commands carry request ids made from the event's id.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use tandem_eventlog::{Delivery, EventLog, Filter, RecordedEvent, ambient, trace};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::CommandMeta;

/// Events handled at the same time by one process.
const CONCURRENCY: usize = 16;
/// Longest wait before an event is handled again.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// A reaction to events.
#[async_trait::async_trait]
pub trait Process: Send + Sync + 'static {
    /// What it is called in traces and logs, for example `payouts-accrual`.
    fn name(&self) -> &str;

    /// Name of its durable consumer. Processes of one name share it: an event is handed out once for all of them, which
    /// costs the log a fraction of handing it to each. It stays for good: under another name the process would begin at
    /// the start of the log again. A process that is added where others have run already takes a name of its own, for of
    /// what the others' consumer has handed out it would see nothing.
    fn consumer(&self) -> &str {
        self.name()
    }

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

impl Cause {
    /// Of a command that follows from the event: `actor` (`services/contracts`) gives it as the reaction `command`
    /// (`contracts-granting`), idempotent by `request_id`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "where an event becomes a command, which gets its time here")]
    pub fn command(&self, actor: &str, command: &str, request_id: String) -> CommandMeta {
        CommandMeta {
            tenant: self.tenant.clone(),
            actor: actor.to_owned(),
            command: command.to_owned(),
            reason: String::new(),
            request_id,
            request_hash: String::new(),
            correlation_id: self.correlation_id.clone(),
            causation_id: self.event_id.clone(),
            traceparent: trace::current_traceparent(),
            etag: String::new(),
            time: self.test_clock.unwrap_or_else(ambient::now),
            test_clock: self.test_clock.is_some(),
        }
    }
}

/// A reaction did not succeed and is to be tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProcessError(pub String);

/// Runs processes that share a consumer until `shutdown`; reconnects by itself.
pub async fn run_processes(
    consumer: &str,
    processes: &[Arc<dyn Process>],
    log: Arc<dyn EventLog>,
    shutdown: CancellationToken,
) {
    let processes: Vec<_> = processes.iter().map(|process| (process.filter(), process.as_ref())).collect();
    let filter = Filter::any(processes.iter().map(|(filter, _)| filter));
    while !shutdown.is_cancelled() {
        match log.consume(consumer, &filter).await {
            Ok(deliveries) => {
                let handled =
                    deliveries.take_until(shutdown.cancelled()).for_each_concurrent(CONCURRENCY, |delivery| {
                        let processes = &processes;
                        async move {
                            match delivery {
                                Ok(delivery) => settle(consumer, processes, delivery.as_ref()).await,
                                Err(error) => tracing::warn!(consumer, %error, "deliveries interrupted"),
                            }
                        }
                    });
                handled.await;
            }
            Err(error) => tracing::warn!(consumer, %error, "the log can't be consumed"),
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

/// Has an event handled by all processes that want it. If one of them fails all are asked again: they handle an event
/// more than once anyway.
async fn settle(consumer: &str, processes: &[(Filter, &dyn Process)], delivery: &dyn Delivery) {
    let event = delivery.event();
    let envelope = &event.envelope;
    let cause = Cause {
        event_id: envelope.id.clone(),
        correlation_id: envelope.correlation_id.clone(),
        tenant: event.tenant().to_owned(),
        test_clock: envelope.test_clock.then_some(envelope.time),
    };
    let mut handled = true;
    for (_, process) in processes.iter().filter(|(filter, _)| filter.lets_through(event)) {
        handled &= handle(*process, event, &cause, delivery.attempt()).await;
    }
    let settled = if handled { delivery.ack().await } else { delivery.retry(retry_delay(delivery.attempt())).await };
    if let Err(error) = settled {
        tracing::warn!(consumer, %error, "acknowledgement lost; the event will come again");
    }
}

/// Whether the process has handled it.
async fn handle(process: &dyn Process, event: &RecordedEvent, cause: &Cause, attempt: u64) -> bool {
    let envelope = &event.envelope;
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", process.name()),
        otel.kind = "consumer",
        process = process.name(),
        event.r#type = envelope.event_type,
        event.position = event.position,
        attempt,
    );
    trace::set_remote_parent(&span, &envelope.traceparent);
    async {
        let handled = process.handle(event, cause).await;
        if let Err(error) = &handled {
            tracing::warn!(%error, retry_in = ?retry_delay(attempt), "not handled");
        }
        handled.is_ok()
    }
    .instrument(span)
    .await
}
