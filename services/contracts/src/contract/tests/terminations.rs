//! How a contract ends before its last day.

use jiff::civil::{Date, date as day};
use tandem_aggregate::testing::When;
use tandem_proto::common::v1::ErrorReason::{
    FieldInvalid, NotGranted, NotYourTurn, OutOfTime, SecondPersonRequired, StateForbids,
};
use tandem_proto::contracts::v1::{ContractState as State, TerminationKind, WorkProgress};

use super::concluded::{JUNE_15, changed, concluded, ended, renewal, rich, running, running_on, termination, without};
use super::*;
use crate::contract::termination::Action as End;
use crate::fixtures::date;

fn instant(text: &str) -> Option<prost_types::Timestamp> {
    Some(tandem_proto::time::to_proto(text.parse().unwrap()))
}

fn terminate(kind: TerminationKind) -> Action {
    terminate_after(kind, WorkProgress::DraftSubmitted)
}

fn terminate_after(kind: TerminationKind, progress: WorkProgress) -> Action {
    Action::End(End::Terminate { kind, reason: "Plans have changed.".into(), progress })
}

fn walk_away() -> Action {
    terminate(TerminationKind::Convenience)
}

fn notify(clause_id: &str) -> Action {
    Action::End(End::NotifyBreach { clause_id: clause_id.into(), description: "No reel came.".into() })
}

fn cure(number: i32) -> Action {
    Action::End(End::RecordCure { number })
}

fn suspend() -> Action {
    Action::End(End::Suspend { incident: "An arrest was reported.".into() })
}

fn reinstate() -> Action {
    Action::End(End::Reinstate { reason: "A mistake of the press.".into() })
}

fn notice() -> Action {
    Action::End(End::GiveRenewalNotice { reason: "A new line.".into() })
}

fn propose_end(end_date: Date) -> Action {
    Action::End(End::ProposeTermination { reason: "Both are busy.".into(), end_date })
}

fn accept_end() -> Action {
    Action::End(End::AcceptTermination)
}

fn decline_end() -> Action {
    Action::End(End::DeclineTermination { reason: "Let us go on.".into() })
}

/// The termination of the one event that happened.
#[track_caller]
fn told(given: Given<Contract>) -> (State, pb::Termination) {
    let contract = given.state().0;
    (contract.state(), contract.termination.unwrap())
}

/// What is refused with these words.
#[track_caller]
fn refused(when: When<Contract>, reason: tandem_proto::common::v1::ErrorReason, words: &str) {
    let refusal = when.then_refused(reason);
    assert!(refusal.message.contains(words), "{refusal}");
}

// For convenience.

#[test]
fn a_contract_ends_with_the_last_day_of_the_notice() {
    let noticed = || running().by("users/ada").when(brand(walk_away())).happens();
    let (state, termination) = told(noticed());
    assert_eq!(state, State::Active, "until then it goes on");
    assert_eq!((termination.kind(), termination.party()), (TerminationKind::Convenience, Party::Brand));
    assert_eq!((&termination.reason[..], &termination.decided_by[..]), ("Plans have changed.", "users/ada"));
    assert_eq!(termination.progress(), WorkProgress::DraftSubmitted);
    assert_eq!(termination.notice_time, instant(JUNE_15));
    // 14 days after 15 June, New York time.
    assert_eq!(termination.effective_time, instant("2026-06-30T04:00:00Z"));
    assert_eq!(termination.effects.len(), rich().clauses.len() + 1, "every clause has an effect, the fee two");

    noticed().at("2026-06-30T03:59:59Z").when(brand(Action::ActOnDue)).then([]);
    let due = noticed().at("2026-06-30T04:00:00Z").by("services/contracts").when(brand(Action::ActOnDue));
    let contract = due.then([Event::Terminated(pb::ContractTerminated { termination: Some(termination) })]).state().0;
    assert_eq!((contract.state(), &contract.end_reason[..]), (State::Terminated, "Plans have changed."));
}

#[test]
fn without_notice_it_ends_at_once() {
    let terms = changed(|terms| termination(terms).notice_days = 0);
    let (state, termination) = told(running_on(&terms).when(brand(walk_away())).happens());
    assert_eq!((state, termination.effective_time), (State::Terminated, instant(JUNE_15)));
}

#[test]
fn both_may_walk_away_if_both_are_granted_it() {
    let (_, by_creator) = told(
        running().when(creator(terminate_after(TerminationKind::Convenience, WorkProgress::Unspecified))).happens(),
    );
    assert_eq!(by_creator.party(), Party::Creator);
    let brand_only = changed(|terms| termination(terms).convenience_parties = vec![Party::Brand.into()]);
    refused(running_on(&brand_only).when(creator(walk_away())), NotGranted, "don't allow the creator to end it");
    refused(running_on(&without("ending")).when(brand(walk_away())), NotGranted, "Call ProposeTermination");
}

#[test]
fn the_kill_fee_needs_to_know_how_far_the_work_has_come() {
    let unsaid = || terminate_after(TerminationKind::Convenience, WorkProgress::Unspecified);
    let refusal = running().when(brand(unsaid())).then_refused(FieldInvalid);
    assert_eq!(refusal.violations[0].field, "progress");
    running_on(&without("kill-fee")).when(brand(unsaid())).happens();
}

#[test]
fn a_contract_is_walked_away_from_once() {
    let noticed = || running().when(brand(walk_away())).happens();
    for command in [brand(walk_away()), creator(walk_away())] {
        refused(noticed().when(command), StateForbids, "ends at 2026-06-30T04:00:00Z already");
    }
}

#[test]
fn a_notice_that_comes_after_the_end_is_none() {
    let plain = changed(|terms| renewal(terms).auto_renew = false);
    let late = || running_on(&plain).at("2026-08-20T12:00:00Z").when(brand(walk_away()));
    refused(late(), OutOfTime, "it ends by itself at 2026-09-01T04:00:00Z");
    // One that would renew itself goes on until then.
    let (_, termination) = told(running().at("2026-08-20T12:00:00Z").when(brand(walk_away())).happens());
    assert_eq!(termination.effective_time, instant("2026-09-04T04:00:00Z"));
}

#[test]
fn notice_outlives_a_renewal() {
    let noticed = running().at("2026-08-20T12:00:00Z").when(brand(walk_away())).happens();
    let due = noticed.at("2026-09-10T12:00:00Z").when(brand(Action::ActOnDue)).happens();
    let contract = due.state().0;
    assert_eq!((contract.renewal_count, contract.state()), (1, State::Terminated));
}

#[test]
fn an_end_by_one_party_alone_has_a_cause_or_a_notice() {
    for kind in [TerminationKind::Mutual, TerminationKind::Unspecified] {
        refused(running().when(brand(terminate(kind))), FieldInvalid, "ProposeTermination");
    }
}

#[test]
fn only_what_is_in_force_ends() {
    let every =
        [walk_away(), notify("fee"), cure(1), notice(), propose_end(day(2026, 7, 1)), accept_end(), decline_end()];
    for action in every {
        for given in [an_agreement(), ended()] {
            refused(
                given.when(brand(action.clone())),
                StateForbids,
                "only a contract in UPCOMING, ACTIVE or SUSPENDED",
            );
        }
    }
    concluded(&rich()).when(brand(walk_away())).happens();
    running().when(brand(suspend())).happens().when(creator(walk_away())).happens();
}

// Renewal.

#[test]
fn either_party_keeps_a_contract_from_renewing_itself() {
    for party in [Party::Brand, Party::Creator] {
        let given = Event::RenewalNoticeGiven(pb::RenewalNoticeGiven {
            noticed_by: party.into(),
            reason: "A new line.".into(),
        });
        let contract = running().when(Command { by: party, action: notice() }).then([given]).state().0;
        assert_eq!(contract.renewal_notice_by(), party);
    }
    let once = || running().when(creator(notice())).happens();
    refused(once().when(brand(notice())), StateForbids, "The creator has given notice already");
    let due = once().at("2026-09-01T04:00:00Z").when(brand(Action::ActOnDue)).happens();
    assert_eq!(due.state().0.state(), State::Expired);
}

#[test]
fn notice_against_renewal_keeps_its_day() {
    // 30 days before 31 August: 1 August, until midnight in New York. A warning falls due before.
    running().at("2026-08-02T03:59:59Z").when(brand(notice())).happens();
    refused(running().at("2026-08-02T04:00:00Z").when(brand(notice())), OutOfTime, "was 2026-08-01");
}

#[test]
fn notice_against_renewal_needs_a_renewal() {
    let never = [changed(|terms| renewal(terms).auto_renew = false), without("renewal")];
    for terms in never {
        refused(running_on(&terms).when(brand(notice())), StateForbids, "does not renew itself");
    }
}

// Breach.

fn in_breach() -> Given<Contract> {
    running().when(brand(notify("content"))).happens()
}

/// The first instant after the days to cure.
const CURE_IS_OVER: &str = "2026-06-26T04:00:00Z";

#[test]
fn a_breach_is_noticed_with_days_to_cure_it() {
    let breach = pb::Breach {
        number: 1,
        noticed_by: Party::Brand.into(),
        clause_id: "content".into(),
        description: "No reel came.".into(),
        notice_time: instant(JUNE_15),
        // 10 days after 15 June, New York time.
        cure_deadline: instant(CURE_IS_OVER),
        cure_time: None,
    };
    let noticed = Event::BreachNoticed(pb::BreachNoticed { breach: Some(breach.clone()) });
    let given = running().when(brand(notify("content"))).then([noticed]);
    assert_eq!(given.state().0.breaches, [breach]);
    let second = in_breach().when(creator(notify("payment"))).happens();
    assert_eq!(second.state().0.breaches[1].number, 2);
}

#[test]
fn a_breach_is_of_a_clause() {
    let refusal = running().when(brand(notify("reels"))).then_refused(FieldInvalid);
    assert_eq!(refusal.violations[0].field, "clause_id");
    assert!(refusal.message.contains("give one of content, fee"), "{refusal}");
}

#[test]
fn a_breach_needs_an_agreed_time_to_cure_it() {
    refused(
        running_on(&without("ending")).when(brand(notify("content"))),
        NotGranted,
        "how long a breach can be cured",
    );
}

#[test]
fn who_noticed_a_breach_records_its_cure() {
    let cured = in_breach().at("2026-06-20T12:00:00Z").when(brand(cure(1)));
    let cured = cured.then([Event::BreachCured(pb::BreachCured { number: 1 })]);
    assert_eq!(cured.state().0.breaches[0].cure_time, instant("2026-06-20T12:00:00Z"));

    refused(in_breach().when(creator(cure(1))), NotYourTurn, "the brand gave notice");
    refused(in_breach().when(brand(cure(2))), FieldInvalid, "1 breach(es)");
    refused(in_breach().when(brand(cure(1))).happens().when(brand(cure(1))), StateForbids, "cured already");
}

#[test]
fn who_noticed_a_breach_ends_the_contract_when_it_was_not_cured_in_time() {
    let end = || terminate(TerminationKind::Breach);
    let (state, termination) = told(in_breach().at(CURE_IS_OVER).when(brand(end())).happens());
    assert_eq!((state, termination.kind()), (State::Terminated, TerminationKind::Breach));
    assert_eq!(termination.effective_time, instant(CURE_IS_OVER));

    let early = in_breach().at("2026-06-26T03:59:59Z").when(brand(end()));
    refused(early, OutOfTime, "can be cured until 2026-06-26T04:00:00Z");
    let no_notice = "no uncured breach of which";
    refused(in_breach().at(CURE_IS_OVER).when(creator(end())), StateForbids, no_notice);
    refused(running().when(brand(end())), StateForbids, no_notice);
    let cured = in_breach().when(brand(cure(1))).happens();
    refused(cured.at(CURE_IS_OVER).when(brand(end())), StateForbids, no_notice);
}

#[test]
fn without_days_to_cure_a_breach_ends_the_contract_at_once() {
    let terms = changed(|terms| termination(terms).cure_days = 0);
    let noticed = running_on(&terms).when(creator(notify("payment"))).happens();
    let (state, termination) = told(noticed.when(creator(terminate(TerminationKind::Breach))).happens());
    assert_eq!((state, termination.party()), (State::Terminated, Party::Creator));
}

#[test]
fn a_breach_ends_the_contract_before_a_notice_does() {
    let noticed = in_breach().at("2026-06-20T12:00:00Z").when(creator(walk_away())).happens();
    let (state, termination) = told(noticed.at(CURE_IS_OVER).when(brand(terminate(TerminationKind::Breach))).happens());
    assert_eq!((state, termination.kind()), (State::Terminated, TerminationKind::Breach));
}

// The morality clause.

fn suspended() -> Given<Contract> {
    running().by("users/ada").when(brand(suspend())).happens()
}

#[test]
fn an_incident_suspends_at_once() {
    let suspension = pb::Suspension {
        incident: "An arrest was reported.".into(),
        suspend_time: instant(JUNE_15),
        suspended_by: "users/ada".into(),
    };
    let event = Event::Suspended(pb::ContractSuspended { suspension: Some(suspension.clone()) });
    let contract = running().by("users/ada").when(brand(suspend())).then([event]).state().0;
    assert_eq!((contract.state(), contract.suspension), (State::Suspended, Some(suspension)));
    // Before its first day, too; and by a rule as well as by a person.
    concluded(&rich()).by("services/watch").when(brand(suspend())).happens();
}

#[test]
fn only_the_brand_suspends_and_only_by_the_clause() {
    refused(running().when(creator(suspend())), NotGranted, "to the brand alone");
    refused(running_on(&without("conduct")).when(brand(suspend())), NotGranted, "no morality clause");
    refused(suspended().when(brand(suspend())), StateForbids, "only a contract in UPCOMING or ACTIVE can be suspended");
    refused(ended().when(brand(suspend())), StateForbids, "is TERMINATED");
}

#[test]
fn a_named_person_lifts_a_suspension() {
    let decided = pb::ContractReinstated { decided_by: "users/ada".into(), reason: "A mistake of the press.".into() };
    // Who suspended it may: what was agreed is only restored.
    let contract = suspended().when(brand(reinstate())).then([Event::Reinstated(decided)]).state().0;
    assert_eq!((contract.state(), contract.suspension), (State::Active, None));
    let early = concluded(&rich()).when(brand(suspend())).happens().when(brand(reinstate())).happens();
    assert_eq!(early.state().0.state(), State::Upcoming);

    refused(suspended().by("services/watch").when(brand(reinstate())), NotGranted, "is not a person");
    refused(suspended().by("creators/zoe").when(creator(reinstate())), NotGranted, "to the brand alone");
    refused(running().when(brand(reinstate())), StateForbids, "only a contract in SUSPENDED can be reinstated");
}

#[test]
fn a_second_person_ends_the_contract_for_an_incident() {
    let end = || brand(terminate(TerminationKind::Morality));
    let (state, termination) = told(suspended().by("users/bob").when(end()).happens());
    assert_eq!((state, termination.kind()), (State::Terminated, TerminationKind::Morality));
    assert_eq!((&termination.decided_by[..], termination.effective_time), ("users/bob", instant(JUNE_15)));
    assert_eq!(suspended().by("users/bob").when(end()).happens().state().0.suspension, None);

    refused(suspended().when(end()), SecondPersonRequired, "users/ada suspended contracts/test");
    refused(suspended().by("services/watch").when(end()), NotGranted, "is not a person");
    refused(running().when(end()), StateForbids, "Call SuspendContract first");
    refused(suspended().when(creator(terminate(TerminationKind::Morality))), NotGranted, "to the brand alone");
}

// By mutual consent.

fn an_end_proposed() -> Given<Contract> {
    running().by("users/ada").when(brand(propose_end(day(2026, 7, 10)))).happens()
}

#[test]
fn an_end_that_both_want_comes_with_its_day() {
    let contract = an_end_proposed().state().0;
    let proposal = contract.proposed_termination.unwrap();
    assert_eq!((proposal.kind(), proposal.party()), (TerminationKind::Mutual, Party::Brand));
    assert_eq!((proposal.effective_time, contract.termination), (instant("2026-07-11T04:00:00Z"), None));
    assert_eq!(proposal.decided_by, "", "nobody has decided yet");

    let accepted =
        || an_end_proposed().at("2026-06-20T12:00:00Z").by("creators/zoe").when(creator(accept_end())).happens();
    let contract = accepted().state().0;
    assert_eq!((contract.state(), contract.proposed_termination), (State::Active, None));
    assert_eq!(contract.termination.unwrap().decided_by, "creators/zoe");
    let due = accepted().at("2026-07-11T04:00:00Z").when(brand(Action::ActOnDue)).happens();
    assert_eq!(due.state().0.state(), State::Terminated);
}

#[test]
fn declined_or_taken_back_the_contract_goes_on() {
    for (by, command) in [(Party::Creator, creator(decline_end())), (Party::Brand, brand(decline_end()))] {
        let declined = pb::TerminationDeclined { declined_by: by.into(), reason: "Let us go on.".into() };
        let given = an_end_proposed().when(command).then([Event::TerminationDeclined(declined)]);
        let contract = given.state().0;
        assert_eq!((contract.state(), contract.proposed_termination), (State::Active, None));
    }
}

#[test]
fn an_end_is_proposed_by_one_and_accepted_by_the_other() {
    refused(an_end_proposed().when(brand(accept_end())), NotYourTurn, "the brand's own");
    refused(an_end_proposed().when(brand(propose_end(day(2026, 7, 11)))), StateForbids, "Take it back");
    refused(an_end_proposed().when(creator(propose_end(day(2026, 7, 11)))), StateForbids, "Accept or decline it");
    for action in [accept_end(), decline_end()] {
        refused(running().when(creator(action)), StateForbids, "No proposal to end contracts/test");
    }
}

#[test]
fn an_end_that_both_want_is_not_past() {
    let propose = |day| running().when(creator(propose_end(day)));
    refused(propose(day(2026, 6, 14)), FieldInvalid, "give a day from 2026-06-15 on");
    propose(day(2026, 6, 15)).happens();
    // A late answer.
    refused(an_end_proposed().at("2026-07-11T04:00:00Z").when(creator(accept_end())), OutOfTime, "which is past");
}

#[test]
fn an_end_that_both_want_comes_before_any_other() {
    let plain = changed(|terms| renewal(terms).auto_renew = false);
    let propose = |day| running_on(&plain).when(creator(propose_end(day)));
    refused(propose(day(2026, 8, 31)), FieldInvalid, "ends at 2026-09-01T04:00:00Z anyway");
    propose(day(2026, 8, 30)).happens();
    // One that renews itself may end then, or later.
    running().when(creator(propose_end(day(2026, 8, 31)))).happens();

    let noticed = || running().when(brand(walk_away())).happens();
    refused(noticed().when(brand(propose_end(day(2026, 6, 29)))), FieldInvalid, "ends at 2026-06-30T04:00:00Z anyway");
    // Notice was given since: the proposal is overtaken unless it ends the contract earlier.
    let overtaken = an_end_proposed().when(brand(walk_away())).happens().when(creator(accept_end()));
    refused(overtaken, OutOfTime, "ends at 2026-06-30T04:00:00Z anyway");
    let earlier = noticed().when(brand(propose_end(day(2026, 6, 28)))).happens().when(creator(accept_end())).happens();
    assert_eq!(told(earlier).1.effective_time, instant("2026-06-29T04:00:00Z"));
}

#[test]
fn what_an_end_means_goes_by_the_terms_in_force_then() {
    let noticed = running().when(brand(walk_away())).happens();
    // The kill fee is dropped from 20 June on.
    let terms = without("kill-fee");
    let amendment = pb::Amendment {
        number: 1,
        terms: Some(terms.clone()),
        terms_hash: hash(&terms),
        effective_date: date(2026, 6, 20),
        ..Default::default()
    };
    let replaced = pb::TermsReplaced {
        amendment: Some(amendment),
        version: 2,
        effective_time: instant("2026-06-20T04:00:00Z"),
        committed_change: None,
    };
    let ended = noticed.and(Event::TermsReplaced(replaced)).at("2026-07-01T12:00:00Z").when(brand(Action::ActOnDue));
    let (_, termination) = told(ended.happens());
    assert!(termination.effects.iter().all(|effect| effect.clause_id != "kill-fee"));
}

#[test]
fn a_contract_that_expires_before_its_notice_is_not_terminated() {
    let noticed = running().when(creator(propose_end(day(2026, 8, 20)))).happens().when(brand(accept_end())).happens();
    // The last day comes nearer by an amendment.
    let terms = changed(|terms| terms.end_date = date(2026, 7, 31));
    let amendment =
        pb::Amendment { number: 1, terms: Some(terms.clone()), terms_hash: hash(&terms), ..Default::default() };
    let replaced = pb::TermsReplaced { amendment: Some(amendment), version: 2, ..Default::default() };
    let noticed = noticed.and(Event::TermsReplaced(replaced));
    let noticed = noticed.and(Event::RenewalNoticeGiven(pb::RenewalNoticeGiven {
        noticed_by: Party::Brand.into(),
        ..Default::default()
    }));
    let contract = noticed.at("2026-08-21T04:00:00Z").when(brand(Action::ActOnDue)).happens().state().0;
    assert_eq!((contract.state(), contract.termination), (State::Expired, None));
}
