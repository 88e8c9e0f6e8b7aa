//! From draft to agreement, or to nothing.

use tandem_proto::common::v1::ErrorReason::{
    FieldInvalid, NotYourTurn, ResourceExists, ResourceNotFound, StateForbids,
};

use super::*;

/// Every action but drafting, as it would be in place somewhere.
fn transitions() -> Vec<Action> {
    vec![Action::Propose { expire_time: None }, counter(130), Action::Accept, decline(), withdraw(), sign(120)]
}

#[test]
fn a_brand_drafts() {
    let contract = nothing().when(brand(draft(100))).then([drafted(100)]).state().0;
    assert_eq!((contract.state(), contract.round), (State::Draft, 0));
    assert_eq!((&contract.brand[..], &contract.creator[..], &contract.title[..]), (BRAND, CREATOR, "Summer"));
    assert_eq!((contract.terms, contract.terms_hash), (Some(terms_for(100)), hash(&terms_for(100))));
}

#[test]
fn a_contract_belongs_to_a_partnership() {
    assert_eq!(a_draft().state().partnership(&drafted(100)), "partnerships/glowco~zoe");
}

#[test]
fn a_creator_does_not_draft() {
    nothing().when(creator(draft(100))).then_refused(NotYourTurn);
}

#[test]
fn a_contract_is_drafted_once() {
    a_draft().when(brand(draft(100))).then_refused(ResourceExists);
}

#[test]
fn before_its_draft_a_contract_is_not_there() {
    for action in transitions() {
        nothing().when(brand(action)).then_refused(ResourceNotFound);
    }
}

#[test]
fn a_brand_proposes() {
    let contract = a_draft().when(brand(Action::Propose { expire_time: None })).then([proposed(100)]).state().0;
    assert_eq!((contract.state(), contract.round), (State::Proposed, 1));
    let [round] = &contract.rounds[..] else { panic!("{:?}", contract.rounds) };
    assert_eq!((round.number, round.offered_by()), (1, Party::Brand));
    assert_eq!((&contract.terms, &round.terms_hash), (&Some(terms_for(100)), &hash(&terms_for(100))));
    assert_eq!(round.changes, []);
}

#[test]
fn a_creator_does_not_propose() {
    let refusal = a_draft().when(creator(Action::Propose { expire_time: None })).then_refused(NotYourTurn);
    assert!(refusal.message.contains("Only the brand can propose"), "{refusal}");
}

#[test]
fn a_contract_is_proposed_once() {
    let refusal = a_proposal().when(brand(Action::Propose { expire_time: None })).then_refused(StateForbids);
    assert_eq!(refusal.message, "contracts/test is PROPOSED; only a contract in DRAFT can be proposed.");
}

#[test]
fn a_draft_waits_for_its_proposal() {
    for action in [counter(130), Action::Accept, decline(), withdraw(), sign(100)] {
        for command in [brand(action.clone()), creator(action)] {
            let refusal = a_draft().when(command).then_refused(StateForbids);
            assert!(refusal.message.starts_with("contracts/test is DRAFT; only"), "{refusal}");
        }
    }
}

#[test]
fn an_offer_is_countered_by_the_other() {
    let round_2 = a_proposal().when(creator(counter(120))).then([countered(Party::Creator, 2, 120)]);
    let contract = round_2.when(brand(counter(110))).then([countered(Party::Brand, 3, 110)]).state().0;
    assert_eq!((contract.state(), contract.round), (State::Countered, 3));
    assert_eq!((contract.terms, contract.terms_hash), (Some(terms_for(110)), hash(&terms_for(110))));

    let offers: Vec<_> = contract.rounds.iter().map(|round| (round.number, round.offered_by())).collect();
    assert_eq!(offers, [(1, Party::Brand), (2, Party::Creator), (3, Party::Brand)]);
    let changed: Vec<_> = contract.rounds[2].changes.iter().map(|change| &change.clause_id[..]).collect();
    assert_eq!(changed, ["fee"]);
}

#[test]
fn nobody_answers_their_own_offer() {
    for action in [counter(130), Action::Accept, decline()] {
        a_proposal().when(brand(action.clone())).then_refused(NotYourTurn);
        let refusal = a_counter().when(creator(action)).then_refused(NotYourTurn);
        assert!(refusal.message.contains("Round 2 of contracts/test is the creator's own offer"), "{refusal}");
    }
}

#[test]
fn a_counter_offers_something_else() {
    let refusal = a_proposal().when(creator(counter(100))).then_refused(FieldInvalid);
    assert_eq!(refusal.violations[0].field, "terms");
    // What was refused before may be offered again.
    a_counter().when(brand(counter(100))).then([countered(Party::Brand, 3, 100)]);
}

#[test]
fn an_offer_is_accepted_by_the_other() {
    a_proposal().when(creator(Action::Accept)).then([accepted(Party::Creator, 1, 100)]);
    let contract = a_counter().when(brand(Action::Accept)).then([accepted(Party::Brand, 2, 120)]).state().0;
    assert_eq!((contract.state(), contract.round), (State::Accepted, 2));
    assert_eq!(contract.terms, Some(terms_for(120)));
}

#[test]
fn an_offer_is_declined_by_the_other() {
    a_counter().when(brand(decline())).then([declined(Party::Brand)]);
    let contract = a_proposal().when(creator(decline())).then([declined(Party::Creator)]).state().0;
    assert_eq!((contract.state(), &contract.end_reason[..]), (State::Declined, "Too busy."));
}

#[test]
fn an_offer_is_withdrawn_by_its_own_party() {
    a_counter().when(creator(withdraw())).then([withdrawn(Party::Creator)]);
    let contract = a_proposal().when(brand(withdraw())).then([withdrawn(Party::Brand)]).state().0;
    assert_eq!((contract.state(), &contract.end_reason[..]), (State::Withdrawn, "Budget is gone."));
}

#[test]
fn nobody_withdraws_the_offer_of_the_other() {
    a_proposal().when(creator(withdraw())).then_refused(NotYourTurn);
    let refusal = a_counter().when(brand(withdraw())).then_refused(NotYourTurn);
    assert!(refusal.message.contains("is the offer of the creator"), "{refusal}");
}

#[test]
fn an_agreement_is_fixed() {
    for action in [Action::Propose { expire_time: None }, counter(130), Action::Accept, decline(), withdraw()] {
        an_agreement().when(brand(action.clone())).then_refused(StateForbids);
        an_agreement().when(creator(action)).then_refused(StateForbids);
    }
}

#[test]
fn what_has_come_to_nothing_stays_there() {
    for action in transitions() {
        for end in [withdrawn(Party::Creator), declined(Party::Brand)] {
            a_counter().and(end.clone()).when(brand(action.clone())).then_refused(StateForbids);
            a_counter().and(end).when(creator(action.clone())).then_refused(StateForbids);
        }
    }
}

#[test]
fn each_event_leaves_its_time() {
    let contract = a_draft().at("2026-05-02T10:00:00Z").and(proposed(100)).state().0;
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    assert_eq!(seconds(contract.create_time), 1_767_225_600);
    assert_eq!(seconds(contract.update_time), 1_777_716_000);
    assert_eq!(seconds(contract.rounds[0].offer_time), 1_777_716_000);
}

#[test]
fn a_round_that_was_can_be_looked_at() {
    let contract = a_counter().state();
    let first = contract.clone().at_round(1).unwrap().0;
    assert_eq!((first.round, &first.terms_hash), (1, &hash(&terms_for(100))));
    assert_eq!((first.terms, first.rounds.len()), (Some(terms_for(100)), 2));
    assert_eq!(contract.clone().at_round(2), Some(contract.clone()));
    assert_eq!(contract.at_round(3), None);
}
