//! What the callers were told.
//!
//! Invariant: written down when the answer is there, before its caller goes on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A write that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Under which it was sent, however often.
    pub request_id: String,
    /// What it answered: the name of the resource ...
    pub resource: String,
    /// ... and its etag, which is the position of its last event in the log, in hex.
    pub etag: String,
}

/// All that the callers of one run were told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What was acknowledged, in no order.
    pub acknowledged: Vec<Acknowledged>,
    /// What was asked for until its caller lost patience, without ever an answer.
    pub unanswered: Vec<String>,
    /// What was refused that nothing stood against, with the refusal.
    pub refused: Vec<String>,
    /// Cents that acknowledged writes must have earned, by contract.
    pub earned: BTreeMap<String, Vec<i64>>,
}

/// Shared by all callers.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Told>);

impl Journal {
    fn lock(&self) -> MutexGuard<'_, Told> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn acknowledged(&self, request_id: &str, resource: &str, etag: &str) {
        let (request_id, resource, etag) = (request_id.to_owned(), resource.to_owned(), etag.to_owned());
        self.lock().acknowledged.push(Acknowledged { request_id, resource, etag });
    }

    pub(crate) fn unanswered(&self, what: String) {
        self.lock().unanswered.push(what);
    }

    pub(crate) fn refused(&self, what: String) {
        self.lock().refused.push(what);
    }

    /// Something under a contract earns so many cents; a negative amount is taken back.
    pub(crate) fn earns(&self, contract: &str, cents: i64) {
        self.lock().earned.entry(contract.to_owned()).or_default().push(cents);
    }

    /// Everything so far.
    #[must_use]
    pub fn told(&self) -> Told {
        self.lock().clone()
    }
}
