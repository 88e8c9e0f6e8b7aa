//! Timers over a real NATS server, by the wall clock: due dates are a moment ahead.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too, and lives by the clock"
)]

mod alarm;
mod faults;
mod fires;
mod open;
mod restarts;
mod restore;
mod world;
