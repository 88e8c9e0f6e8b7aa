//! Amendments that have happened.
//!
//! Invariant: the version rises by one with each amendment that comes into force, and only then; terms are told once.

use prost_types::Timestamp;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Amendment, AmendmentState as State, Contract, TermsVersion};

use super::super::{origin, term};

/// Takes in an event about amendments; others leave the contract as it is.
pub(in super::super) fn evolve(contract: &mut Contract, event: &Event, now: Timestamp) {
    match event {
        Event::AmendmentProposed(event) => contract.amendments.extend(event.amendment.clone()),
        Event::AmendmentAccepted(event) => {
            decided(contract, event.number, State::Accepted, now);
            agree(contract, event.number, event.version, event.effective_time, now);
        }
        Event::AmendmentDeclined(event) => {
            if let Some(amendment) = decided(contract, event.number, State::Declined, now) {
                amendment.decline_reason.clone_from(&event.reason);
            }
        }
        Event::AmendmentWithdrawn(event) => {
            decided(contract, event.number, State::Withdrawn, now);
        }
        Event::TermsReplaced(event) => {
            contract.amendments.extend(event.amendment.clone());
            let number = event.amendment.as_ref().map_or(0, |amendment| amendment.number);
            agree(contract, number, event.version, event.effective_time, now);
        }
        _ => {}
    }
}

fn decided(contract: &mut Contract, number: i32, state: State, now: Timestamp) -> Option<&mut Amendment> {
    let amendment = contract.amendments.iter_mut().find(|amendment| amendment.number == number)?;
    amendment.set_state(state);
    amendment.decide_time = Some(now);
    Some(amendment)
}

/// The terms of an amendment are the newest from now on.
fn agree(contract: &mut Contract, number: i32, version: i32, effective_time: Option<Timestamp>, now: Timestamp) {
    let Some(amendment) = contract.amendments.iter().find(|amendment| amendment.number == number) else { return };
    let (terms, terms_hash) = (amendment.terms.clone().unwrap_or_default(), amendment.terms_hash.clone());
    let before = contract.terms.replace(terms);
    origin::follow(contract, before.as_ref());
    if let Some(before) = &before {
        term::follow(contract, before);
    }
    // The last round and the last version had their terms in the contract.
    if let Some(round) = contract.rounds.last_mut().filter(|round| round.terms.is_none()) {
        round.terms.clone_from(&before);
    }
    if let Some(last) = contract.versions.last_mut() {
        last.terms = before;
    }
    contract.terms_hash.clone_from(&terms_hash);
    contract.version = version;
    contract.versions.push(TermsVersion {
        version,
        terms_hash,
        effective_time,
        agree_time: Some(now),
        amendment: number,
        ..TermsVersion::default()
    });
    for other in contract.amendments.iter_mut().filter(|other| other.state() == State::Proposed) {
        other.set_state(State::Superseded);
        other.decide_time = Some(now);
    }
}
