//! How long to wait before trying again what failed: twice as long each time, from 50 ms to 2 s.
//!
//! Invariant: a success starts it over.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }

    pub(super) fn reset(&mut self) {
        self.0 = FIRST;
    }
}
