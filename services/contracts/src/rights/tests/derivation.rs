//! What each clause grants, in each version of the terms.

use proptest::prelude::*;
use tandem_proto::contracts::v1::{Contract, UsageKind, UsageRightsClause};

use super::{END, PUBLISHED, ads, ai, amended, contract, granting, instant, noticed, of_kind, published, terms_with};
use crate::contract::in_force::in_force;
use crate::fixtures::date;
use crate::rights::derivation::{End, Entitlement, early_end, entitlements};

fn derived(contract: &Contract, at: &str) -> Vec<Entitlement> {
    entitlements(contract, &published(at), early_end(contract)).unwrap()
}

/// Clause, version, start, end and what ends it, of each phase.
fn told(entitlements: &[Entitlement]) -> Vec<(&str, i32, String, String, End)> {
    let phases = entitlements.iter().flat_map(|right| right.phases.iter().map(move |phase| (right, phase)));
    let told = phases.map(|(right, phase)| {
        let (start, end) = (phase.window.start.to_string(), phase.window.end.to_string());
        (&right.clause_id[..], phase.version, start, end, phase.end)
    });
    told.collect()
}

fn row<'a>(clause: &'a str, version: i32, start: &str, until: &str, end: End) -> (&'a str, i32, String, String, End) {
    (clause, version, start.into(), until.into(), end)
}

#[test]
fn each_usage_rights_clause_grants_its_kind_from_publication_on() {
    let organic = UsageRightsClause { months: 0, days: 1, ..of_kind(UsageKind::Organic) };
    let rights = derived(&contract(granting(vec![("ads", ads()), ("organic", organic)])), PUBLISHED);
    assert_eq!(
        told(&rights),
        [row("ads", 2, PUBLISHED, END, End::Agreed), row("organic", 2, PUBLISHED, "2026-07-04T04:00:00Z", End::Agreed)]
    );
    assert_eq!(rights[0].kind, UsageKind::PaidAmplification);
    assert_eq!(
        (&rights[0].phases[0].channels, &rights[0].phases[0].territories),
        (&ads().channels, &ads().territories)
    );
}

#[test]
fn what_is_not_signed_grants_nothing() {
    let draft = Contract { sign_time: None, ..contract(granting(vec![("ads", ads())])) };
    assert_eq!(derived(&draft, PUBLISHED), []);
}

#[test]
fn what_the_clause_on_ai_and_likeness_allows_is_granted_for_as_long_as_the_contract_runs() {
    let rights = derived(&contract(terms_with(vec![ai(true, true)])), PUBLISHED);
    assert_eq!(rights.iter().map(|right| right.kind).collect::<Vec<_>>(), [UsageKind::AiTraining, UsageKind::Likeness]);
    for right in &rights {
        // The end of 2026-08-31 in New York.
        assert_eq!(right.phases[0].window.end, instant("2026-09-01T04:00:00Z"));
        assert_eq!(
            (&right.phases[0].channels[..], &right.phases[0].territories[..]),
            (&[][..], &["WORLD".to_owned()][..])
        );
    }
    assert_eq!(derived(&contract(terms_with(vec![ai(false, false)])), PUBLISHED), []);
}

#[test]
fn a_renewal_prolongs_what_runs_with_the_contract() {
    let renewed = Contract { end_date: date(2026, 11, 30), ..contract(terms_with(vec![ai(true, false)])) };
    assert_eq!(derived(&renewed, PUBLISHED)[0].phases[0].window.end, instant("2026-12-01T05:00:00Z"));
}

#[test]
fn a_usage_rights_clause_says_it_better_than_that_on_ai() {
    let mut terms = granting(vec![("models", of_kind(UsageKind::AiTraining))]);
    terms.clauses.push(ai(true, true));
    let rights = derived(&contract(terms), PUBLISHED);
    let kinds: Vec<_> = rights.iter().map(|right| (&right.clause_id[..], right.kind)).collect();
    assert_eq!(kinds, [("models", UsageKind::AiTraining), ("ai", UsageKind::Likeness)]);
}

#[test]
fn an_amendment_prolongs_what_was_published_before() {
    let longer = UsageRightsClause { months: 12, ..ads() };
    let prolonged =
        amended(contract(granting(vec![("ads", ads())])), granting(vec![("ads", longer)]), "2026-09-01T04:00:00Z");
    assert_eq!(
        told(&derived(&prolonged, PUBLISHED)),
        [
            row("ads", 2, PUBLISHED, "2026-09-01T04:00:00Z", End::Amended { version: 3 }),
            row("ads", 3, "2026-09-01T04:00:00Z", "2027-07-03T04:00:00Z", End::Agreed)
        ]
    );
}

#[test]
fn an_amendment_that_comes_after_the_end_leaves_a_gap() {
    let longer = UsageRightsClause { months: 12, ..ads() };
    let late =
        amended(contract(granting(vec![("ads", ads())])), granting(vec![("ads", longer)]), "2027-02-01T05:00:00Z");
    assert_eq!(
        told(&derived(&late, PUBLISHED)),
        [
            row("ads", 2, PUBLISHED, END, End::Agreed),
            row("ads", 3, "2027-02-01T05:00:00Z", "2027-07-03T04:00:00Z", End::Agreed)
        ]
    );
}

#[test]
fn an_amendment_ends_what_it_drops_and_begins_what_it_adds() {
    let organic = of_kind(UsageKind::Organic);
    let swapped =
        amended(contract(granting(vec![("ads", ads())])), granting(vec![("organic", organic)]), "2026-09-01T04:00:00Z");
    assert_eq!(
        told(&derived(&swapped, PUBLISHED)),
        [
            row("ads", 2, PUBLISHED, "2026-09-01T04:00:00Z", End::Amended { version: 3 }),
            row("organic", 3, "2026-09-01T04:00:00Z", END, End::Agreed)
        ]
    );
}

#[test]
fn what_never_came_to_apply_is_told_as_granted_nothing() {
    // Effective before the publication.
    let dropped = amended(contract(granting(vec![("ads", ads())])), terms_with(vec![]), "2026-07-01T04:00:00Z");
    let rights = derived(&dropped, PUBLISHED);
    assert_eq!((rights.len(), &rights[0].clause_id[..], rights[0].phases.len()), (1, "ads", 0));
}

#[test]
fn of_versions_in_effect_the_one_agreed_last_applies() {
    let months = |months| granting(vec![("ads", UsageRightsClause { months, ..ads() })]);
    let contract = amended(contract(months(6)), months(12), "2026-10-01T04:00:00Z");
    // Agreed later, effective earlier: version 3 never applies.
    let contract = amended(contract, months(9), "2026-09-01T04:00:00Z");
    let rights = derived(&contract, PUBLISHED);
    assert_eq!(rights[0].phases.iter().map(|phase| phase.version).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn a_termination_ends_what_ends_with_the_contract_and_nothing_else() {
    let ending = UsageRightsClause { ends_with_contract: true, ..of_kind(UsageKind::Organic) };
    let mut terms = granting(vec![("ads", ads()), ("organic", ending)]);
    terms.clauses.push(ai(true, false));
    let ended = noticed(contract(terms), "2026-08-01T04:00:00Z");
    assert_eq!(
        told(&derived(&ended, PUBLISHED)),
        [
            row("ads", 2, PUBLISHED, END, End::Agreed),
            row("organic", 2, PUBLISHED, "2026-08-01T04:00:00Z", End::Terminated),
            row("ai", 2, PUBLISHED, "2026-08-01T04:00:00Z", End::Terminated)
        ]
    );
}

#[test]
fn what_is_published_after_a_termination_is_granted_nothing() {
    let ended = noticed(contract(granting(vec![("ads", ads())])), "2026-07-01T04:00:00Z");
    assert_eq!(told(&derived(&ended, PUBLISHED)), []);
    // At the very instant it is over.
    let ended = noticed(contract(granting(vec![("ads", ads())])), PUBLISHED);
    assert_eq!(told(&derived(&ended, PUBLISHED)), []);
}

#[test]
fn what_is_published_after_the_last_day_is_granted_as_agreed() {
    let rights = derived(&contract(granting(vec![("ads", ads())])), "2026-09-15T12:00:00Z");
    assert_eq!(rights[0].phases[0].window.end, instant("2027-03-16T04:00:00Z"));
}

proptest! {
    #[test]
    fn of_a_clause_no_two_phases_overlap_and_each_is_of_the_version_that_applies(
        versions in prop::collection::vec((1_i32..24, 0_i64..500), 0..6), at in 0_i64..800, ends in prop::option::of(0_i64..500),
    ) {
        let day = |days: i64| instant(PUBLISHED) + jiff::SignedDuration::from_hours(24 * (days - 30));
        let months = |months| granting(vec![("ads", UsageRightsClause { months, ends_with_contract: true, ..ads() })]);
        let mut made = contract(months(6));
        for (length, effective) in &versions {
            made = amended(made, months(*length), &day(*effective).to_string());
        }
        let ends = ends.map(day);
        let rights = entitlements(&made, &published(PUBLISHED), ends).unwrap();
        let phases = &rights[0].phases;
        for pair in phases.windows(2) {
            prop_assert!(pair[0].window.end <= pair[1].window.start);
        }
        let at = day(at);
        let version = in_force(&made, at, jiff::Timestamp::MAX).unwrap().version.version;
        for phase in phases.iter().filter(|phase| phase.window.contains(at)) {
            prop_assert_eq!(phase.version, version);
            prop_assert!(ends.is_none_or(|ends| at < ends) && instant(PUBLISHED) <= at);
        }
    }
}
