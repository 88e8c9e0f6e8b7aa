//! What the edges take from the machine: the time, and ids that nobody else has.
//!
//! Invariant: outside of a simulation these are the machine's clock and random ids; `clippy.toml` bans them where decisions
//! are made all the same.

use jiff::Timestamp;
use uuid::Uuid;

#[cfg(feature = "simulation")]
pub use simulated::{Simulated, simulate};

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
pub fn now() -> Timestamp {
    #[cfg(feature = "simulation")]
    if let Some(now) = simulated::now() {
        return now;
    }
    Timestamp::now()
}

/// A new id, UUID v7.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
pub fn new_id() -> Uuid {
    #[cfg(feature = "simulation")]
    if let Some(id) = simulated::new_id() {
        return id;
    }
    Uuid::now_v7()
}

#[cfg(feature = "simulation")]
mod simulated {
    use std::cell::RefCell;
    use std::marker::PhantomData;

    use jiff::{SignedDuration, Timestamp};
    use tokio::time::Instant;
    use uuid::Uuid;

    thread_local! {
        static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
    }

    struct Clock {
        start: Timestamp,
        since: Instant,
        /// State of SplitMix64.
        ids: u64,
    }

    /// Until it is dropped, time and ids of this thread are simulated.
    #[must_use]
    pub struct Simulated(PhantomData<*const ()>);

    /// From now on it is `start` on this thread, and time passes as Tokio's does, which a test can pause; ids follow from
    /// `seed` and the time.
    pub fn simulate(start: Timestamp, seed: u64) -> Simulated {
        CLOCK.set(Some(Clock { start, since: Instant::now(), ids: seed }));
        Simulated(PhantomData)
    }

    impl Drop for Simulated {
        fn drop(&mut self) {
            CLOCK.set(None);
        }
    }

    pub(super) fn now() -> Option<Timestamp> {
        CLOCK.with_borrow(|clock| clock.as_ref().map(Clock::now))
    }

    pub(super) fn new_id() -> Option<Uuid> {
        CLOCK.with_borrow_mut(|clock| clock.as_mut().map(Clock::new_id))
    }

    impl Clock {
        fn now(&self) -> Timestamp {
            let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
            self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
        }

        fn new_id(&mut self) -> Uuid {
            let mut random = [0; 10];
            random[..8].copy_from_slice(&self.next().to_be_bytes());
            let millis = u64::try_from(self.now().as_millisecond()).unwrap_or_default();
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
        }

        /// SplitMix64 (Steele, Lea, Flood 2014).
        fn next(&mut self) -> u64 {
            self.ids = self.ids.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.ids;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }
    }
}
