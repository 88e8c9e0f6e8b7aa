//! What lists filter by: whose action is awaited.

use tandem_proto::contracts::v1::AmendmentState;

use super::super::resource::awaited;
use super::*;

fn waits(contract: Given<Contract>) -> Vec<Party> {
    awaited(&contract.state().0)
}

fn with(change: impl FnOnce(&mut pb::Contract)) -> Vec<Party> {
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms()).state().0;
    change(&mut contract);
    awaited(&contract)
}

#[test]
fn an_offer_awaits_the_other_party() {
    assert_eq!(waits(a_draft()), []);
    assert_eq!(waits(a_proposal()), [Party::Creator]);
    assert_eq!(waits(a_counter()), [Party::Brand]);
    assert_eq!(waits(a_counter().and(declined(Party::Brand))), []);
}

#[test]
fn an_agreement_awaits_who_has_not_signed() {
    assert_eq!(waits(an_agreement()), [Party::Brand, Party::Creator]);
    let one = an_agreement().when(creator(sign(120))).happens();
    assert_eq!(waits(one), [Party::Brand]);
    assert_eq!(with(|_| {}), []);
}

#[test]
fn a_proposed_amendment_or_termination_awaits_the_other_party() {
    let amendment = |state: AmendmentState, by: Party| pb::Amendment {
        state: state.into(),
        proposed_by: by.into(),
        ..Default::default()
    };
    let proposal = |by: Party| Some(pb::Termination { party: by.into(), ..Default::default() });
    let open = AmendmentState::Proposed;
    assert_eq!(with(|contract| contract.amendments = vec![amendment(open, Party::Brand)]), [Party::Creator]);
    assert_eq!(with(|contract| contract.amendments = vec![amendment(AmendmentState::Declined, Party::Brand)]), []);
    assert_eq!(with(|contract| contract.proposed_termination = proposal(Party::Creator)), [Party::Brand]);
    let both = with(|contract| {
        contract.amendments = vec![amendment(open, Party::Brand), amendment(open, Party::Creator)];
        contract.proposed_termination = proposal(Party::Creator);
    });
    assert_eq!(both, [Party::Brand, Party::Creator], "each once");
    // After the end nothing is awaited.
    let ended = with(|contract| {
        contract.amendments = vec![amendment(open, Party::Brand)];
        contract.set_state(State::Expired);
    });
    assert_eq!(ended, []);
}
