//! Terms are tested by what a change to good ones leads to.

mod added;
mod diff;
mod hash;

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::Money;
use tandem_proto::validation::Path;

use super::{Terms, committed_amount};
use crate::fixtures::{clause, date, deliverable, instalment, step, terms, terms_for, usd};

/// Changes good terms, and names the fields at fault with what is said of them.
fn faults(change: impl FnOnce(&mut pb::Terms)) -> Vec<(String, String)> {
    let mut terms = terms();
    change(&mut terms);
    let root = Path::Root;
    let parsed = Terms::parse(terms, &root.field("contract").field("terms"));
    parsed.err().unwrap_or_default().into_iter().map(|wrong| (wrong.field, wrong.description)).collect()
}

/// Only this field is at fault, and the description has these words.
#[track_caller]
fn assert_fault(change: impl FnOnce(&mut pb::Terms), field: &str, words: &str) {
    let faults = faults(change);
    let [(at, description)] = &faults[..] else { panic!("expected one fault at {field}: {faults:?}") };
    assert_eq!(at, &format!("contract.terms.{field}"));
    assert!(description.contains(words), "{description}");
}

fn deliverables(terms: &mut pb::Terms) -> &mut Vec<pb::DeliverableTerm> {
    match &mut terms.clauses[0].clause {
        Some(Kind::Deliverables(clause)) => &mut clause.deliverables,
        other => panic!("{other:?}"),
    }
}

fn fee(terms: &mut pb::Terms) -> &mut pb::FeeClause {
    match &mut terms.clauses[1].clause {
        Some(Kind::Fee(clause)) => clause,
        other => panic!("{other:?}"),
    }
}

fn usage_rights(terms: &mut pb::Terms) -> &mut pb::UsageRightsClause {
    match &mut terms.clauses[5].clause {
        Some(Kind::UsageRights(clause)) => clause,
        other => panic!("{other:?}"),
    }
}

fn kill_fee(terms: &mut pb::Terms) -> &mut Vec<pb::KillFeeStep> {
    match &mut terms.clauses[10].clause {
        Some(Kind::KillFee(clause)) => &mut clause.steps,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clause_of_every_kind_is_taken() {
    assert_eq!(faults(|_| ()), []);
}

#[test]
fn rules_of_the_proto_file_hold_too() {
    assert_fault(|terms| terms.clauses.clear(), "clauses", "at least 1");
    assert_fault(|terms| terms.start_date = None, "start_date", "is required");
    assert_fault(|terms| terms.clauses[2].clause = None, "clauses[2].clause", "set one of deliverables");
    assert_fault(|terms| usage_rights(terms).kind = 99, "clauses[5].usage_rights.kind", "not a known value");
    assert_fault(
        |terms| usage_rights(terms).territories.push("us".into()),
        "clauses[5].usage_rights.territories[2]",
        "WORLD",
    );
}

#[test]
fn the_currency_is_one_that_can_be_paid_in() {
    assert_fault(|terms| terms.currency_code = "XAU".into(), "currency_code", "ISO 4217");
}

#[test]
fn the_time_zone_is_known() {
    assert_fault(|terms| terms.time_zone = "America/Springfield".into(), "time_zone", "IANA name");
}

#[test]
fn dates_are_days_of_the_calendar() {
    assert_fault(|terms| terms.start_date = date(2026, 2, 29), "start_date", "2026-2-29 is not a day");
    assert_fault(|terms| terms.end_date = date(2026, 8, 0), "end_date", "is not a day");
    assert_fault(
        |terms| deliverables(terms)[0].due_date = date(2026, 6, 31),
        "clauses[0].deliverables.deliverables[0].due_date",
        "is not a day",
    );
}

#[test]
fn the_end_is_not_before_the_start() {
    assert_fault(|terms| terms.end_date = date(2026, 5, 31), "end_date", "before the start on 2026-06-01");
    let one_day = |terms: &mut pb::Terms| {
        terms.end_date = terms.start_date;
        deliverables(terms)[0].due_date = terms.start_date;
    };
    assert_eq!(faults(one_day), []);
}

#[test]
fn clause_ids_are_unique() {
    assert_fault(|terms| terms.clauses[3].clause_id = "fee".into(), "clauses[3].clause_id", "earlier clause");
}

#[test]
fn there_is_one_clause_of_a_kind() {
    // All but usage rights (5) and exclusivity (6).
    for index in [0, 1, 2, 3, 4, 7, 8, 9, 10, 11] {
        let again = |terms: &mut pb::Terms| {
            let kind = terms.clauses[index].clause.clone().unwrap();
            terms.clauses.push(clause("again", kind));
        };
        assert_fault(again, "clauses[12]", "make one clause of them");
    }
}

#[test]
fn usage_rights_and_exclusivity_may_stand_several_times() {
    for index in [5, 6] {
        let again = |terms: &mut pb::Terms| {
            let kind = terms.clauses[index].clause.clone().unwrap();
            terms.clauses.push(clause("again", kind));
        };
        assert_eq!(faults(again), []);
    }
}

#[test]
fn deliverable_ids_are_unique() {
    assert_fault(
        |terms| deliverables(terms).push(deliverable("reel-1", date(2026, 7, 1))),
        "clauses[0].deliverables.deliverables[1].deliverable_id",
        "earlier deliverable",
    );
}

#[test]
fn deliverables_are_due_within_the_contract() {
    for outside in [date(2026, 5, 31), date(2026, 9, 1)] {
        assert_fault(
            |terms| deliverables(terms)[0].due_date = outside,
            "clauses[0].deliverables.deliverables[0].due_date",
            "give a day from 2026-06-01 to 2026-08-31",
        );
    }
    for within in [date(2026, 6, 1), date(2026, 8, 31)] {
        assert_eq!(faults(|terms| deliverables(terms)[0].due_date = within), []);
    }
}

#[test]
fn a_fee_is_a_positive_number_of_minor_units() {
    let at = "clauses[1].fee.amount";
    let amount = |units, nanos| Some(Money { currency_code: "USD".into(), units, nanos });
    assert_fault(|terms| fee(terms).amount = amount(0, 0), at, "must be more than nothing");
    assert_fault(|terms| fee(terms).amount = amount(-5, 0), at, "must be more than nothing");
    assert_fault(|terms| fee(terms).amount = amount(1, 5_000_000), at, "fraction of a minor unit");
    assert_fault(|terms| fee(terms).amount = amount(i64::MAX, 0), at, "too large");
    assert_eq!(faults(|terms| fee(terms).amount = amount(0, 10_000_000)), []);
}

#[test]
fn a_fee_is_in_the_currency_of_the_terms() {
    assert_fault(|terms| terms.currency_code = "EUR".into(), "clauses[1].fee.amount", "is in USD, the terms in EUR");
}

#[test]
fn instalments_make_up_the_whole_fee() {
    for shares in [vec![9999], vec![5000, 5001], vec![10_000, 1]] {
        let instalments = shares.into_iter().map(|share| instalment(pb::Milestone::Signing, share)).collect();
        assert_fault(|terms| fee(terms).instalments = instalments, "clauses[1].fee.instalments", "must make up 10000");
    }
}

#[test]
fn a_publication_needs_something_to_publish() {
    assert_fault(
        |terms| drop(terms.clauses.remove(0)),
        "clauses[0].fee.instalments[1].milestone",
        "add a deliverables clause",
    );
    let for_signing_alone = |terms: &mut pb::Terms| {
        fee(terms).instalments = vec![instalment(pb::Milestone::Signing, 10_000)];
        terms.clauses.remove(0);
    };
    assert_eq!(faults(for_signing_alone), []);
}

#[test]
fn usage_rights_last_either_months_or_days() {
    let at = "clauses[5].usage_rights";
    assert_fault(|terms| usage_rights(terms).months = 0, at, "set months or days");
    assert_fault(|terms| usage_rights(terms).days = 10, at, "either months or days");
    let days = |terms: &mut pb::Terms| (usage_rights(terms).months, usage_rights(terms).days) = (0, 90);
    assert_eq!(faults(days), []);
}

#[test]
fn a_kill_fee_rises_with_the_work() {
    let at = "clauses[10].kill_fee.steps[1]";
    let progress = |terms: &mut pb::Terms| kill_fee(terms)[1].progress = pb::WorkProgress::Signed.into();
    assert_fault(progress, &format!("{at}.progress"), "further than that of the step before");
    let less = |terms: &mut pb::Terms| kill_fee(terms)[1].share_basis_points = 2499;
    assert_fault(less, &format!("{at}.share_basis_points"), "more work never earns less");
    let the_same = |terms: &mut pb::Terms| kill_fee(terms).push(step(pb::WorkProgress::DraftApproved, 5000));
    assert_eq!(faults(the_same), []);
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = faults(|terms| {
        terms.currency_code = "XXX".into();
        terms.time_zone = "Mars".into();
        terms.end_date = date(2026, 13, 1);
        fee(terms).instalments.pop();
        usage_rights(terms).months = 0;
    });
    let fields: Vec<_> = faults.iter().map(|(field, _)| field.trim_start_matches("contract.terms.")).collect();
    let expected = ["currency_code", "time_zone", "end_date", "clauses[1].fee.instalments", "clauses[5].usage_rights"];
    assert_eq!(fields, expected);
}

#[test]
fn the_brand_commits_to_the_fixed_fee() {
    assert_eq!(Some(committed_amount(&terms_for(1234))), usd(1234));
    let mut terms = terms();
    terms.clauses.remove(1);
    assert_eq!(Some(committed_amount(&terms)), usd(0));
}
