//! The rules of a prospect.

use tandem_aggregate::testing::{Given, given};
use tandem_proto::creators::v1::{
    CreatorState, FindingRecorded, OutreachSent, ProspectApproved, ProspectRejected, ProspectShortlisted,
    ReplyReceived, Tier,
};

use super::*;

fn creator(state: CreatorState) -> Box<Creator> {
    let (tier, merged_into) = (Tier::Macro.into(), "creators/other".into());
    let name = "creators/c1".into();
    Box::new(Creator(pb::Creator {
        name,
        tier,
        merged_into,
        follower_count: 150_000,
        state: state.into(),
        ..Default::default()
    }))
}

fn shortlist(state: CreatorState) -> Command {
    Command::Shortlist { brand: "brands/glowco".into(), creator: creator(state) }
}

fn shortlisted() -> Event {
    Event::Shortlisted(ProspectShortlisted {
        brand: "brands/glowco".into(),
        creator: "creators/c1".into(),
        tier: Tier::Macro.into(),
        follower_count: 150_000,
    })
}

fn finding(kind: FindingKind, severity: FindingSeverity) -> Finding {
    let (kind, severity) = (kind.into(), severity.into());
    Finding { kind, severity, summary: "as measured".into(), share_basis_points: 250, ..Default::default() }
}

fn found(kind: FindingKind, severity: FindingSeverity) -> Event {
    Event::FindingRecorded(FindingRecorded { finding: Some(finding(kind, severity)) })
}

fn approved() -> Event {
    Event::Approved(ProspectApproved { reviewer: "users/someone".into() })
}

fn outreach() -> Command {
    Command::SendOutreach { template: "spring/v2".into(), medium: "email".into() }
}

fn sent() -> Event {
    Event::OutreachSent(OutreachSent { template: "spring/v2".into(), medium: "email".into() })
}

fn replied(outcome: ReplyOutcome) -> Event {
    Event::ReplyReceived(ReplyReceived { outcome: outcome.into() })
}

/// On the shortlist, with what an approval needs.
fn vetted() -> Given<Prospect> {
    given([
        shortlisted(),
        found(FindingKind::Audience, FindingSeverity::Clear),
        found(FindingKind::Fraud, FindingSeverity::Warning),
    ])
}

fn contacted() -> Given<Prospect> {
    vetted().and(approved()).and(sent())
}

fn rejected() -> Given<Prospect> {
    given([shortlisted(), Event::Rejected(ProspectRejected { reviewer: "users/someone".into() })])
}

#[test]
fn the_shortlist_keeps_what_the_creator_was_then() {
    let prospect = given::<Prospect>([]).when(shortlist(CreatorState::Active)).then([shortlisted()]).state();
    assert_eq!(prospect.partnership(&shortlisted()), "partnerships/glowco~c1");
    assert_eq!(prospect.0.state(), ProspectState::Shortlisted);
}

#[test]
fn who_is_on_the_shortlist_stays_as_they_are() {
    contacted().when(shortlist(CreatorState::Active)).then([]);
    contacted().when(shortlist(CreatorState::Erased)).then([]);
}

#[test]
fn who_is_merged_or_erased_is_not_put_on_it() {
    let refusal = given::<Prospect>([]).when(shortlist(CreatorState::Merged)).then_refused(ErrorReason::CreatorMerged);
    assert!(refusal.message.contains("creators/c1 was merged into creators/other"), "{refusal}");
    given::<Prospect>([]).when(shortlist(CreatorState::Erased)).then_refused(ErrorReason::PersonErased);
}

#[test]
fn a_finding_says_who_recorded_it_and_when() {
    let time = "2026-03-01T08:00:00Z";
    let expected = Finding {
        recorder: "users/vera".into(),
        record_time: Some(time::to_proto(time.parse().unwrap())),
        ..finding(FindingKind::Fraud, FindingSeverity::Warning)
    };
    // Whatever the request says of it.
    let claimed = Finding { recorder: "users/other".into(), ..finding(FindingKind::Fraud, FindingSeverity::Warning) };
    given::<Prospect>([shortlisted()])
        .by("users/vera")
        .at(time)
        .when(Command::RecordFinding(claimed))
        .then([Event::FindingRecorded(FindingRecorded { finding: Some(expected) })]);
}

#[test]
fn the_actor_is_the_reviewer() {
    let approval = Event::Approved(ProspectApproved { reviewer: "users/rita".into() });
    let prospect = vetted().by("users/rita").when(Command::Approve).then([approval]).state().0;
    assert_eq!((prospect.state(), &prospect.reviewer[..]), (ProspectState::Approved, "users/rita"));
    let rejection = Event::Rejected(ProspectRejected { reviewer: "users/rita".into() });
    let prospect = vetted().by("users/rita").when(Command::Reject).then([rejection]).state().0;
    assert_eq!((prospect.state(), &prospect.reviewer[..]), (ProspectState::Rejected, "users/rita"));
    assert_eq!(prospect.review_time, prospect.update_time);
}

#[test]
fn an_approval_needs_an_audience_and_a_fraud_finding() {
    let refusal = given::<Prospect>([shortlisted()]).when(Command::Approve).then_refused(ErrorReason::StateForbids);
    assert!(refusal.message.contains("no finding on AUDIENCE and FRAUD"), "{refusal}");
    let audience = found(FindingKind::Audience, FindingSeverity::Clear);
    let refusal =
        given::<Prospect>([shortlisted(), audience]).when(Command::Approve).then_refused(ErrorReason::StateForbids);
    assert!(refusal.message.contains("no finding on FRAUD yet"), "{refusal}");
}

#[test]
fn a_blocking_finding_stands_against_the_approval_until_a_newer_one_of_its_kind() {
    let blocked = || vetted().and(found(FindingKind::BrandSafety, FindingSeverity::Blocking));
    let refusal = blocked().when(Command::Approve).then_refused(ErrorReason::FindingBlocks);
    assert!(refusal.message.contains("BRAND_SAFETY"), "{refusal}");
    let other_kind = blocked().and(found(FindingKind::Fraud, FindingSeverity::Clear));
    other_kind.when(Command::Approve).then_refused(ErrorReason::FindingBlocks);
    let newer = blocked().and(found(FindingKind::BrandSafety, FindingSeverity::Warning));
    newer.when(Command::Approve).then([approved()]);
    let worse = vetted().and(found(FindingKind::Fraud, FindingSeverity::Blocking));
    worse.when(Command::Approve).then_refused(ErrorReason::FindingBlocks);
}

#[test]
fn only_who_is_on_the_shortlist_is_approved() {
    vetted().and(approved()).when(Command::Approve).then_refused(ErrorReason::StateForbids);
    contacted().when(Command::Approve).then_refused(ErrorReason::StateForbids);
}

#[test]
fn outreach_needs_the_approval() {
    let refusal = vetted().when(outreach()).then_refused(ErrorReason::StateForbids);
    assert!(refusal.message.contains("prospects/test is SHORTLISTED"), "{refusal}");
    let prospect = vetted().and(approved()).when(outreach()).then([sent()]).state().0;
    assert_eq!((prospect.state(), prospect.outreach_count), (ProspectState::Contacted, 1));
    assert_eq!(prospect.outreach_time, prospect.update_time);
}

#[test]
fn outreach_may_be_repeated_but_not_to_who_is_interested() {
    let prospect = contacted().when(outreach()).then([sent()]).state().0;
    assert_eq!(prospect.outreach_count, 2);
    contacted().and(replied(ReplyOutcome::Declined)).when(outreach()).then([sent()]);
    contacted().and(replied(ReplyOutcome::Interested)).when(outreach()).then_refused(ErrorReason::StateForbids);
}

#[test]
fn a_blocking_finding_after_the_approval_stops_outreach() {
    let blocked = vetted().and(approved()).and(found(FindingKind::Fraud, FindingSeverity::Blocking));
    blocked.when(outreach()).then_refused(ErrorReason::FindingBlocks);
}

#[test]
fn a_reply_needs_an_outreach_and_may_change() {
    let interested = || Command::RecordReply(ReplyOutcome::Interested);
    given::<Prospect>([shortlisted()]).when(interested()).then_refused(ErrorReason::StateForbids);
    vetted().and(approved()).when(interested()).then_refused(ErrorReason::StateForbids);
    let prospect = contacted().when(interested()).then([replied(ReplyOutcome::Interested)]).state().0;
    assert_eq!(prospect.state(), ProspectState::Interested);
    let declined = contacted()
        .and(replied(ReplyOutcome::Interested))
        .when(Command::RecordReply(ReplyOutcome::Declined))
        .then([replied(ReplyOutcome::Declined)]);
    assert_eq!(declined.state().0.state(), ProspectState::Declined);
}

fn all_but_shortlist() -> [Command; 5] {
    let finding = finding(FindingKind::Audience, FindingSeverity::Clear);
    let reply = Command::RecordReply(ReplyOutcome::Interested);
    [Command::RecordFinding(finding), Command::Approve, Command::Reject, outreach(), reply]
}

#[test]
fn a_rejection_is_final() {
    for command in all_but_shortlist() {
        let refusal = rejected().when(command).then_refused(ErrorReason::StateForbids);
        assert!(refusal.message.contains("is REJECTED; a rejection is final"), "{refusal}");
    }
}

#[test]
fn rejecting_is_possible_at_any_stage() {
    for given in [vetted(), vetted().and(approved()), contacted(), contacted().and(replied(ReplyOutcome::Interested))] {
        given.when(Command::Reject).happens();
    }
}

#[test]
fn what_was_never_shortlisted_does_not_exist() {
    for command in all_but_shortlist() {
        given::<Prospect>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}
