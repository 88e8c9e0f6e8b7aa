//! Drafts and offers that have happened, and what became of them.
//!
//! Invariant: rounds are numbered from 1 without a gap; all but the last have their terms, and those of the last are the
//! contract's.

use prost_types::Timestamp;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{Contract, ContractState as State, Party, Round};

use super::super::origin;
use crate::terms::{changes, hash};

pub(in super::super) fn drafted(contract: &mut Contract, event: &pb::ContractDrafted, name: &str, now: Timestamp) {
    let event = event.clone();
    *contract = Contract {
        name: name.to_owned(),
        brand: event.brand,
        creator: event.creator,
        title: event.title,
        terms_hash: event.terms.as_ref().map(hash).unwrap_or_default(),
        terms: event.terms,
        template: event.template,
        template_version: event.template_version,
        deviations: event.deviations,
        create_time: Some(now),
        ..Contract::default()
    };
    contract.set_state(State::Draft);
}

pub(in super::super) fn proposed(contract: &mut Contract, event: &pb::ContractProposed, now: Timestamp) {
    offer(contract, Party::Brand, None, now);
    contract.offer_expire_time = event.expire_time;
    contract.set_state(State::Proposed);
}

pub(in super::super) fn countered(contract: &mut Contract, event: &pb::ContractCountered, now: Timestamp) {
    offer(contract, event.offered_by(), event.terms.clone(), now);
    contract.offer_expire_time = event.expire_time;
    contract.set_state(State::Countered);
}

/// A further round, on the contract's terms or on others, which are the contract's from now on.
fn offer(contract: &mut Contract, by: Party, terms: Option<pb::Terms>, now: Timestamp) {
    let mut round =
        Round { number: contract.round + 1, offered_by: by.into(), offer_time: Some(now), ..Round::default() };
    if let Some(terms) = terms {
        contract.terms_hash = hash(&terms);
        let before = contract.terms.replace(terms);
        origin::follow(contract, before.as_ref());
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

pub(in super::super) fn accepted(contract: &mut Contract) {
    contract.set_state(State::Accepted);
}

pub(in super::super) fn declined(contract: &mut Contract, event: &pb::ContractDeclined) {
    contract.end_reason.clone_from(&event.reason);
    contract.set_state(State::Declined);
}

pub(in super::super) fn withdrawn(contract: &mut Contract, event: &pb::ContractWithdrawn) {
    contract.end_reason.clone_from(&event.reason);
    contract.set_state(State::Withdrawn);
}

pub(in super::super) fn lapsed(contract: &mut Contract) {
    contract.set_state(State::Lapsed);
}
