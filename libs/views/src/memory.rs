//! Views in memory, for tests and simulation: what the databases do, without one, and with faults that a [`StoreGate`]
//! brings.
//!
//! Invariant: an answer is what SQLite would have answered; each access is one transaction, all or nothing.

#[cfg(any(test, feature = "testing"))]
mod query;
#[cfg(any(test, feature = "testing"))]
mod store;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "testing"))]
pub(crate) use query::page;
#[cfg(any(test, feature = "testing"))]
pub(crate) use store::unconnected;
#[cfg(any(test, feature = "testing"))]
pub use store::{MemoryViews, StoreGate};

/// Answers from memory where the database is there: `in_memory!(self.database, memory => memory.get(..).await)`.
macro_rules! in_memory {
    ($database:expr, $memory:ident => $answer:expr) => {
        #[cfg(any(test, feature = "testing"))]
        if let Some($memory) = &$database.memory {
            return $answer;
        }
    };
}
pub(crate) use in_memory;
