//! Where timers wait until their time comes: what the rest of this crate asks of it.
//!
//! Invariant: a timer stays in it until it has fired, and a fired one until it is acknowledged.

use std::time::Duration;

use futures::stream::BoxStream;
use tandem_eventlog::Kind;

use crate::timer::Timer;

/// A queue of timers. [`TimerStream`](crate::TimerStream) keeps it on JetStream; `MemoryTimers` in memory, for tests.
#[async_trait::async_trait]
pub trait TimerQueue: Send + Sync + 'static {
    /// Lets a timer fire at its instant; at once if that has passed. Arming again what waits already changes nothing.
    async fn arm(&self, kind: Kind, timer: &Timer) -> Result<(), QueueError>;

    /// The fired timers of a kind, each handed to one of the consumers of this name until acknowledged.
    async fn fired(&self, kind: Kind, consumer: &str) -> Result<FiredStream, QueueError>;
}

/// A timer whose time has come. Unless it is acknowledged it comes again.
#[async_trait::async_trait]
pub trait Fired: Send + Sync {
    /// The timer.
    fn timer(&self) -> &Timer;
    /// How often it was handed out, from 1.
    fn attempt(&self) -> u64;
    /// Done with it.
    async fn ack(&self) -> Result<(), QueueError>;
    /// Not done with it: hand it out again after `delay`.
    async fn retry(&self, delay: Duration) -> Result<(), QueueError>;
}

/// A stream of fired timers.
pub type FiredStream = BoxStream<'static, Result<Box<dyn Fired>, QueueError>>;

/// A timer could not be armed, or fired ones not be had or settled.
#[derive(Debug, thiserror::Error)]
#[error("the stream of timers does not do it: {0}")]
pub struct QueueError(String);

impl QueueError {
    /// With what was said.
    pub fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}
