//! The rules of a contract, as given/when/then: one test a rule, and every refusal has one.

mod amendments;
mod concluded;
mod documents;
mod effects;
mod endings;
mod listing;
mod negotiation;
mod properties;
mod renewal;
mod schedule;
mod signing;
mod statutory;
mod template;
mod term;
mod terminations;
mod validity;
mod versions;
mod warnings;

use jiff::Timestamp;
use tandem_aggregate::testing::{Given, given};
use tandem_aggregate::{Aggregate as _, Context, Scheduled as _};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{ContractState as State, Party, SignatureMethod};
use tandem_proto::google::r#type::Date;
use tandem_proto::time;
use tandem_proto::validation::Path;

use super::{Action, Command, Consent, Contract, Draft};
use crate::fixtures::{BRAND, CREATOR, clause, date, terms, terms_for};
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

/// Two parties for some days in a time zone, with a fee and these further clauses.
fn term(
    zone: &str,
    first: Option<Date>,
    last: Option<Date>,
    clauses: impl IntoIterator<Item = pb::Clause>,
) -> pb::Terms {
    let mut terms = terms();
    (terms.time_zone, terms.start_date, terms.end_date) = (zone.to_owned(), first, last);
    terms.clauses.retain(|clause| clause.clause_id == "payment");
    terms.clauses.extend(clauses);
    terms
}

/// Renews itself for so many months, unless notice is given so many days ahead.
fn renewal(term_months: i32, notice_days: i32, warning_days: &[i32]) -> pb::Clause {
    let warning_days = warning_days.to_vec();
    clause("renewal", Kind::Renewal(pb::RenewalClause { auto_renew: true, term_months, notice_days, warning_days }))
}

/// Signed by both, as they were proposed, at an instant.
fn signed_at(at: &str, terms: pb::Terms) -> Given<Contract> {
    let terms_hash = hash(&terms);
    let accepted =
        pb::ContractAccepted { accepted_by: Party::Creator.into(), round: 1, terms_hash: terms_hash.clone() };
    let by = |party: Party| {
        Some(pb::Signature { party: party.into(), terms_hash: terms_hash.clone(), ..Default::default() })
    };
    let signed = pb::ContractSigned { signature: by(Party::Brand), version: 1, ..Default::default() };
    given([])
        .at(at)
        .and(Event::Drafted(pb::ContractDrafted { terms: Some(terms), ..Default::default() }))
        .and(Event::Proposed(pb::ContractProposed { terms_hash: terms_hash.clone(), ..Default::default() }))
        .and(Event::Accepted(accepted))
        .and(Event::SignatureAdded(pb::SignatureAdded { signature: by(Party::Creator), ..Default::default() }))
        .and(Event::Signed(signed))
}

/// What time brings about by itself.
fn act_on_due() -> Command {
    Contract::act_on_due()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What comes to pass by an instant, in one go; the contract afterwards.
fn pass(contract: &mut Contract, until: &str) -> Vec<Event> {
    let context = Context { time: instant(until), actor: "services/contracts", resource: "contracts/test" };
    let events = contract.decide(&act_on_due(), &context).unwrap();
    for event in &events {
        super::evolve::evolve(&mut contract.0, event, context.resource, context.time);
    }
    events
}

fn started(first: Option<Date>) -> Event {
    Event::Started(pb::ContractStarted { start_date: first })
}

fn renewed(renewal_count: i32, first: Option<Date>, last: Option<Date>) -> Event {
    Event::Renewed(pb::ContractRenewed { renewal_count, start_date: first, end_date: last })
}

fn expired(last: Option<Date>) -> Event {
    Event::Expired(pb::ContractExpired { end_date: last })
}
