//! Who calls, and whether they may.
//!
//! Invariant: a request reaches a handler only with a verified token that carries the method's permission. A method
//! whose proto file names none is denied to everyone.

mod caller;
mod keys;
mod layer;
mod tokens;

pub use caller::Caller;
pub(crate) use layer::{Admitted, AuthLayer};
pub(crate) use tokens::Authenticator;
