//! Open-loop load: calls come when they come, whether or not earlier ones were answered, as those of many users do.
//!
//! Invariant: a call is timed from the moment at which it was due, so that what waits for a system that has fallen behind
//! is part of the time (no coordinated omission).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::load::{Sample, Times};

/// Enough to keep everything busy, and below what a service refuses as overload; calls beyond it wait, and their waiting
/// counts.
const MOST_IN_FLIGHT: usize = 128;
/// Calls come at the same moments in every run.
const SEED: u64 = 7;
/// Shorter waits of the pacing thread cost more than they tell.
const SHORTEST_WAIT: Duration = Duration::from_micros(100);

/// Offers `rate` calls a second on average, at random moments (a Poisson process), for `time`.
pub(crate) async fn offer<C, F>(rate: f64, time: Duration, call: C) -> anyhow::Result<Sample>
where
    C: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let arrivals = arrivals(rate, time);
    let (call, permits) = (Arc::new(call), Arc::new(Semaphore::new(MOST_IN_FLIGHT)));
    let (sender, mut due) = mpsc::unbounded_channel();
    let mut calls = JoinSet::new();
    let began = Instant::now();
    // A thread, for the runtime's timer is as coarse as a millisecond.
    let pacer = tokio::task::spawn_blocking(move || pace(began, arrivals, &sender));
    while let Some((number, due)) = due.recv().await {
        let (call, permits) = (Arc::clone(&call), Arc::clone(&permits));
        calls.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            call(number).await?;
            anyhow::Ok(Instant::now().saturating_duration_since(due))
        });
    }
    pacer.await?;
    let mut times = Times::new()?;
    while let Some(took) = calls.join_next().await {
        times.record(took??)?;
    }
    Ok(times.sample(began.elapsed()))
}

/// Tells of each call when it is due.
fn pace(began: Instant, arrivals: Vec<Duration>, sender: &mpsc::UnboundedSender<(usize, Instant)>) {
    for (number, at) in arrivals.into_iter().enumerate() {
        let due = began + at;
        let wait = due.saturating_duration_since(Instant::now());
        if wait > SHORTEST_WAIT {
            std::thread::sleep(wait);
        }
        if sender.send((number, due)).is_err() {
            return;
        }
    }
}

/// When calls are due, with exponentially distributed gaps.
fn arrivals(rate: f64, time: Duration) -> Vec<Duration> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut at = 0.0;
    let gaps = std::iter::from_fn(|| {
        // 1 - f64() is never 0.
        at -= (1.0 - random.f64()).ln() / rate;
        (at < time.as_secs_f64()).then(|| Duration::from_secs_f64(at))
    });
    gaps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_at_random_moments_and_as_many_as_were_asked_for() {
        let arrivals = arrivals(1000.0, Duration::from_secs(10));
        assert!((9700..10_300).contains(&arrivals.len()), "{}", arrivals.len());
        assert!(arrivals.is_sorted());
        let soon = arrivals.windows(2).filter(|pair| pair[1] - pair[0] < Duration::from_millis(1)).count();
        // 1 - 1/e of the gaps are shorter than the mean one.
        assert!((6000..6600).contains(&soon), "{soon}");
    }

    #[tokio::test]
    async fn waiting_for_a_call_that_takes_long_counts() {
        // Two calls are due at about the same time, and only one can be taken at a time.
        let one = Arc::new(Semaphore::new(1));
        let call = move |_| {
            let one = Arc::clone(&one);
            async move {
                let _one = one.acquire().await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(())
            }
        };
        let sample = offer(2000.0, Duration::from_millis(20), call).await.unwrap();
        assert!(sample.p99 > 50_000.0, "{sample:?}: about forty calls, one after the other, due within 20 ms");
    }
}
