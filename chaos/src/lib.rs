//! Real faults: processes and servers killed, paused, starved of storage and away, under load through the public API.
//!
//! Every scenario starts a whole Tandem of its own, each service a process, and callers that lead partnerships from the
//! contract to the payout with the real client. When its faults are over, and everything has come back by itself, the log
//! is read and held against what the callers were told: see [`check`].
//!
//! Invariant: nothing is taken on trust. What a caller was answered is written down before it goes on, and what the log,
//! the views and the money come to is compared with that, not with what should have happened.

pub mod check;
mod counts;
mod evidence;
mod finance;
pub mod journal;
mod life;
mod load;
pub mod report;
pub mod scenario;
mod services;
mod world;
mod writer;

pub use counts::CountRetries;
pub use scenario::{Options, Report, Scenario, run};
