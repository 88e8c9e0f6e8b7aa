//! Chance: numbers that follow from a seed.
//!
//! Invariant: whoever asks the same in the same order is told the same, on every machine.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A source of chance.
#[derive(Debug)]
pub struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// What follows from a seed, for one of several who ask (`salt`): how often one asks does not change what others are
    /// told.
    #[must_use]
    pub fn new(seed: u64, salt: &str) -> Self {
        // FNV-1a, which never changes.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let salted = salt.bytes().chain(seed.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
        Self(Mutex::new(fastrand::Rng::with_seed(salted)))
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..limit) }
    }

    /// From `least` to `most`.
    pub fn between(&self, least: i64, most: i64) -> i64 {
        least.saturating_add_unsigned(self.below(most.abs_diff(least) + 1))
    }

    /// Once in so many times; never if that is 0.
    pub fn one_in(&self, times: u64) -> bool {
        times > 0 && self.below(times) == 0
    }

    /// One of several; there is at least one.
    pub fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or_default()]
    }

    /// Up to so long, to the millisecond.
    pub fn up_to(&self, most: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(most.as_millis()).unwrap_or(u64::MAX).saturating_add(1)))
    }
}
