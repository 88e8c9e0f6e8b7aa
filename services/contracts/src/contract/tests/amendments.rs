//! How signed terms change.

use jiff::civil::date as day;
use tandem_proto::common::v1::ErrorReason::{
    FieldInvalid, NotGranted, NotYourTurn, OutOfTime, StateForbids, TermsHashMismatch,
};
use tandem_proto::contracts::v1::AmendmentState;
use tandem_proto::contracts::v1::clause::Clause as Kind;

use super::concluded::{changed, concluded, ended, kind, rich, running, running_on, taken, without};
use super::*;
use crate::contract::amendment::Action as Amend;
use crate::fixtures::{changeable_terms_for, clause, date, usd};

fn instant(text: &str) -> Option<prost_types::Timestamp> {
    Some(tandem_proto::time::to_proto(text.parse().unwrap()))
}

/// The rich terms for another fee.
fn fee_of(units: i64) -> pb::Terms {
    changeable_terms_for(units)
}

fn proposing(terms: &pb::Terms, effective_date: jiff::civil::Date) -> Action {
    Action::Amend(Amend::Propose { terms: taken(terms), effective_date, reason: "More work.".into() })
}

fn propose() -> Action {
    proposing(&fee_of(5000), day(2026, 7, 1))
}

fn accept_of(number: i32, terms: &pb::Terms) -> Action {
    Action::Amend(Amend::Accept { number, terms_hash: hash(terms) })
}

fn accept() -> Action {
    accept_of(1, &fee_of(5000))
}

fn decline_first() -> Action {
    Action::Amend(Amend::Decline { number: 1, reason: "Too little.".into() })
}

fn withdraw_first() -> Action {
    Action::Amend(Amend::Withdraw { number: 1 })
}

/// The brand has proposed to pay 5000 from 1 July on.
fn an_open_amendment() -> Given<Contract> {
    running().when(brand(propose())).happens()
}

fn disclosing(tag: &str) -> pb::Terms {
    changed(|terms| match kind(terms, "disclosure") {
        Kind::Disclosure(clause) => clause.brand_tag = tag.into(),
        other => panic!("{other:?}"),
    })
}

fn replacing(terms: &pb::Terms, effective_date: jiff::civil::Date) -> Action {
    Action::Amend(Amend::Replace { terms: taken(terms), effective_date, reason: "A new handle.".into() })
}

#[test]
fn a_proposal_tells_what_would_change_and_changes_nothing() {
    let contract = an_open_amendment().state().0;
    let [amendment] = &contract.amendments[..] else { panic!("{:?}", contract.amendments) };
    assert_eq!((amendment.number, amendment.proposed_by()), (1, Party::Brand));
    assert_eq!((amendment.state(), &amendment.reason[..]), (AmendmentState::Proposed, "More work."));
    assert_eq!((&amendment.terms, &amendment.terms_hash), (&Some(fee_of(5000)), &hash(&fee_of(5000))));
    assert_eq!((amendment.effective_date, amendment.decide_time), (date(2026, 7, 1), None));
    let changed: Vec<_> = amendment.changes.iter().map(|change| &change.clause_id[..]).collect();
    assert_eq!(changed, ["fee"]);

    assert_eq!((contract.version, contract.versions.len(), contract.terms), (1, 1, Some(rich())));
}

#[test]
fn accepted_it_is_the_next_version() {
    let accepted = Event::AmendmentAccepted(pb::AmendmentAccepted {
        number: 1,
        accepted_by: Party::Creator.into(),
        version: 2,
        terms_hash: hash(&fee_of(5000)),
        // Midnight in New York.
        effective_time: instant("2026-07-01T04:00:00Z"),
        committed_change: usd(1000),
    });
    let contract = an_open_amendment().at("2026-06-20T09:00:00Z").when(creator(accept())).then([accepted]).state();
    let pb::Contract { terms, terms_hash, version, versions, amendments, rounds, .. } = &contract.0;
    assert_eq!((terms, terms_hash, *version), (&Some(fee_of(5000)), &hash(&fee_of(5000)), 2));
    assert_eq!(amendments[0].state(), AmendmentState::Accepted);
    assert_eq!(amendments[0].decide_time, instant("2026-06-20T09:00:00Z"));

    let [first, second] = &versions[..] else { panic!("{versions:?}") };
    assert_eq!((first.version, &first.terms, &first.terms_hash), (1, &Some(rich()), &hash(&rich())));
    assert_eq!((second.version, &second.terms, &second.terms_hash), (2, &None, &hash(&fee_of(5000))));
    assert_eq!((second.amendment, second.agree_time), (1, instant("2026-06-20T09:00:00Z")));
    assert_eq!(second.effective_time, instant("2026-07-01T04:00:00Z"));

    // What was negotiated stays to be read.
    assert_eq!(rounds[0].terms, Some(rich()));
    let round = contract.at_round(1).unwrap().0;
    assert_eq!((round.terms, round.terms_hash), (Some(rich()), hash(&rich())));
}

#[test]
fn either_party_may_propose() {
    let proposed = running().when(creator(propose())).happens();
    assert_eq!(proposed.when(brand(accept())).happens().state().0.version, 2);
}

#[test]
fn declined_it_leaves_the_terms_in_force() {
    let declined = Event::AmendmentDeclined(pb::AmendmentDeclined {
        number: 1,
        declined_by: Party::Creator.into(),
        reason: "Too little.".into(),
    });
    let contract = an_open_amendment().when(creator(decline_first())).then([declined]).state().0;
    assert_eq!((contract.version, contract.terms), (1, Some(rich())));
    assert_eq!(contract.amendments[0].state(), AmendmentState::Declined);
    assert_eq!(contract.amendments[0].decline_reason, "Too little.");
}

#[test]
fn who_proposed_it_may_withdraw_it() {
    let withdrawn = Event::AmendmentWithdrawn(pb::AmendmentWithdrawn { number: 1, withdrawn_by: Party::Brand.into() });
    let contract = an_open_amendment().when(brand(withdraw_first())).then([withdrawn]).state().0;
    assert_eq!((contract.version, contract.amendments[0].state()), (1, AmendmentState::Withdrawn));
}

#[test]
fn nobody_answers_their_own_or_withdraws_the_others() {
    for action in [accept(), decline_first()] {
        let refusal = an_open_amendment().when(brand(action)).then_refused(NotYourTurn);
        assert!(refusal.message.contains("the brand's own") && refusal.message.contains("withdraw it"), "{refusal}");
    }
    let refusal = an_open_amendment().when(creator(withdraw_first())).then_refused(NotYourTurn);
    assert!(refusal.message.contains("Decline it instead"), "{refusal}");
}

#[test]
fn what_is_accepted_is_what_was_read() {
    let refusal = an_open_amendment().when(creator(accept_of(1, &rich()))).then_refused(TermsHashMismatch);
    for hash in [hash(&rich()), hash(&fee_of(5000))] {
        assert!(refusal.message.contains(&hash), "{refusal}");
    }
}

#[test]
fn an_amendment_is_answered_once() {
    let answered = [brand(withdraw_first()), creator(decline_first()), creator(accept())];
    for (answer, state) in answered.into_iter().zip(["WITHDRAWN", "DECLINED", "ACCEPTED"]) {
        for again in [brand(withdraw_first()), creator(decline_first()), creator(accept())] {
            let refusal = an_open_amendment().when(answer.clone()).happens().when(again).then_refused(StateForbids);
            assert!(refusal.message.contains(&format!("is {state}")), "{refusal}");
        }
    }
}

#[test]
fn an_amendment_that_is_not_there_is_a_wrong_number() {
    for action in [accept_of(2, &rich()), Action::Amend(Amend::Withdraw { number: 2 })] {
        let refusal = an_open_amendment().when(creator(action)).then_refused(FieldInvalid);
        assert_eq!(refusal.violations[0].field, "number");
        assert!(refusal.message.contains("has 1 amendment(s)"), "{refusal}");
    }
}

#[test]
fn the_first_accepted_supersedes_the_others() {
    let two = || {
        let second = proposing(&fee_of(6000), day(2026, 7, 1));
        an_open_amendment().when(creator(second)).happens().when(brand(accept_of(2, &fee_of(6000)))).happens()
    };
    let refusal = two().when(creator(accept())).then_refused(StateForbids);
    assert!(refusal.message.contains("is superseded") && refusal.message.contains("at version 2 by now"), "{refusal}");
    assert!(refusal.message.ends_with("Propose it anew on those."), "{refusal}");
    let states: Vec<_> = two().state().0.amendments.iter().map(pb::Amendment::state).collect();
    assert_eq!(states, [AmendmentState::Superseded, AmendmentState::Accepted]);
    // Proposed anew, it is one like any other.
    let again = two().when(brand(propose())).happens().when(creator(accept_of(3, &fee_of(5000)))).happens();
    assert_eq!(again.state().0.version, 3);
}

#[test]
fn terms_change_while_a_contract_is_in_force() {
    let suspended = || running().and(Event::Suspended(pb::ContractSuspended::default()));
    concluded(&rich()).when(brand(propose())).happens();
    suspended().when(brand(propose())).happens();
    for (given, state) in [(an_agreement(), "ACCEPTED"), (ended(), "TERMINATED")] {
        let refusal = given.when(brand(propose())).then_refused(StateForbids);
        let expected =
            format!("contracts/test is {state}; only a contract in UPCOMING, ACTIVE or SUSPENDED can be amended.");
        assert_eq!(refusal.message, expected);
    }
    // Nor is an amendment accepted after the end.
    let open = || an_open_amendment().and(Event::Terminated(pb::ContractTerminated::default()));
    open().when(creator(accept())).then_refused(StateForbids);
    open().when(brand(replacing(&disclosing("@glow"), day(2026, 7, 1)))).then_refused(StateForbids);
}

/// What is said of which field.
fn wrong(given: Given<Contract>, terms: &pb::Terms, effective_date: jiff::civil::Date) -> (String, String) {
    let refusal = given.when(brand(proposing(terms, effective_date))).then_refused(FieldInvalid);
    let [wrong] = &refusal.violations[..] else { panic!("{refusal}") };
    (wrong.field.clone(), wrong.description.clone())
}

#[test]
fn an_amendment_changes_something() {
    let (field, description) = wrong(running(), &rich(), day(2026, 7, 1));
    assert_eq!((&field[..], &description[..]), ("terms", "are those agreed already: change them"));
}

#[test]
fn currency_time_zone_and_first_day_stay() {
    let euros = changed(|terms| {
        terms.currency_code = "EUR".into();
        terms.clauses.retain(|clause| clause.clause_id != "fee" && clause.clause_id != "kill-fee");
    });
    let elsewhere = changed(|terms| terms.time_zone = "Europe/Berlin".into());
    let later = changed(|terms| terms.start_date = date(2026, 6, 2));
    for (terms, expected) in
        [(euros, "terms.currency_code"), (elsewhere, "terms.time_zone"), (later, "terms.start_date")]
    {
        let (field, description) = wrong(running(), &terms, day(2026, 7, 1));
        assert_eq!(field, expected);
        assert!(description.contains("make another"), "{description}");
    }
}

#[test]
fn an_amendment_may_apply_from_a_past_day_if_both_agree() {
    // Before the first day: from the beginning. Not before the signature.
    for past in [day(2026, 6, 10), day(2026, 6, 1), day(2026, 5, 2)] {
        let open = running().when(brand(proposing(&fee_of(5000), past))).happens();
        assert_eq!(open.when(creator(accept())).happens().state().0.version, 2);
    }
    let (field, description) = wrong(running(), &fee_of(5000), day(2026, 5, 1));
    assert_eq!(field, "effective_date");
    assert!(description.contains("give a day from 2026-05-02 on"), "{description}");
}

#[test]
fn an_amendment_applies_before_the_end() {
    running().when(brand(proposing(&fee_of(5000), day(2026, 8, 31)))).happens();
    let (field, description) = wrong(running(), &fee_of(5000), day(2026, 9, 1));
    assert_eq!(field, "effective_date");
    assert!(description.contains("give a day up to 2026-08-31"), "{description}");

    let noticed = || {
        let effective_time = instant("2026-07-01T04:00:00Z");
        let termination = Some(pb::Termination { effective_time, ..Default::default() });
        running().and(Event::TerminationNoticed(pb::TerminationNoticed { termination }))
    };
    noticed().when(brand(proposing(&fee_of(5000), day(2026, 6, 30)))).happens();
    let (field, description) = wrong(noticed(), &fee_of(5000), day(2026, 7, 1));
    assert_eq!(field, "effective_date");
    assert!(description.contains("ends at 2026-07-01T04:00:00Z"), "{description}");
}

fn ending_on(year: i32, month: i32, day: i32) -> pb::Terms {
    changed(|terms| terms.end_date = date(year, month, day))
}

#[test]
fn the_end_follows_the_terms() {
    let longer = ending_on(2026, 12, 31);
    let open = running().when(brand(proposing(&longer, day(2026, 10, 1)))).happens();
    assert_eq!(open.when(creator(accept_of(1, &longer))).happens().state().0.end_date, date(2026, 12, 31));
    // What doesn't change the last day leaves it, after renewals too.
    let renewed = Event::Renewed(pb::ContractRenewed {
        renewal_count: 1,
        start_date: date(2026, 9, 1),
        end_date: date(2026, 11, 30),
    });
    let renewed = || running().at("2026-09-01T04:00:00Z").and(renewed.clone()).at("2026-09-10T12:00:00Z");
    let open = renewed().when(brand(proposing(&fee_of(5000), day(2026, 11, 30)))).happens();
    assert_eq!(open.when(creator(accept())).happens().state().0.end_date, date(2026, 11, 30));
}

#[test]
fn a_contract_does_not_end_in_the_past() {
    let shorter = ending_on(2026, 7, 1);
    let late = || running().at("2026-07-02T04:00:00Z");
    let (field, description) = wrong(late(), &shorter, day(2026, 6, 20));
    assert_eq!(field, "terms.end_date");
    assert!(description.contains("give a day from 2026-07-02 on"), "{description}");

    // Nor by an acceptance that comes too late.
    let open = running().when(brand(proposing(&shorter, day(2026, 6, 20)))).happens().at("2026-07-02T04:00:00Z");
    let refusal = open.when(creator(accept_of(1, &shorter))).then_refused(OutOfTime);
    assert!(refusal.message.contains("can't be accepted any more, for its terms.end_date"), "{refusal}");
    assert!(refusal.message.contains("propose another"), "{refusal}");
}

#[test]
fn who_is_granted_it_replaces_clauses() {
    let terms = disclosing("@glow");
    let given = running().when(brand(replacing(&terms, day(2026, 6, 23)))).happens();
    let contract = given.state().0;
    assert_eq!((contract.version, &contract.terms), (2, &Some(terms.clone())));
    let amendment = &contract.amendments[0];
    assert_eq!((amendment.state(), amendment.proposed_by()), (AmendmentState::Replaced, Party::Brand));
    assert_eq!(amendment.decide_time, amendment.propose_time);
    assert_eq!(contract.versions[1].effective_time, instant("2026-06-23T04:00:00Z"));
    assert_eq!(contract.versions[0].terms, Some(rich()));
}

#[test]
fn who_is_not_granted_it_proposes() {
    let terms = disclosing("@glow");
    let refusal = running().when(creator(replacing(&terms, day(2026, 7, 1)))).then_refused(NotGranted);
    assert!(refusal.message.contains("to the creator. Propose an amendment instead"), "{refusal}");
    // Nobody is, without the clause.
    let plain = without("changes");
    let given = running_on(&plain).when(brand(replacing(&terms, day(2026, 7, 1))));
    given.then_refused(NotGranted);
}

#[test]
fn only_named_clauses_are_replaced_and_by_their_kind() {
    let added = changed(|terms| {
        terms.clauses.push(clause(
            "bonus",
            Kind::Bonus(pb::BonusClause { metric: pb::Metric::Orders.into(), threshold: 10, amount: usd(100) }),
        ))
    });
    let dropped = changed(|terms| {
        terms.clauses.retain(|clause| clause.clause_id != "ads");
        match kind(terms, "changes") {
            Kind::Amendment(clause) => clause.replaceable_clause_ids.retain(|id| id != "ads"),
            other => panic!("{other:?}"),
        }
    });
    let other_kind = changed(|terms| {
        *kind(terms, "ads") =
            Kind::Bonus(pb::BonusClause { metric: pb::Metric::Orders.into(), threshold: 10, amount: usd(100) });
    });
    let reordered = changed(|terms| terms.clauses.reverse());
    for (terms, words) in [
        (fee_of(1), "clause \"fee\" can't be replaced"),
        (added, "clause \"bonus\" can't be replaced"),
        // Together with the clause that grants it.
        (dropped, "clause \"changes\" can't be replaced"),
        (other_kind, "clause \"ads\" can't become another kind"),
        (reordered, "the days or the order of the clauses can't be replaced"),
        (ending_on(2026, 9, 30), "the days or the order of the clauses can't be replaced"),
    ] {
        let refusal = running().when(brand(replacing(&terms, day(2026, 7, 1)))).then_refused(NotGranted);
        assert!(refusal.message.contains(words), "{refusal}");
        assert!(refusal.message.contains("disclosure, ads may be"), "{refusal}");
    }
}

#[test]
fn a_replacement_keeps_its_notice() {
    let replace = |day| running().when(brand(replacing(&disclosing("@glow"), day)));
    // Seven full days after 15 June end with the 22nd.
    replace(day(2026, 6, 23)).happens();
    let refusal = replace(day(2026, 6, 22)).then_refused(OutOfTime);
    assert!(refusal.message.contains("can be replaced from 2026-06-23 on, not 2026-06-22"), "{refusal}");
    assert!(refusal.message.contains("7 full day(s)"), "{refusal}");

    // Without notice it is the next day: none that has begun is changed by one party alone.
    let at_once = |terms: &mut pb::Terms| match kind(terms, "changes") {
        Kind::Amendment(clause) => clause.notice_days = 0,
        other => panic!("{other:?}"),
    };
    let replaced = changed(|terms| {
        at_once(terms);
        match kind(terms, "disclosure") {
            Kind::Disclosure(clause) => clause.brand_tag = "@glow".into(),
            other => panic!("{other:?}"),
        }
    });
    let given = || running_on(&changed(at_once));
    given().when(brand(replacing(&replaced, day(2026, 6, 16)))).happens();
    given().when(brand(replacing(&replaced, day(2026, 6, 15)))).then_refused(OutOfTime);
}

#[test]
fn a_replacement_brings_nothing_earlier_that_was_agreed_for_later() {
    let raised = proposing(&fee_of(5000), day(2026, 8, 1));
    let agreed = || running().when(brand(raised.clone())).happens().when(creator(accept())).happens();
    let with_raise = changed(|terms| {
        *terms = fee_of(5000);
        match kind(terms, "disclosure") {
            Kind::Disclosure(clause) => clause.brand_tag = "@glow".into(),
            other => panic!("{other:?}"),
        }
    });
    let refusal = agreed().when(brand(replacing(&with_raise, day(2026, 7, 31)))).then_refused(OutOfTime);
    assert!(refusal.message.contains("from 2026-08-01 on"), "{refusal}");
    assert_eq!(agreed().when(brand(replacing(&with_raise, day(2026, 8, 1)))).happens().state().0.version, 3);
    // Nor does it drop what was agreed.
    let refusal = agreed().when(brand(replacing(&disclosing("@glow"), day(2026, 8, 1)))).then_refused(NotGranted);
    assert!(refusal.message.contains("clause \"fee\" can't be replaced"), "{refusal}");
}
