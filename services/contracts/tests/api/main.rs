//! The contracts service through its API: a real client, the real server, a real log.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod amendments;
mod exclusivity;
mod fixtures;
mod idempotency;
mod in_time;
mod life;
mod lists;
mod log;
mod obligations;
mod parties;
mod quote;
mod races;
mod refusals;
mod render;
mod rights;
mod statutes;
mod templates;
mod terminations;
mod three_years;
mod timers;
mod world;
