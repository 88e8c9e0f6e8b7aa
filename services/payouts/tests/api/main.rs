//! The payouts service through its API: a real client, the real server, a real log; contracts and creators are stand-ins.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too, and makes its own ids"
)]

mod accrual;
mod compensation_facts;
mod earnings;
mod explain;
mod fixtures;
mod ledgers;
mod logs;
mod runs;
mod settlement;
mod stand_ins;
mod submission;
mod unpayable;
mod world;
