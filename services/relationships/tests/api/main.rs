//! The relationships service through its API: a real client, the real server, a real log.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too, and makes its own ids"
)]

mod as_of;
mod lists;
mod watch;
mod world;
