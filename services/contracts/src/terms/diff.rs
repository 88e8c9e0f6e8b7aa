//! What differs between two rounds.
//!
//! Invariant: there are changes if and only if the hashes differ.

use std::collections::BTreeMap;

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
    changes.extend(between((&before.clauses, &old), (&after.clauses, &new)));
    changes
}

/// What differs between clauses, whatever their order: those added and changed in their new order, then those dropped in
/// their old one.
#[must_use]
pub fn clause_changes(before: &[Clause], after: &[Clause]) -> Vec<ClauseChange> {
    between((before, &by_id(before)), (after, &by_id(after))).collect()
}

fn between<'a>(
    (before, old): (&'a [Clause], &'a ById<'a>),
    (after, new): (&'a [Clause], &'a ById<'a>),
) -> impl Iterator<Item = ClauseChange> {
    let change = |id: &str, before: Option<&Clause>, after: Option<&Clause>| ClauseChange {
        clause_id: id.to_owned(),
        before: before.cloned(),
        after: after.cloned(),
    };
    let changed = after.iter().filter_map(move |clause| {
        let was = old.get(clause.clause_id.as_str()).copied();
        (was != Some(clause)).then(|| change(&clause.clause_id, was, Some(clause)))
    });
    let dropped = before.iter().filter(|clause| !new.contains_key(clause.clause_id.as_str()));
    changed.chain(dropped.map(move |clause| change(&clause.clause_id, Some(clause), None)))
}

/// Clauses by their ids. There are few, so that comparing is faster than hashing.
type ById<'a> = BTreeMap<&'a str, &'a Clause>;

fn by_id(clauses: &[Clause]) -> ById<'_> {
    clauses.iter().map(|clause| (clause.clause_id.as_str(), clause)).collect()
}

/// The terms without their clauses.
fn header(terms: &Terms) -> impl PartialEq {
    (&*terms.currency_code, &*terms.time_zone, terms.start_date, terms.end_date)
}

/// Ids, in order, of the clauses that the other round has, too.
fn shared<'a>(terms: &'a Terms, other: &'a ById<'_>) -> impl Iterator<Item = &'a str> {
    terms.clauses.iter().map(|clause| clause.clause_id.as_str()).filter(|id| other.contains_key(id))
}
