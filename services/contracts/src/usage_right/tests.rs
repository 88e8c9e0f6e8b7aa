//! The rules of a right, as given/when/then: one test a rule, and every refusal has one.

use tandem_aggregate::testing::{Given, given};
use tandem_aggregate::{Aggregate as _, Context, Scheduled as _};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::UsageKind;

use super::*;

const PUBLISHED: &str = "2026-07-02T15:00:00Z";
/// The end of 2027-01-02 in New York.
const END: &str = "2027-01-03T05:00:00Z";
/// The end of 2027-07-02 there, with daylight saving.
const PROLONGED: &str = "2027-07-03T04:00:00Z";

fn instant(text: &str) -> Option<prost_types::Timestamp> {
    Some(time::to_proto(text.parse().unwrap()))
}

/// Ads on Instagram in the US, announced 60 and 10 days ahead.
fn ads(end: &str) -> pb::UsageRight {
    pb::UsageRight {
        contract: "contracts/c1".into(),
        contract_version: 2,
        clause_id: "ads".into(),
        brand: "brands/glowco".into(),
        creator: "creators/zoe".into(),
        participation: "participations/p1".into(),
        deliverable: "participations/p1/deliverables/reel-1".into(),
        kind: UsageKind::PaidAmplification.into(),
        channels: vec!["instagram".into()],
        territories: vec!["US".into()],
        start_time: instant(PUBLISHED),
        end_time: instant(end),
        warning_days: vec![60, 10],
        time_zone: "America/New_York".into(),
        ..Default::default()
    }
}

fn define(right: pb::UsageRight) -> Command {
    Command::Define(Box::new(right))
}

fn revoke() -> Command {
    Command::Revoke { reason: "The contract was terminated.".into() }
}

fn granted(right: pb::UsageRight) -> Event {
    Event::Granted(pb::UsageRightGranted { right: Some(right) })
}

fn changed(right: pb::UsageRight) -> Event {
    Event::Changed(pb::UsageRightChanged { right: Some(right) })
}

fn expiring(days_ahead: i32) -> Event {
    let right = ads(END);
    let (contract, deliverable, kind) = (right.contract, right.deliverable, right.kind);
    Event::Expiring(pb::UsageRightExpiring { end_time: right.end_time, days_ahead, contract, deliverable, kind })
}

fn expired() -> Event {
    let right = ads(END);
    let (contract, deliverable, kind) = (right.contract, right.deliverable, right.kind);
    Event::Expired(pb::UsageRightExpired { end_time: right.end_time, contract, deliverable, kind })
}

fn revoked() -> Event {
    Event::Revoked(pb::UsageRightRevoked { reason: "The contract was terminated.".into() })
}

fn nothing() -> Given<UsageRight> {
    given([])
}

/// Granted at publication.
fn a_right() -> Given<UsageRight> {
    nothing().at(PUBLISHED).and(granted(ads(END)))
}

fn due(given: Given<UsageRight>) -> Option<String> {
    given.state().next_due().map(|due| due.to_string())
}

#[test]
fn it_begins_as_the_contract_has_it() {
    let right = nothing().at(PUBLISHED).when(define(ads(END))).then([granted(ads(END))]).state().0;
    assert_eq!(
        (right.state(), right.create_time, right.update_time),
        (State::Active, instant(PUBLISHED), instant(PUBLISHED))
    );
}

#[test]
fn what_only_the_register_knows_can_not_be_defined() {
    let forged = pb::UsageRight {
        name: "usageRights/other".into(),
        state: State::Revoked.into(),
        warned_days: vec![60, 10],
        revoke_reason: "No.".into(),
        create_time: instant(END),
        update_time: instant(END),
        etag: "1f".into(),
        ..ads(END)
    };
    nothing().at(PUBLISHED).when(define(forged)).then([granted(ads(END))]);
}

#[test]
fn defined_as_it_is_it_stays() {
    a_right().when(define(ads(END))).then([]);
    a_right().at("2026-12-01T00:00:00Z").and(expiring(60)).when(define(ads(END))).then([]);
}

#[test]
fn it_changes_with_the_contract() {
    let other = pb::UsageRight { contract_version: 3, territories: vec!["WORLD".into()], ..ads(PROLONGED) };
    let right = a_right().at("2026-08-01T00:00:00Z").when(define(other.clone())).then([changed(other)]).state().0;
    assert_eq!(right.create_time, instant(PUBLISHED));
    assert_eq!(right.update_time, instant("2026-08-01T00:00:00Z"));
}

#[test]
fn its_end_is_announced_the_days_agreed_ahead_at_the_same_hour() {
    let first = a_right();
    assert_eq!(due(a_right()).as_deref(), Some("2026-11-04T05:00:00Z"));
    let given = first.at("2026-11-04T04:59:59Z").when(Command::ActOnDue).then([]);
    let given = given.at("2026-11-04T05:00:00Z").when(Command::ActOnDue).then([expiring(60)]);
    let given = given.at("2026-12-24T05:00:00Z").when(Command::ActOnDue).then([expiring(10)]);
    let right = given.when(Command::ActOnDue).then([]).state();
    assert_eq!(right.0.warned_days, [60, 10]);
    assert_eq!(right.next_due().map(|due| due.to_string()).as_deref(), Some(END));
}

#[test]
fn daylight_saving_does_not_move_the_hour() {
    // 60 days before the end of a day in July is the end of a day in May; 120 days before, the clock is another.
    let right = pb::UsageRight { warning_days: vec![120], ..ads(PROLONGED) };
    assert_eq!(due(nothing().at(PUBLISHED).and(granted(right))).as_deref(), Some("2027-03-05T05:00:00Z"));
}

#[test]
fn without_days_agreed_it_is_30_and_7() {
    let right = pb::UsageRight { warning_days: vec![], ..ads(END) };
    let given = nothing().at(PUBLISHED).and(granted(right));
    let given = given.at("2026-12-04T05:00:00Z").when(Command::ActOnDue).then([expiring(30)]);
    given.at("2026-12-27T05:00:00Z").when(Command::ActOnDue).then([expiring(7)]);
}

#[test]
fn a_late_timer_tells_the_nearest_warning_alone() {
    let late = a_right().at("2026-12-30T00:00:00Z").when(Command::ActOnDue).then([expiring(10)]);
    late.when(Command::ActOnDue).then([]);
}

#[test]
fn what_is_granted_close_to_its_end_is_announced_by_that() {
    let late = "2026-12-01T00:00:00Z";
    let told = pb::UsageRight { warned_days: vec![60], ..ads(END) };
    let given = nothing().at(late).when(define(ads(END))).then([granted(told)]);
    assert_eq!(due(given).as_deref(), Some("2026-12-24T05:00:00Z"));
}

#[test]
fn prolonged_it_is_announced_again() {
    let given = a_right().at("2026-12-25T00:00:00Z").and(expiring(60)).and(expiring(10));
    let given = given.when(define(ads(PROLONGED))).then([changed(ads(PROLONGED))]);
    // 60 days before the end of 2027-07-02.
    assert_eq!(due(given).as_deref(), Some("2027-05-04T04:00:00Z"));
}

#[test]
fn it_ends_at_its_end_and_not_before() {
    let given = a_right().and(expiring(60)).and(expiring(10));
    let given = given.at("2027-01-03T04:59:59.999999999Z").when(Command::ActOnDue).then([]);
    let right = given.at(END).when(Command::ActOnDue).then([expired()]).state();
    assert_eq!((right.0.state(), right.next_due()), (State::Expired, None));
}

#[test]
fn a_timer_that_fires_after_the_end_warns_of_nothing() {
    a_right().at("2027-02-01T00:00:00Z").when(Command::ActOnDue).then([expired()]).when(Command::ActOnDue).then([]);
}

#[test]
fn it_is_revoked_before_its_time() {
    let right = a_right().at("2026-12-30T00:00:00Z").when(revoke()).then([revoked()]).state();
    assert_eq!((right.0.state(), &right.0.revoke_reason[..]), (State::Revoked, "The contract was terminated."));
    assert_eq!((right.next_due(), right.0.end_time), (None, instant(END)));
}

#[test]
fn what_has_ended_stands_as_it_ended() {
    let over = a_right().at(END).and(expired());
    over.when(revoke()).then([]).when(define(ads(END))).then([]);
    let gone = a_right().and(revoked());
    gone.when(revoke()).then([]).at(END).when(define(ads(END))).then([]).when(Command::ActOnDue).then([]);
}

#[test]
fn the_end_comes_before_a_command_that_came_after_it() {
    // Nobody has told the right yet that it is over.
    a_right().at(END).when(revoke()).then([expired()]);
    a_right().at(END).when(define(ads(END))).then([expired()]);
    a_right().at(END).when(define(ads(PROLONGED))).then([expired(), changed(ads(PROLONGED))]);
}

#[test]
fn expired_or_revoked_it_comes_back_only_if_it_goes_on() {
    for end in [expired(), revoked()] {
        let late = "2027-07-03T03:59:59Z";
        let over = || a_right().at(END).and(end.clone());
        let told = pb::UsageRight { warned_days: vec![60, 10], ..ads(PROLONGED) };
        let right = over().at(late).when(define(ads(PROLONGED))).then([changed(told)]).state().0;
        assert_eq!((right.state(), &right.revoke_reason[..]), (State::Active, ""));
        over().at(PROLONGED).when(define(ads(PROLONGED))).then([]);
    }
}

#[test]
fn what_is_told_again_does_not_turn_back_what_has_happened() {
    // The publication is handled once more, at its own time under a test clock.
    let over = a_right().at(END).and(expired());
    over.at(PUBLISHED).when(define(ads(END))).then([]);
}

#[test]
fn what_was_revoked_by_an_amendment_comes_back_as_it_was_by_another() {
    a_right().and(revoked()).at("2026-08-01T00:00:00Z").when(define(ads(END))).then([changed(ads(END))]);
}

#[test]
fn what_is_not_there_can_not_be_revoked() {
    nothing().when(revoke()).then_refused(ErrorReason::ResourceNotFound);
    nothing().when(Command::ActOnDue).then([]);
}

#[test]
fn it_belongs_to_the_partnership() {
    let right = a_right().state();
    assert_eq!(right.partnership(&revoked()), "partnerships/glowco~zoe");
}

#[test]
fn acting_when_due_is_due_no_more() {
    let mut state = a_right().state();
    let mut told = Vec::new();
    while let Some(time) = state.next_due() {
        let context = Context { time, actor: "services/contracts", resource: "usageRights/r" };
        let events = state.decide(&UsageRight::act_on_due(), &context).unwrap();
        assert_eq!(events.len(), 1, "at {time}");
        state.evolve(&events[0], &tandem_aggregate::testing::envelope("", time, context.actor));
        told.extend(events);
    }
    assert_eq!(told, [expiring(60), expiring(10), expired()]);
}
