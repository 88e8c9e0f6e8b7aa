//! What the register has to hold.

use std::collections::HashSet;

use jiff::Timestamp;
use tandem_proto::contracts::v1::{Contract, UsageKind, UsageRight, UsageRightsClause};
use tandem_proto::time;

use super::{
    END, PUBLISHED, ads, ai, amended, contract, granting, instant, noticed, of_kind, published, terminated, terms_with,
};
use crate::fixtures::{BRAND, CREATOR};
use crate::rights::register::{entries, id};
use crate::usage_right::Command;

fn told(contract: &Contract, now: &str) -> Vec<Command> {
    let entries = entries(contract, &published(PUBLISHED), instant(now)).unwrap();
    entries.into_iter().map(|entry| entry.command).collect()
}

fn window(command: &Command) -> (Timestamp, Timestamp, i32) {
    let Command::Define(right) = command else { panic!("not defined, but {command:?}") };
    let at = |time: Option<prost_types::Timestamp>| time::from_proto(&time.unwrap()).unwrap();
    (at(right.start_time), at(right.end_time), right.contract_version)
}

fn reason(command: &Command) -> &str {
    let Command::Revoke { reason } = command else { panic!("not revoked, but {command:?}") };
    reason
}

#[test]
fn a_right_names_all_that_it_comes_from() {
    let defined = UsageRight {
        contract: "contracts/c1".into(),
        contract_version: 2,
        clause_id: "ads".into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        participation: "participations/p1".into(),
        deliverable: "participations/p1/deliverables/reel-1".into(),
        kind: UsageKind::PaidAmplification.into(),
        channels: ads().channels,
        territories: ads().territories,
        start_time: Some(time::to_proto(instant(PUBLISHED))),
        end_time: Some(time::to_proto(instant(END))),
        warning_days: vec![90],
        time_zone: "America/New_York".into(),
        ..Default::default()
    };
    let clause = UsageRightsClause { warning_days: vec![90], ..ads() };
    let told = told(&contract(granting(vec![("ads", clause)])), PUBLISHED);
    assert_eq!(told, [Command::Define(Box::new(defined))]);
}

#[test]
fn ids_differ_by_contract_clause_kind_and_content() {
    let (training, likeness) = (UsageKind::AiTraining, UsageKind::Likeness);
    let ids: HashSet<_> = [
        id("contracts/c1", "ai", training, "participations/p1/deliverables/a"),
        id("contracts/c2", "ai", training, "participations/p1/deliverables/a"),
        id("contracts/c1", "ads", training, "participations/p1/deliverables/a"),
        id("contracts/c1", "ai", likeness, "participations/p1/deliverables/a"),
        id("contracts/c1", "ai", training, "participations/p2/deliverables/a"),
        id("contracts/c1", "ai", training, "participations/p1/deliverables/b"),
    ]
    .into();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| id.len() == 32));
}

#[test]
fn an_amendment_to_come_is_in_the_register_as_soon_as_it_is_agreed() {
    let longer = UsageRightsClause { months: 12, ..ads() };
    let prolonged =
        amended(contract(granting(vec![("ads", ads())])), granting(vec![("ads", longer)]), "2026-09-01T04:00:00Z");
    let told = told(&prolonged, "2026-08-01T00:00:00Z");
    assert_eq!(window(&told[0]), (instant(PUBLISHED), instant("2027-07-03T04:00:00Z"), 3));
}

#[test]
fn what_an_amendment_drops_ends_when_it_applies() {
    let dropped = amended(contract(granting(vec![("ads", ads())])), terms_with(vec![]), "2026-09-01T04:00:00Z");
    let before = told(&dropped, "2026-08-01T00:00:00Z");
    assert_eq!(window(&before[0]), (instant(PUBLISHED), instant("2026-09-01T04:00:00Z"), 2));
    // Agreed after it began to apply.
    let after = told(&dropped, "2026-09-01T04:00:00Z");
    assert_eq!(reason(&after[0]), "Version 3 of contracts/c1 does not grant it any more.");
}

#[test]
fn what_an_amendment_drops_from_before_the_publication_is_revoked() {
    let dropped = amended(contract(granting(vec![("ads", ads())])), terms_with(vec![]), "2026-07-01T04:00:00Z");
    assert_eq!(reason(&told(&dropped, PUBLISHED)[0]), "contracts/c1 does not grant it by clause \"ads\".");
}

#[test]
fn what_an_amendment_adds_begins_when_it_applies() {
    let organic = of_kind(UsageKind::Organic);
    let both = granting(vec![("ads", ads()), ("organic", organic)]);
    let added = amended(contract(granting(vec![("ads", ads())])), both, "2026-09-01T04:00:00Z");
    let told = told(&added, "2026-08-01T00:00:00Z");
    assert_eq!(window(&told[0]), (instant(PUBLISHED), instant(END), 3));
    assert_eq!(window(&told[1]), (instant("2026-09-01T04:00:00Z"), instant(END), 3));
}

#[test]
fn a_termination_revokes_what_ends_with_the_contract_once_it_has_ended() {
    let ending = UsageRightsClause { ends_with_contract: true, ..of_kind(UsageKind::Organic) };
    let mut terms = granting(vec![("ads", ads()), ("organic", ending)]);
    terms.clauses.push(ai(true, false));
    let ends = "2026-08-01T04:00:00Z";

    let before = told(&noticed(contract(terms.clone()), ends), PUBLISHED);
    assert_eq!(
        before.iter().map(|command| window(command).1).collect::<Vec<_>>(),
        [instant(END), instant(END), instant("2026-09-01T04:00:00Z")]
    );

    let after = told(&terminated(contract(terms), ends), ends);
    assert_eq!(window(&after[0]).1, instant(END));
    assert_eq!(
        (reason(&after[1]), reason(&after[2])),
        ("contracts/c1 was terminated.", "contracts/c1 was terminated.")
    );
}

#[test]
fn what_had_ended_before_the_termination_is_not_revoked_by_it() {
    let short = UsageRightsClause { months: 0, days: 1, ends_with_contract: true, ..ads() };
    let told =
        told(&terminated(contract(granting(vec![("ads", short)])), "2026-08-01T04:00:00Z"), "2026-08-01T04:00:00Z");
    assert_eq!(window(&told[0]).1, instant("2026-07-04T04:00:00Z"));
}
