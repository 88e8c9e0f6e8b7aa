//! One partnership from a creator export to a paid, explained and auditable payout, told on the public API.
//!
//! Invariant: what it prints was answered by the platform; whatever is not as it should be ends it with an error.

mod cast;
mod faults;
mod money;
mod story;
mod world;

pub use cast::{Person, TENANT};
pub use faults::{Faults, Killer};
pub use story::{EndState, answers, draft, tell};
pub use world::World;
