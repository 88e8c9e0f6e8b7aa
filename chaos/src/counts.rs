//! What is counted while the load runs.
//!
//! Invariant: counted where it happens, by whom it happens to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Tries that the clients of this process have repeated by themselves.
static RETRIED: AtomicU64 = AtomicU64::new(0);

/// Counts the client's retries by what it logs of them.
#[derive(Clone, Copy, Debug)]
pub struct CountRetries;

impl<S: Subscriber> Layer<S> for CountRetries {
    /// Nothing else is asked for: it would cost the load.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == "tandem_client::retry" { Interest::always() } else { Interest::never() }
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        RETRIED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Of one run.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    acknowledged: AtomicU64,
    refused: AtomicU64,
    longest: Mutex<(Duration, String)>,
    retried_before: AtomicU64,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Writes acknowledged.
    pub acknowledged: u64,
    /// Tries that clients repeated by themselves.
    pub retried: u64,
    /// Answers UNAVAILABLE or the like that were left when a client's tries were used up; the caller asked again.
    pub refused: u64,
    /// The longest that a write took from its first try to its acknowledgement: an outage as a caller sees it.
    pub longest: Duration,
    /// What that was.
    pub longest_write: String,
}

impl Counts {
    pub(crate) fn start() -> Self {
        let counts = Self::default();
        counts.0.retried_before.store(RETRIED.load(Ordering::Relaxed), Ordering::Relaxed);
        counts
    }

    pub(crate) fn acknowledged(&self, what: &str, took: Duration) {
        self.0.acknowledged.fetch_add(1, Ordering::Relaxed);
        let mut longest = self.longest();
        if took > longest.0 {
            *longest = (took, what.to_owned());
        }
    }

    fn longest(&self) -> MutexGuard<'_, (Duration, String)> {
        // It is put in whole or not at all.
        self.0.longest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counted(&self) -> Counted {
        let (longest, longest_write) = self.longest().clone();
        Counted {
            acknowledged: self.0.acknowledged.load(Ordering::Relaxed),
            retried: RETRIED.load(Ordering::Relaxed) - self.0.retried_before.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
            longest,
            longest_write,
        }
    }
}
