//! What a creator earns by the terms of a contract: the rules by which quotes and payouts alike are computed.
//!
//! Invariant: pure, and exact to the minor unit. A [`Ledger`] knows what happened under a contract and what it earned; all
//! that was earned less all that was taken back is what [`Rules`] grant for what is left in the end, in whatever order it
//! became known.

mod commission;
mod due;
mod fact;
mod grant;
mod ledger;
mod line;
mod rules;
mod sales;
mod termination;
#[cfg(test)]
mod tests;

pub use fact::{Fact, FactError};
pub use ledger::Ledger;
pub use line::{Line, percent};
pub use rules::{Rules, TermsError};
