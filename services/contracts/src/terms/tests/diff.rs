//! What is said of two rounds.

use proptest::prelude::*;
use tandem_proto::contracts::v1 as pb;

use super::super::{TERMS, changes, hash};
use crate::fixtures::{clause, date, terms, terms_for};

/// Ids of the changed clauses, with "+" if new, "-" if dropped, "~" if changed.
fn told(before: &pb::Terms, after: &pb::Terms) -> Vec<String> {
    let sign = |change: &pb::ClauseChange| match (&change.before, &change.after) {
        (None, Some(_)) => "+",
        (Some(_), None) => "-",
        (Some(_), Some(_)) => "~",
        (None, None) => "",
    };
    changes(before, after).iter().map(|change| format!("{}{}", sign(change), change.clause_id)).collect()
}

fn changed(change: impl FnOnce(&mut pb::Terms)) -> pb::Terms {
    let mut terms = terms();
    change(&mut terms);
    terms
}

#[test]
fn nothing_differs() {
    assert_eq!(changes(&terms(), &terms()), []);
}

#[test]
fn clauses_are_added_changed_and_dropped() {
    let mut after = terms_for(5000);
    let dropped = after.clauses.remove(2);
    after.clauses.push(clause("sales", dropped.clause.unwrap()));
    assert_eq!(told(&terms(), &after), ["~fee", "+sales", "-commission"]);

    let fee = changes(&terms(), &after).remove(0);
    assert_eq!((fee.before, fee.after), (Some(terms().clauses[1].clone()), Some(after.clauses[1].clone())));
}

#[test]
fn what_is_in_no_clause_is_told_too() {
    for after in [
        changed(|terms| terms.currency_code = "EUR".into()),
        changed(|terms| terms.time_zone = "UTC".into()),
        changed(|terms| terms.start_date = date(2026, 6, 2)),
        changed(|terms| terms.end_date = date(2026, 9, 1)),
        changed(|terms| terms.clauses.reverse()),
    ] {
        assert_eq!(told(&terms(), &after), [TERMS]);
    }
}

#[test]
fn a_clause_put_in_between_does_not_change_the_order_of_the_others() {
    let after = changed(|terms| {
        let kind = terms.clauses.remove(3).clause.unwrap();
        terms.clauses.insert(0, clause("new", kind));
    });
    assert_eq!(told(&terms(), &after), ["+new", "-payment"]);
}

/// Terms by what is left of the clauses of the fixture, in which order, and for which fee.
fn any_terms() -> impl Strategy<Value = pb::Terms> {
    let clauses = terms_for(1).clauses.into_iter().chain([terms_for(2).clauses.remove(1)]).collect::<Vec<_>>();
    let picked = proptest::sample::subsequence(clauses, 0..4).prop_shuffle();
    (picked, 1..3).prop_map(|(mut clauses, day)| {
        // One of each id, as in any terms.
        let mut ids = std::collections::HashSet::new();
        clauses.retain(|clause| ids.insert(clause.clause_id.clone()));
        pb::Terms { start_date: date(2026, 6, day), clauses, ..terms() }
    })
}

proptest! {
    #[test]
    fn there_are_changes_if_and_only_if_the_hashes_differ(before in any_terms(), after in any_terms()) {
        prop_assert_eq!(changes(&before, &after).is_empty(), hash(&before) == hash(&after));
    }

    #[test]
    fn the_changes_lead_from_one_round_to_the_next(before in any_terms(), after in any_terms()) {
        let mut clauses = before.clauses.clone();
        for change in changes(&before, &after).into_iter().filter(|change| change.clause_id != TERMS) {
            clauses.retain(|clause| Some(clause) != change.before.as_ref());
            clauses.extend(change.after);
        }
        let by_id = |mut clauses: Vec<pb::Clause>| {
            clauses.sort_by(|a, b| a.clause_id.cmp(&b.clause_id));
            clauses
        };
        prop_assert_eq!(by_id(clauses), by_id(after.clauses));
    }
}
