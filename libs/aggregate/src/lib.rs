//! Deciding: aggregates, the executor that runs commands on them, processes that turn events into commands.
//!
//! Invariant: a command takes effect at most once for its `request_id`, for as long as its aggregate lives, whatever
//! happens to replies, processes and caches in between.

mod aggregate;
mod cache;
mod executor;
mod failing;
mod loaded;
mod process;
pub mod testing;

pub use aggregate::{Aggregate, Context, Refusal, Scheduled};
pub use cache::AggregateCache;
pub use executor::{CommandMeta, ExecuteError, Executor, Outcome, Staged, commit_together};
pub use failing::{Failing, FailingDelivery, Watched};
pub use loaded::{Loaded, etag};
pub use process::{Cause, Process, ProcessError, retry_delay, run_processes};
