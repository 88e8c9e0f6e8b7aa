//! Exclusivity: what a signed contract keeps its creator from doing for other brands, and what stands against it.
//!
//! | module | is |
//! |---|---|
//! | [`taxonomy`] | the product categories, and which of them exclude each other |
//! | [`days`] | stretches of days, and where they overlap |
//! | [`mod@commitment`] | what a contract binds its creator to |
//! | [`conflict`] | where two contracts of a creator stand against each other |
//! | [`book`] | the aggregate: all that binds one creator now |
//! | [`keeping`] | the process that keeps a book in step with its contracts |
//!
//! Invariant: a contract gets into a creator's book in the same commit that signs it, so no two that exclude each other
//! are signed unseen: the later of two finds the earlier one, however close together they are.
//!
//! A creator who is merged into another keeps a book of their own: contracts of the two are not held against each other.

pub mod book;
pub mod commitment;
pub mod conflict;
pub mod days;
pub mod keeping;
pub mod taxonomy;
#[cfg(test)]
mod tests;

pub use book::Book;
pub use commitment::commitment;
