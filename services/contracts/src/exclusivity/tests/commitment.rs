//! What a contract binds to, read from its terms and what has become of it.

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{ContractState as State, Effect};
use tandem_proto::google::r#type::Date;

use super::words;
use crate::exclusivity::commitment::{binds, commitment, last_day};
use crate::fixtures::{BRAND, CREATOR, clause, date, terms};

/// The contract of the fixtures, from June to August 2026 in New York, that does not renew itself.
fn contract() -> pb::Contract {
    let mut contract = pb::Contract {
        name: "contracts/summer".into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        terms: Some(terms()),
        ..pb::Contract::default()
    };
    for clause in clauses(&mut contract) {
        if let Some(Kind::Renewal(renewal)) = &mut clause.clause {
            renewal.auto_renew = false;
        }
    }
    contract.set_state(State::Active);
    contract
}

fn clauses(contract: &mut pb::Contract) -> &mut Vec<pb::Clause> {
    &mut contract.terms.as_mut().unwrap().clauses
}

fn without(contract: &mut pb::Contract, kind: impl Fn(&Kind) -> bool) {
    clauses(contract).retain(|clause| !clause.clause.as_ref().is_some_and(&kind));
}

fn deliverables(contract: &mut pb::Contract) -> &mut pb::DeliverablesClause {
    let owed = clauses(contract).iter_mut().find_map(|clause| match &mut clause.clause {
        Some(Kind::Deliverables(clause)) => Some(clause),
        _ => None,
    });
    owed.unwrap()
}

fn auto_renewing() -> pb::Contract {
    pb::Contract { terms: Some(terms()), ..contract() }
}

fn terminated(effective_time: &str, effects: Vec<pb::ClauseEffect>) -> pb::Contract {
    let effective_time = Some(instant(effective_time));
    let termination = pb::Termination { effective_time, effects, ..pb::Termination::default() };
    pb::Contract { termination: Some(termination), ..auto_renewing() }
}

fn instant(text: &str) -> prost_types::Timestamp {
    tandem_proto::time::to_proto(text.parse().unwrap())
}

/// First and last days of the windows.
fn windows(contract: &pb::Contract) -> Vec<(Option<Date>, Option<Date>)> {
    commitment(contract).windows.iter().map(|window| (window.start_date, window.end_date)).collect()
}

#[test]
fn it_binds_to_work_and_to_what_is_exclusive() {
    let bound = commitment(&contract());
    assert_eq!(bound.contract, "contracts/summer");
    assert_eq!((&bound.brand[..], &bound.creator[..]), (BRAND, CREATOR));
    assert_eq!((bound.start_date, bound.end_date, bound.open_ended), (date(2026, 6, 1), date(2026, 8, 31), false));
    let [window] = &bound.windows[..] else { panic!("{bound:?}") };
    assert_eq!((&window.clause_id[..], &window.categories), ("exclusivity", &words(["skin-care"])));
    assert_eq!(window.territories, words(["WORLD"]));
}

#[test]
fn a_window_outlasts_the_contract_by_the_agreed_days() {
    assert_eq!(windows(&contract()), [(date(2026, 6, 1), date(2026, 9, 30))]);
    assert_eq!(last_day(&commitment(&contract())).to_string(), "2026-09-30");
}

#[test]
fn the_work_is_in_the_categories_of_the_deliverables_or_else_of_the_own_exclusivity() {
    let mut contract = contract();
    assert_eq!(commitment(&contract).categories, words(["skin-care"]));
    deliverables(&mut contract).categories = words(["make-up", "fragrance"]);
    assert_eq!(commitment(&contract).categories, words(["make-up", "fragrance"]));
}

#[test]
fn a_contract_that_says_nothing_of_categories_binds_to_nothing() {
    let mut contract = contract();
    without(&mut contract, |kind| matches!(kind, Kind::Exclusivity(_)));
    assert!(!binds(&commitment(&contract)));
}

#[test]
fn the_work_is_on_the_channels_of_the_deliverables_or_else_on_all() {
    let mut contract = contract();
    assert_eq!(commitment(&contract).channels, words(["instagram"]));
    without(&mut contract, |kind| matches!(kind, Kind::Deliverables(_)));
    assert_eq!(commitment(&contract).channels, words([]));
}

#[test]
fn the_work_is_for_where_content_may_be_used_or_else_for_the_world() {
    let mut contract = contract();
    assert_eq!(commitment(&contract).territories, words(["US", "CA"]));
    without(&mut contract, |kind| matches!(kind, Kind::UsageRights(_)));
    assert_eq!(commitment(&contract).territories, words(["WORLD"]));
}

#[test]
fn a_contract_that_renews_itself_has_no_end() {
    let bound = commitment(&auto_renewing());
    assert_eq!((bound.end_date, bound.open_ended), (date(2026, 8, 31), true));
    assert_eq!(windows(&auto_renewing()), [(date(2026, 6, 1), None)]);
    assert_eq!(last_day(&bound), jiff::civil::Date::MAX);
}

#[test]
fn notice_against_renewal_gives_it_one() {
    let mut noticed = auto_renewing();
    noticed.end_date = date(2026, 11, 30);
    noticed.set_renewal_notice_by(pb::Party::Creator);
    let bound = commitment(&noticed);
    assert_eq!((bound.end_date, bound.open_ended), (date(2026, 11, 30), false));
    assert_eq!(windows(&noticed), [(date(2026, 6, 1), date(2026, 12, 30))]);
}

#[test]
fn so_does_its_expiry() {
    let mut expired = auto_renewing();
    expired.set_state(State::Expired);
    assert!(!commitment(&expired).open_ended);
}

#[test]
fn a_termination_ends_it_with_the_day_of_its_time_zone_that_it_falls_in() {
    for (effective, last) in [
        // Midnight in New York: the day before was the last.
        ("2026-07-16T04:00:00Z", 15),
        ("2026-07-16T03:59:59Z", 15),
        ("2026-07-16T04:00:01Z", 16),
    ] {
        let bound = commitment(&terminated(effective, Vec::new()));
        assert_eq!((bound.end_date, bound.open_ended), (date(2026, 7, last), false), "{effective}");
    }
    // Not later than it would have ended anyway, unless it renews itself until then.
    let late = terminated("2027-01-01T05:00:00Z", Vec::new());
    let without_renewal = pb::Contract { termination: late.termination.clone(), ..contract() };
    assert_eq!(commitment(&without_renewal).end_date, date(2026, 8, 31));
    assert_eq!((commitment(&late).end_date, commitment(&late).open_ended), (date(2026, 12, 31), false));
}

#[test]
fn exclusivity_survives_a_termination_by_its_days_unless_it_is_said_to_end() {
    let effect = |effect: Effect| {
        vec![pb::ClauseEffect { clause_id: "exclusivity".into(), effect: effect.into(), ..Default::default() }]
    };
    let last = |effects| windows(&terminated("2026-07-16T04:00:00Z", effects))[0].1;
    assert_eq!(last(Vec::new()), date(2026, 8, 14));
    assert_eq!(last(effect(Effect::Survives)), date(2026, 8, 14));
    assert_eq!(last(effect(Effect::Ends)), date(2026, 7, 15));
}

#[test]
fn what_ends_before_its_first_day_or_was_never_signed_binds_to_nothing() {
    assert!(!binds(&commitment(&terminated("2026-05-20T12:00:00Z", Vec::new()))));
    for state in [State::Declined, State::Withdrawn, State::Lapsed] {
        let mut contract = contract();
        contract.set_state(state);
        let bound = commitment(&contract);
        assert!(!binds(&bound));
        assert_eq!(last_day(&bound), jiff::civil::Date::MIN);
    }
}

#[test]
fn it_is_the_same_before_the_signature_and_after_it() {
    let mut before = auto_renewing();
    before.set_state(State::Accepted);
    let mut after = auto_renewing();
    after.version = 1;
    after.versions = vec![pb::TermsVersion { version: 1, ..Default::default() }];
    after.end_date = date(2026, 8, 31);
    assert_eq!(commitment(&before), commitment(&after));
}

/// Amended from a day on, so that skin care is no longer exclusive but make-up is.
fn amended(effective: &str) -> pb::Contract {
    let mut amended = contract();
    let first = pb::TermsVersion { version: 1, terms: amended.terms.clone(), ..Default::default() };
    let effective_time = Some(instant(effective));
    let second = pb::TermsVersion { version: 2, effective_time, amendment: 1, ..Default::default() };
    amended.versions = vec![first, second];
    without(&mut amended, |kind| matches!(kind, Kind::Exclusivity(_)));
    let exclusivity = pb::ExclusivityClause {
        categories: words(["make-up"]),
        territories: words(["WORLD"]),
        days_after_end: 10,
        ..Default::default()
    };
    clauses(&mut amended).push(clause("exclusivity", Kind::Exclusivity(exclusivity)));
    amended
}

#[test]
fn each_version_of_the_terms_binds_while_it_is_in_force() {
    // The first of July in New York.
    let bound = commitment(&amended("2026-07-01T04:00:00Z"));
    let windows: Vec<_> = bound.windows.iter().map(|it| (&it.categories[0][..], it.start_date, it.end_date)).collect();
    assert_eq!(
        windows,
        [("skin-care", date(2026, 6, 1), date(2026, 6, 30)), ("make-up", date(2026, 7, 1), date(2026, 9, 10))]
    );
    assert_eq!(bound.categories, words(["skin-care", "make-up"]));
}

#[test]
fn a_back_dated_amendment_leaves_nothing_of_what_it_replaces() {
    let bound = commitment(&amended("2026-05-01T04:00:00Z"));
    assert_eq!(bound.windows.len(), 1);
    assert_eq!(bound.categories, words(["make-up"]));
}

#[test]
fn a_clause_that_an_amendment_leaves_as_it_was_goes_on() {
    let mut amended = amended("2026-07-01T04:00:00Z");
    amended.terms = amended.versions[0].terms.clone();
    assert_eq!(windows(&amended), windows(&contract()));
}

#[test]
fn what_is_agreed_later_prevails_whatever_its_day() {
    // Version 3 applies from before version 2 on, so version 2 never does.
    let mut amended = amended("2026-08-01T04:00:00Z");
    let second = amended.terms.clone();
    amended.versions[1].terms = second;
    let effective_time = Some(instant("2026-07-01T04:00:00Z"));
    amended.versions.push(pb::TermsVersion { version: 3, effective_time, amendment: 2, ..Default::default() });
    amended.terms = amended.versions[0].terms.clone();
    assert_eq!(windows(&amended), windows(&contract()));
    assert_eq!(commitment(&amended).categories, words(["skin-care"]));
}
