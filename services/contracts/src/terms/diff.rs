//! What differs between two rounds.
//!
//! Invariant: there are changes if and only if the hashes differ.

use std::collections::HashMap;

use tandem_proto::contracts::v1::{Clause, ClauseChange, Terms};

/// Stands for what is not in a clause: currency, time zone, dates and the order of the clauses. No clause can have this
/// id.
pub const TERMS: &str = "(terms)";

/// The changes from one round to the next: the terms as such, then those of the clauses.
#[must_use]
pub fn changes(before: &Terms, after: &Terms) -> Vec<ClauseChange> {
    let (old, new) = (by_id(&before.clauses), by_id(&after.clauses));
    let mut changes = Vec::new();
    if header(before) != header(after) || !shared(before, &new).eq(shared(after, &old)) {
        changes.push(ClauseChange { clause_id: TERMS.to_owned(), ..ClauseChange::default() });
    }
    changes.extend(clause_changes(&before.clauses, &after.clauses));
    changes
}

/// What differs between clauses, whatever their order: those added and changed in their new order, then those dropped in
/// their old one.
#[must_use]
pub fn clause_changes(before: &[Clause], after: &[Clause]) -> Vec<ClauseChange> {
    let (old, new) = (by_id(before), by_id(after));
    let change = |clause_id: &str, before: Option<&Clause>, after: Option<&Clause>| ClauseChange {
        clause_id: clause_id.to_owned(),
        before: before.cloned(),
        after: after.cloned(),
    };
    let mut changes = Vec::new();
    for clause in after {
        let was = old.get(clause.clause_id.as_str()).copied();
        if was != Some(clause) {
            changes.push(change(&clause.clause_id, was, Some(clause)));
        }
    }
    for clause in before {
        if !new.contains_key(clause.clause_id.as_str()) {
            changes.push(change(&clause.clause_id, Some(clause), None));
        }
    }
    changes
}

fn by_id(clauses: &[Clause]) -> HashMap<&str, &Clause> {
    clauses.iter().map(|clause| (clause.clause_id.as_str(), clause)).collect()
}

/// The terms without their clauses.
fn header(terms: &Terms) -> impl PartialEq {
    (terms.currency_code.clone(), terms.time_zone.clone(), terms.start_date, terms.end_date)
}

/// Ids, in order, of the clauses that the other round has, too.
fn shared<'a>(terms: &'a Terms, other: &'a HashMap<&str, &Clause>) -> impl Iterator<Item = &'a str> {
    terms.clauses.iter().map(|clause| clause.clause_id.as_str()).filter(|id| other.contains_key(id))
}
