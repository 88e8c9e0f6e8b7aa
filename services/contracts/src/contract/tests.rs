//! The rules of a contract, as given/when/then: one test a rule, and every refusal has one.

mod amendments;
mod concluded;
mod effects;
mod negotiation;
mod properties;
mod signing;
mod terminations;
mod versions;

use tandem_aggregate::testing::{Given, given};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Party, SignatureMethod};
use tandem_proto::validation::Path;

use super::{Action, Command, Consent, Contract, Draft};
use crate::fixtures::{BRAND, CREATOR, terms_for};
use crate::terms::{Terms, hash};

fn brand(action: Action) -> Command {
    Command { by: Party::Brand, action }
}

fn creator(action: Action) -> Command {
    Command { by: Party::Creator, action }
}

fn parsed(fee: i64) -> Terms {
    Terms::parse(terms_for(fee), &Path::Root).unwrap()
}

fn draft(fee: i64) -> Action {
    let title = "Summer".to_owned();
    Action::Draft(Draft { brand: BRAND.into(), creator: CREATOR.into(), title, terms: parsed(fee), template: None })
}

fn counter(fee: i64) -> Action {
    Action::Counter { terms: parsed(fee), expire_time: None }
}

fn decline() -> Action {
    Action::Decline { reason: "Too busy.".into() }
}

fn withdraw() -> Action {
    Action::Withdraw { reason: "Budget is gone.".into() }
}

/// Signs the terms for a fee.
fn sign(fee: i64) -> Action {
    let (terms_hash, capacity) = (hash(&terms_for(fee)), "Head of Partnerships".to_owned());
    Action::Sign(Consent {
        terms_hash,
        capacity,
        method: SignatureMethod::Click,
        document: None,
        exclusivity_override: None,
    })
}

fn drafted(fee: i64) -> Event {
    let (brand, creator, title) = (BRAND.into(), CREATOR.into(), "Summer".into());
    Event::Drafted(pb::ContractDrafted { brand, creator, title, terms: Some(terms_for(fee)), ..Default::default() })
}

fn proposed(fee: i64) -> Event {
    Event::Proposed(pb::ContractProposed { terms_hash: hash(&terms_for(fee)), ..Default::default() })
}

fn countered(by: Party, round: i32, fee: i64) -> Event {
    let (terms, terms_hash) = (Some(terms_for(fee)), hash(&terms_for(fee)));
    Event::Countered(pb::ContractCountered { offered_by: by.into(), round, terms, terms_hash, ..Default::default() })
}

fn accepted(by: Party, round: i32, fee: i64) -> Event {
    Event::Accepted(pb::ContractAccepted { accepted_by: by.into(), round, terms_hash: hash(&terms_for(fee)) })
}

fn declined(by: Party) -> Event {
    Event::Declined(pb::ContractDeclined { declined_by: by.into(), reason: "Too busy.".into() })
}

fn withdrawn(by: Party) -> Event {
    Event::Withdrawn(pb::ContractWithdrawn { withdrawn_by: by.into(), reason: "Budget is gone.".into() })
}

fn nothing() -> Given<Contract> {
    given([])
}

fn a_draft() -> Given<Contract> {
    given([drafted(100)])
}

/// The creator's turn.
fn a_proposal() -> Given<Contract> {
    given([drafted(100), proposed(100)])
}

/// The brand's turn.
fn a_counter() -> Given<Contract> {
    given([drafted(100), proposed(100), countered(Party::Creator, 2, 120)])
}

/// Agreed for 120.
fn an_agreement() -> Given<Contract> {
    given([drafted(100), proposed(100), countered(Party::Creator, 2, 120), accepted(Party::Brand, 2, 120)])
}
