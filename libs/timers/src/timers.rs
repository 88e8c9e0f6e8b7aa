//! The timers of one kind of aggregate: run by a service, and made up for by hand.
//!
//! Invariant: by timer or by hand, it is the same command, and the aggregate decides.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_aggregate::{CommandMeta, ExecuteError, Executor, Process, Scheduled};
use tandem_eventlog::{Kind, Position};
use tokio_util::sync::CancellationToken;

use crate::arming::Arming;
use crate::firing::Firing;
use crate::queue::TimerQueue;

/// The method whose command a timer is.
pub(crate) const ACT_ON_DUE: &str = "tandem.common.v1.TimerService/ActOnDue";

/// The timers of aggregates `A`. Cheap to clone.
pub struct Timers<A: Scheduled> {
    executor: Arc<Executor<A>>,
}

impl<A: Scheduled> Clone for Timers<A> {
    fn clone(&self) -> Self {
        Self { executor: Arc::clone(&self.executor) }
    }
}

/// What became of what was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Whether anything was due.
    pub acted: bool,
    /// When something is due next.
    pub next_due: Option<Timestamp>,
    /// What kind of aggregate it is.
    pub kind: Kind,
    /// Position of its last event.
    pub position: Position,
}

/// The timers of some kind of aggregate.
#[async_trait::async_trait]
pub trait AnyTimers: Send + Sync + 'static {
    /// `contracts` for resources `contracts/{id}`.
    fn collection(&self) -> &'static str;

    /// Does what is due for an aggregate by the time of `meta`; none if there is no such aggregate.
    ///
    /// # Errors
    /// As [`Executor::execute`].
    async fn act_on_due(&self, id: &str, meta: &CommandMeta) -> Result<Option<Acted>, ExecuteError>;
}

impl<A: Scheduled> Timers<A> {
    /// The timers of the aggregates that `executor` runs commands on.
    #[must_use]
    pub fn new(executor: Arc<Executor<A>>) -> Self {
        Self { executor }
    }

    /// The process that arms timers after events, which shares the consumer of the service's other processes.
    #[must_use]
    pub fn arming(&self, service: &'static str, queue: Arc<dyn TimerQueue>) -> impl Process + use<A> {
        Arming { executor: Arc::clone(&self.executor), queue, name: name::<A>(service), consumer: service }
    }

    /// Acts on timers that fire as `services/{service}`, until `stopping`. May run in several processes at once: they
    /// share the work.
    pub async fn run(self, service: &'static str, queue: Arc<dyn TimerQueue>, stopping: CancellationToken) {
        let actor = format!("services/{service}");
        Firing { executor: self.executor, queue, name: name::<A>(service), actor }.run(&stopping).await;
    }
}

/// `contracts-contract-timers`.
fn name<A: Scheduled>(service: &str) -> Arc<str> {
    format!("{service}-{}-timers", A::KIND.aggregate).into()
}

#[async_trait::async_trait]
impl<A: Scheduled> AnyTimers for Timers<A> {
    fn collection(&self) -> &'static str {
        A::COLLECTION
    }

    async fn act_on_due(&self, id: &str, meta: &CommandMeta) -> Result<Option<Acted>, ExecuteError> {
        if !self.executor.get(&meta.tenant, id).await?.exists() {
            return Ok(None);
        }
        let done = self.executor.execute(id, &A::act_on_due(), meta).await?;
        Ok(Some(Acted {
            acted: done.written || done.repeated,
            next_due: done.loaded.state.next_due(),
            kind: A::KIND,
            position: done.loaded.position,
        }))
    }
}
