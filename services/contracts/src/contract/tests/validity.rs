//! How long an offer can be answered.

use tandem_proto::common::v1::ErrorReason::{FieldInvalid, OutOfTime, StateForbids};

use super::*;

const UNTIL: &str = "2026-05-10T12:00:00Z";

fn until(text: &str) -> Option<prost_types::Timestamp> {
    Some(time::to_proto(instant(text)))
}

fn propose(expire_time: &str) -> Action {
    Action::Propose { expire_time: Some(instant(expire_time)) }
}

fn proposed_until(text: &str) -> Event {
    Event::Proposed(pb::ContractProposed { terms_hash: hash(&terms_for(100)), expire_time: until(text) })
}

fn countered_until(text: &str) -> Event {
    let (terms, terms_hash) = (Some(terms_for(120)), hash(&terms_for(120)));
    let offered_by = Party::Creator.into();
    Event::Countered(pb::ContractCountered {
        offered_by,
        round: 2,
        terms,
        terms_hash,
        expire_time: until(text),
        ..Default::default()
    })
}

fn lapsed() -> Event {
    Event::Lapsed(pb::ContractLapsed { expire_time: until(UNTIL) })
}

/// The creator's turn until then.
fn an_offer() -> Given<Contract> {
    given([drafted(100)]).at("2026-05-01T12:00:00Z").and(proposed_until(UNTIL))
}

#[test]
fn an_offer_is_valid_for_ever_unless_it_says_otherwise() {
    let contract = a_proposal().state();
    assert_eq!((contract.0.offer_expire_time, contract.next_due()), (None, None));
    a_proposal().at("2096-01-01T00:00:00Z").when(creator(Action::Accept)).happens();
}

#[test]
fn an_offer_says_until_when_it_is_valid() {
    let contract = a_draft().when(brand(propose(UNTIL))).then([proposed_until(UNTIL)]).state();
    assert_eq!(contract.0.offer_expire_time, until(UNTIL));
    assert_eq!(contract.next_due(), Some(instant(UNTIL)));
}

#[test]
fn an_offer_is_not_valid_until_a_time_gone_by() {
    for time in ["2026-05-01T12:00:00Z", "2026-04-30T00:00:00Z"] {
        let refusal = a_draft().at("2026-05-01T12:00:00Z").when(brand(propose(time))).then_refused(FieldInvalid);
        assert_eq!(refusal.violations[0].field, "expire_time");
        assert!(refusal.message.ends_with("give a later instant, or none."), "{refusal}");

        let counter = Action::Counter { terms: parsed(120), expire_time: Some(instant(time)) };
        let refusal = an_offer().when(creator(counter)).then_refused(FieldInvalid);
        assert_eq!(refusal.violations[0].field, "expire_time");
    }
}

#[test]
fn a_counter_is_valid_as_long_as_the_offer_that_it_answers() {
    let contract = an_offer().when(creator(counter(120))).then([countered_until(UNTIL)]).state();
    assert_eq!(contract.next_due(), Some(instant(UNTIL)));
}

#[test]
fn a_counter_can_be_valid_for_longer_or_shorter() {
    for time in ["2026-05-02T00:00:00Z", "2026-06-01T00:00:00Z"] {
        let counter = Action::Counter { terms: parsed(120), expire_time: Some(instant(time)) };
        let contract = an_offer().when(creator(counter)).then([countered_until(time)]).state();
        assert_eq!(contract.next_due(), Some(instant(time)));
    }
}

#[test]
fn an_offer_can_be_answered_while_it_is_valid() {
    for action in [counter(120), Action::Accept, decline()] {
        an_offer().at("2026-05-10T11:59:59.999Z").when(creator(action)).happens();
    }
    an_offer().at("2026-05-10T11:59:59.999Z").when(brand(withdraw())).happens();
}

#[test]
fn an_offer_lapses_when_its_time_is_over() {
    an_offer().at("2026-05-10T11:59:59.999Z").when(act_on_due()).then([]);
    let contract = an_offer().at(UNTIL).when(act_on_due()).then([lapsed()]).state();
    assert_eq!((contract.0.state(), contract.next_due()), (State::Lapsed, None));
    // Once.
    an_offer().and(lapsed()).at("2026-05-11T00:00:00Z").when(act_on_due()).then([]);
}

#[test]
fn what_is_answered_does_not_lapse() {
    for answer in [accepted(Party::Creator, 1, 100), declined(Party::Creator), withdrawn(Party::Brand)] {
        an_offer().and(answer).at("2026-06-01T00:00:00Z").when(act_on_due()).then([]);
    }
}

#[test]
fn a_lapsed_offer_is_answered_no_more() {
    // Whether its timer has gone off yet or not.
    for offer in [an_offer, || an_offer().and(lapsed())] {
        for command in [creator(Action::Accept), creator(counter(120)), creator(decline()), brand(withdraw())] {
            let refusal = offer().at(UNTIL).when(command).then_refused(OutOfTime);
            assert!(
                refusal.message.starts_with("Round 1 of contracts/test lapsed at 2026-05-10T12:00:00Z"),
                "{refusal}"
            );
            assert!(refusal.message.ends_with("Draft a new contract on these terms, and propose it."), "{refusal}");
        }
        offer().at(UNTIL).when(brand(sign(100))).then_refused(StateForbids);
        offer().at(UNTIL).when(brand(propose("2027-01-01T00:00:00Z"))).then_refused(StateForbids);
    }
}
