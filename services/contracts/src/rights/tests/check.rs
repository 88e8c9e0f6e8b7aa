//! Which uses are covered, and what is said of it.

use tandem_proto::contracts::v1::{
    CheckRightsResponse, Contract, ContractState, Suspension, UsageKind, UsageRightsClause,
};
use tandem_proto::time;

use super::{
    END, PUBLISHED, ads, ai, amended, contract, granting, instant, noticed, of_kind, published, terminated, terms_with,
};
use crate::rights::check::{Use, check};

/// An ad on Instagram in the US, the day after publication.
const AD: Use<'static> = Use {
    kind: UsageKind::PaidAmplification,
    channel: "instagram",
    territory: "US",
    time: jiff::Timestamp::UNIX_EPOCH,
};

fn ask(contract: &Contract, wanted: Use<'_>, at: &str) -> CheckRightsResponse {
    check(contract, &published(PUBLISHED), Use { time: instant(at), ..wanted }).unwrap()
}

fn the_day_after(contract: &Contract, wanted: Use<'_>) -> CheckRightsResponse {
    ask(contract, wanted, "2026-07-04T12:00:00Z")
}

fn with_ads() -> Contract {
    contract(granting(vec![("ads", ads())]))
}

fn refused(answer: &CheckRightsResponse) -> &str {
    assert!(!answer.allowed && answer.end_time.is_none() && answer.contract_version == 0, "{answer:?}");
    &answer.explanation
}

#[test]
fn a_use_that_a_clause_covers_is_allowed_with_clause_version_and_end() {
    let answer = the_day_after(&with_ads(), AD);
    assert!(answer.allowed);
    assert_eq!(answer.end_time, Some(time::to_proto(instant(END))));
    assert_eq!((&answer.contract[..], answer.contract_version, &answer.clause_id[..]), ("contracts/c1", 2, "ads"));
    assert!(answer.usage_right.starts_with("usageRights/") && answer.usage_right.len() == 44, "{answer:?}");
    assert_eq!(
        answer.explanation,
        "Clause \"ads\" in version 2 of contracts/c1 allows paid amplification on instagram in US until the end of \
         2027-01-02 (America/New_York)."
    );
}

#[test]
fn it_flips_at_the_instant_at_which_the_window_ends() {
    assert!(ask(&with_ads(), AD, "2027-01-03T04:59:59.999999999Z").allowed);
    let answer = ask(&with_ads(), AD, END);
    assert_eq!(
        refused(&answer),
        "Clause \"ads\" of contracts/c1, which grants paid amplification, ended with the end of 2027-01-02 \
         (America/New_York). To use it so, prolong it by an amendment."
    );
    assert_eq!((&answer.contract[..], &answer.clause_id[..]), ("contracts/c1", "ads"));
}

#[test]
fn before_publication_nothing_is_allowed() {
    assert!(ask(&with_ads(), AD, PUBLISHED).allowed);
    assert_eq!(
        refused(&ask(&with_ads(), AD, "2026-07-03T00:59:59Z")),
        "Clause \"ads\" of contracts/c1, which grants paid amplification, does not begin before 2026-07-03T01:00:00Z. \
         Use it from then on."
    );
}

#[test]
fn full_commercial_use_covers_organic_use_and_ads_but_neither_ai_nor_likeness() {
    let full = contract(granting(vec![("full", of_kind(UsageKind::FullCommercial))]));
    for (kind, allowed) in [
        (UsageKind::Organic, true),
        (UsageKind::PaidAmplification, true),
        (UsageKind::FullCommercial, true),
        (UsageKind::AiTraining, false),
        (UsageKind::Likeness, false),
    ] {
        assert_eq!(the_day_after(&full, Use { kind, ..AD }).allowed, allowed, "{kind:?}");
    }
}

#[test]
fn every_other_kind_covers_itself_alone() {
    let kinds = [UsageKind::Organic, UsageKind::PaidAmplification, UsageKind::AiTraining, UsageKind::Likeness];
    for granted in kinds {
        let contract = contract(granting(vec![("it", of_kind(granted))]));
        for kind in kinds.into_iter().chain([UsageKind::FullCommercial]) {
            let answer = the_day_after(&contract, Use { kind, ..AD });
            assert_eq!(answer.allowed, kind == granted, "{granted:?} for {kind:?}");
        }
    }
}

#[test]
fn what_no_clause_grants_is_refused_with_what_to_agree_on() {
    let answer = the_day_after(&with_ads(), Use { kind: UsageKind::AiTraining, ..AD });
    assert_eq!(
        refused(&answer),
        "contracts/c1 grants no right to AI training. To use it so, agree on a usage-rights clause of kind AI_TRAINING for \
         instagram in US by an amendment."
    );
    assert_eq!((&answer.clause_id[..], &answer.usage_right[..]), ("", ""));
}

#[test]
fn another_channel_or_country_is_refused_with_what_to_add() {
    assert_eq!(
        refused(&the_day_after(&with_ads(), Use { channel: "tiktok", ..AD })),
        "Clause \"ads\" of contracts/c1, which grants paid amplification, is for instagram, brand-site, not tiktok. To use \
         it so, add tiktok to its channels by an amendment."
    );
    assert_eq!(
        refused(&ask(&with_ads(), Use { channel: "tiktok", territory: "DE", ..AD }, END)),
        "Clause \"ads\" of contracts/c1, which grants paid amplification, ended with the end of 2027-01-02 \
         (America/New_York) and is for instagram, brand-site, not tiktok and is for US, CA, not DE. To use it so, prolong \
         it and add tiktok to its channels and add DE to its territories by an amendment."
    );
}

#[test]
fn a_channel_is_the_same_in_whatever_letters() {
    assert!(the_day_after(&with_ads(), Use { channel: "Instagram", ..AD }).allowed);
}

#[test]
fn the_world_covers_every_country_and_asking_for_it_needs_it() {
    let world = UsageRightsClause { territories: vec!["WORLD".into()], ..ads() };
    let world = contract(granting(vec![("ads", world)]));
    for territory in ["US", "DE", "WORLD"] {
        assert!(the_day_after(&world, Use { territory, ..AD }).allowed, "{territory}");
    }
    assert!(!the_day_after(&with_ads(), Use { territory: "WORLD", ..AD }).allowed);
}

#[test]
fn what_the_clause_on_ai_allows_is_allowed_everywhere() {
    let contract = contract(terms_with(vec![ai(true, false)]));
    let training = Use { kind: UsageKind::AiTraining, channel: "research", territory: "WORLD", ..AD };
    assert!(the_day_after(&contract, training).allowed);
    assert!(!the_day_after(&contract, Use { kind: UsageKind::Likeness, ..training }).allowed);
}

#[test]
fn of_several_clauses_the_one_that_allows_it_longest_is_told() {
    let full = UsageRightsClause { months: 12, ..of_kind(UsageKind::FullCommercial) };
    let elsewhere = UsageRightsClause { months: 24, territories: vec!["DE".into()], ..ads() };
    let contract = contract(granting(vec![("full", full), ("ads", ads()), ("germany", elsewhere)]));
    let answer = the_day_after(&contract, AD);
    assert_eq!((answer.allowed, &answer.clause_id[..]), (true, "full"));
    assert_eq!(answer.end_time, Some(time::to_proto(instant("2027-07-03T04:00:00Z"))));
}

#[test]
fn of_a_refusal_the_clause_that_comes_closest_is_told() {
    let over = UsageRightsClause { months: 0, days: 0, ..ads() };
    let elsewhere = UsageRightsClause { territories: vec!["DE".into()], ..ads() };
    let contract = contract(granting(vec![("germany", elsewhere), ("over", over)]));
    let answer = the_day_after(&contract, AD);
    assert_eq!((answer.allowed, &answer.clause_id[..]), (false, "germany"));
}

#[test]
fn an_amendment_to_come_is_told_in_until_when_and_counts_from_its_day_on() {
    let longer = UsageRightsClause { months: 12, channels: vec!["instagram".into()], ..ads() };
    let prolonged = amended(with_ads(), granting(vec![("ads", longer)]), "2026-09-01T04:00:00Z");
    let answer = the_day_after(&prolonged, AD);
    assert_eq!((answer.contract_version, answer.end_time), (2, Some(time::to_proto(instant("2027-07-03T04:00:00Z")))));
    assert_eq!(ask(&prolonged, AD, "2026-09-01T04:00:00Z").contract_version, 3);
    // It also narrows the channels.
    let site = Use { channel: "brand-site", ..AD };
    let answer = ask(&prolonged, site, "2026-09-01T03:59:59Z");
    assert_eq!((answer.allowed, answer.end_time), (true, Some(time::to_proto(instant("2026-09-01T04:00:00Z")))));
    assert!(!ask(&prolonged, site, "2026-09-01T04:00:00Z").allowed);
    assert!(answer.explanation.ends_with("until the end of 2026-08-31 (America/New_York)."), "{answer:?}");
}

#[test]
fn a_termination_ends_it_at_its_instant_also_while_it_is_only_noticed() {
    let ending = UsageRightsClause { ends_with_contract: true, ..ads() };
    let ends = "2026-08-01T15:30:00Z";
    for contract in [noticed, terminated].map(|end| end(contract(granting(vec![("ads", ending.clone())])), ends)) {
        let answer = the_day_after(&contract, AD);
        assert_eq!((answer.allowed, answer.end_time), (true, Some(time::to_proto(instant(ends)))));
        let answer = ask(&contract, AD, ends);
        assert!(
            refused(&answer)
                .contains("ended with the contract, at 2026-08-01T15:30:00Z. To use it so, prolong it by a")
        );
    }
}

#[test]
fn what_survives_a_termination_stays_allowed() {
    let answer = ask(&terminated(with_ads(), "2026-08-01T04:00:00Z"), AD, "2026-12-01T00:00:00Z");
    assert_eq!((answer.allowed, answer.end_time), (true, Some(time::to_proto(instant(END)))));
}

#[test]
fn the_contract_being_over_does_not_end_what_was_agreed_for_longer() {
    let mut over = with_ads();
    over.set_state(ContractState::Expired);
    assert!(ask(&over, AD, "2026-12-01T00:00:00Z").allowed);
    assert!(refused(&ask(&over, AD, END)).ends_with("prolong it by a new contract."));
}

#[test]
fn while_the_contract_is_suspended_nothing_is_advertised() {
    let mut terms = granting(vec![("full", of_kind(UsageKind::FullCommercial))]);
    terms.clauses.push(ai(true, true));
    let mut suspended = contract(terms);
    let since = "2026-07-10T00:00:00Z";
    let suspend_time = Some(time::to_proto(instant(since)));
    suspended.suspension = Some(Suspension { suspend_time, ..Default::default() });
    suspended.set_state(ContractState::Suspended);
    for (kind, allowed) in [
        (UsageKind::Organic, true),
        (UsageKind::PaidAmplification, false),
        (UsageKind::FullCommercial, false),
        (UsageKind::AiTraining, true),
        (UsageKind::Likeness, false),
    ] {
        let wanted = Use { kind, ..AD };
        assert_eq!(ask(&suspended, wanted, since).allowed, allowed, "{kind:?}");
        assert!(ask(&suspended, wanted, "2026-07-09T23:59:59Z").allowed, "{kind:?} before");
    }
    assert_eq!(
        refused(&ask(&suspended, AD, since)),
        "contracts/c1 is suspended after an incident since 2026-07-10T00:00:00Z; until that is decided on there is no paid \
         amplification. Reinstate the contract first."
    );
    suspended.set_state(ContractState::Active);
    suspended.suspension = None;
    assert!(ask(&suspended, AD, since).allowed);
}
