//! Usage rights: what a contract grants for what is published under it, and whether a use is covered.
//!
//! | module | is |
//! |---|---|
//! | [`publications`] | the view of what is published, and under which contract |
//! | [`window`] | spans of time, and where the days of a clause end |
//! | `grants` | a clause and a publication → what it grants by itself |
//! | [`derivation`] | the contract and a publication → what each clause grants, in each version of the terms |
//! | [`register`] | that → what the register of rights has to hold |
//! | [`check`] | that and a use → yes or no, with the reason |
//!
//! Invariant: all but the view is a pure function of the contract and the publication, so the register can always be
//! made anew from them, and a check is right even where the register is not yet.

pub mod check;
pub mod derivation;
mod grants;
pub mod publications;
pub mod register;
#[cfg(test)]
mod tests;
pub mod window;
mod words;
