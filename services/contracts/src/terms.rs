//! Terms: what brand and creator agree on, taken in from outside.
//!
//! Invariant: a [`Terms`] keeps every rule, those of its proto file and those that only the domain knows, and there is
//! no way to one but [`Terms::parse`]. What stands in the log has passed it.

mod clauses;
mod diff;
mod hash;
mod header;
#[cfg(test)]
mod tests;

pub use diff::{TERMS, changes, clause_changes};
pub use hash::hash;

use header::Header;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::google::r#type::Money;
use tandem_proto::validation::Path;
use tandem_proto::{FieldViolation, Validate as _};

/// Terms that a contract can be made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    message: pb::Terms,
    hash: String,
}

impl Terms {
    /// Takes terms that stand `at` a place of a request.
    ///
    /// # Errors
    /// All that is wrong with them, each with its path below `at` and what to do.
    pub fn parse(message: pb::Terms, at: &Path<'_>) -> Result<Self, Vec<FieldViolation>> {
        let mut wrong = Vec::new();
        message.check(at, &mut wrong);
        // What breaks a rule of the proto file may not even be there to be looked at.
        if wrong.is_empty() {
            let header = Header::parse(&message, at, &mut wrong);
            clauses::check(&message.clauses, &header, at, &mut wrong);
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self { hash: hash(&message), message })
    }

    /// As they go into the log.
    #[must_use]
    pub fn message(&self) -> &pb::Terms {
        &self.message
    }

    /// What a signature is over, see [`hash`].
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// Clauses that terms can be made of once the contract has given them currency, time zone and days.
#[derive(Clone, Debug, PartialEq)]
pub struct Clauses(Vec<pb::Clause>);

impl Clauses {
    /// Takes clauses whose proto rules hold, and which stand as `clauses` below `at`.
    ///
    /// # Errors
    /// All that is wrong with them by themselves, as in [`Terms::parse`].
    pub fn parse(clauses: Vec<pb::Clause>, at: &Path<'_>) -> Result<Self, Vec<FieldViolation>> {
        let mut wrong = Vec::new();
        clauses::check(&clauses, &Header::OPEN, at, &mut wrong);
        if wrong.is_empty() { Ok(Self(clauses)) } else { Err(wrong) }
    }

    /// As they go into the log.
    #[must_use]
    pub fn as_slice(&self) -> &[pb::Clause] {
        &self.0
    }
}

/// The fixed fees that the brand commits to by these terms, which have been parsed before: at most one clause is a fee.
#[must_use]
pub fn committed_amount(terms: &pb::Terms) -> Money {
    let fee = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(pb::clause::Clause::Fee(fee)) => fee.amount.clone(),
        _ => None,
    });
    fee.unwrap_or_else(|| Money { currency_code: terms.currency_code.clone(), units: 0, nanos: 0 })
}
