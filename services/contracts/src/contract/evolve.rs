//! What has happened to a contract, folded into its state.
//!
//! Invariant: pure and total; the state after an event is a function of the state before it, the event and its
//! envelope.

use prost_types::Timestamp;
use tandem_eventlog::Envelope;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, Party, Round, Signature, Terms};
use tandem_proto::time;

use crate::terms::{changes, hash};

pub(super) fn evolve(contract: &mut Contract, event: &Event, envelope: &Envelope) {
    let now = time::to_proto(envelope.time);
    match event {
        Event::Drafted(event) => {
            *contract = Contract {
                name: envelope.resource.clone(),
                brand: event.brand.clone(),
                creator: event.creator.clone(),
                title: event.title.clone(),
                terms_hash: event.terms.as_ref().map(hash).unwrap_or_default(),
                terms: event.terms.clone(),
                create_time: Some(now),
                ..Contract::default()
            };
            contract.set_state(State::Draft);
        }
        Event::Proposed(_) => {
            offer(contract, Party::Brand, None, now);
            contract.set_state(State::Proposed);
        }
        Event::Countered(event) => {
            offer(contract, event.offered_by(), event.terms.clone(), now);
            contract.set_state(State::Countered);
        }
        Event::Accepted(_) => contract.set_state(State::Accepted),
        Event::Declined(event) => {
            contract.end_reason.clone_from(&event.reason);
            contract.set_state(State::Declined);
        }
        Event::Withdrawn(event) => {
            contract.end_reason.clone_from(&event.reason);
            contract.set_state(State::Withdrawn);
        }
        Event::SignatureAdded(event) => sign(contract, event.signature.as_ref()),
        Event::Signed(event) => {
            sign(contract, event.signature.as_ref());
            contract.sign_time = Some(now);
            contract.set_state(State::Active);
        }
        _ => {}
    }
    contract.update_time = Some(now);
}

/// A further round, on the contract's terms or on others, which are the contract's from now on.
fn offer(contract: &mut Contract, by: Party, terms: Option<Terms>, now: Timestamp) {
    let mut round =
        Round { number: contract.round + 1, offered_by: by.into(), offer_time: Some(now), ..Round::default() };
    if let Some(terms) = terms {
        contract.terms_hash = hash(&terms);
        let before = contract.terms.replace(terms);
        round.changes = before
            .as_ref()
            .zip(contract.terms.as_ref())
            .map(|(before, terms)| changes(before, terms))
            .unwrap_or_default();
        if let Some(last) = contract.rounds.last_mut() {
            last.terms = before;
        }
    }
    round.terms_hash.clone_from(&contract.terms_hash);
    contract.round = round.number;
    contract.rounds.push(round);
}

fn sign(contract: &mut Contract, signature: Option<&Signature>) {
    contract.signatures.extend(signature.cloned());
}
