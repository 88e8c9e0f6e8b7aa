//! Arming: after each event of a kind, a timer for what is due next.
//!
//! Invariant: an event is acknowledged only when the timer that follows from it is in the stream.

use tandem_aggregate::{Cause, Executor, Process, ProcessError, Scheduled};
use tandem_eventlog::{Filter, RecordedEvent};

use std::sync::Arc;

use crate::queue::TimerQueue;
use crate::timer::Timer;

/// The process that arms the timers of `A`.
pub(crate) struct Arming<A: Scheduled> {
    pub(crate) executor: Arc<Executor<A>>,
    pub(crate) queue: Arc<dyn TimerQueue>,
    /// `<service>-<aggregate>-timers`.
    pub(crate) name: Arc<str>,
    /// That of the service's processes.
    pub(crate) consumer: &'static str,
}

#[async_trait::async_trait]
impl<A: Scheduled> Process for Arming<A> {
    fn name(&self) -> &str {
        &self.name
    }

    fn consumer(&self) -> &str {
        self.consumer
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![A::KIND], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        let failed = |error: String| ProcessError(format!("{}: {error}", event.subject));
        let id = event.tokens()[3];
        // What has been written since has a turn of its own.
        let loaded = self.executor.get_since(&cause.tenant, id, event.position).await;
        let loaded = loaded.map_err(|error| failed(error.to_string()))?;
        if loaded.position < event.position {
            return Err(failed("the replica that was asked has not read that far yet".to_owned()));
        }
        if loaded.position > event.position || loaded.test_clock {
            return Ok(());
        }
        let Some(due) = loaded.state.next_due() else { return Ok(()) };
        let timer = Timer {
            tenant: cause.tenant.clone(),
            id: id.to_owned(),
            due,
            position: event.position,
            correlation_id: cause.correlation_id.clone(),
            event_id: cause.event_id.clone(),
        };
        self.queue.arm(A::KIND, &timer).await.map_err(|error| failed(error.to_string()))
    }
}
