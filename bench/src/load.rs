//! Closed-loop load: so many callers, each of which makes its next call when its last one was answered.
//!
//! Invariant: every call is counted and timed, and one that fails fails the measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

/// What one load saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Calls a second.
    pub(crate) rate: f64,
    /// Microseconds within which half of the calls were answered.
    pub(crate) p50: f64,
    /// Microseconds within which 99 of 100 calls were answered.
    pub(crate) p99: f64,
}

/// How long calls took: nanoseconds, to three digits.
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new(3)?))
    }

    pub(crate) fn record(&mut self, took: Duration) -> anyhow::Result<()> {
        Ok(self.0.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))?)
    }

    /// Microseconds within which this share of the calls was answered.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 nanoseconds")]
    pub(crate) fn micros(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// What calls that took so long saw, all of which were answered within `took`.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 calls")]
    pub(crate) fn sample(&self, took: Duration) -> Sample {
        let rate = self.0.len() as f64 / took.as_secs_f64();
        Sample { rate, p50: self.micros(0.5), p99: self.micros(0.99) }
    }
}

/// Makes `count` calls, numbered from 0, `in_flight` of them at a time.
pub(crate) async fn load<C, F>(in_flight: usize, count: usize, call: C) -> anyhow::Result<Sample>
where
    C: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let (call, next) = (Arc::new(call), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for _ in 0..in_flight {
        let (call, next) = (Arc::clone(&call), Arc::clone(&next));
        callers.spawn(async move {
            let mut times = Times::new()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(times);
                }
                let asked = Instant::now();
                call(number).await?;
                times.record(asked.elapsed())?;
            }
        });
    }
    let mut times = Times::new()?;
    while let Some(caller) = callers.join_next().await {
        times.0.add(caller??.0)?;
    }
    Ok(times.sample(began.elapsed()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn every_call_is_made_once() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::clone(&seen);
        let made = load(7, 100, move |number| {
            calls.lock().unwrap().push(number);
            async { Ok(()) }
        });
        let sample = made.await.unwrap();
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        assert!(sample.rate > 0.0 && sample.p50 <= sample.p99);
    }

    #[tokio::test]
    async fn a_failed_call_fails_all() {
        let made = load(3, 10, |number| async move {
            anyhow::ensure!(number != 5, "five");
            Ok(())
        });
        assert_eq!(made.await.unwrap_err().to_string(), "five");
    }
}
