//! The campaigns service through its API: a real client, the real server, a real log. Only the contracts service is
//! another: one that answers the contracts that a test has put there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod contracts;
mod creators;
mod deadlines;
mod joining;
mod life;
mod lists;
mod orders;
mod refusals;
mod world;
