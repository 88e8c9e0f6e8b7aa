//! A contract that is signed, on terms by which it can be changed and ended early.

use tandem_aggregate::testing::{Given, given};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::validation::Path;

use super::{BRAND, CREATOR, Contract};
use crate::fixtures::changeable_terms;
use crate::terms::{Terms, hash};

/// When it was signed; it begins on 1 June and ends with 31 August, New York time.
pub(super) const SIGNED: &str = "2026-05-02T10:00:00Z";
/// Within its term.
pub(super) const JUNE_15: &str = "2026-06-15T12:00:00Z";

/// Terms that can be changed and ended early.
pub(super) fn rich() -> pb::Terms {
    changeable_terms()
}

/// Terms changed from [`rich`] ones.
pub(super) fn changed(change: impl FnOnce(&mut pb::Terms)) -> pb::Terms {
    let mut terms = rich();
    change(&mut terms);
    terms
}

pub(super) fn renewal(terms: &mut pb::Terms) -> &mut pb::RenewalClause {
    match kind(terms, "renewal") {
        Kind::Renewal(clause) => clause,
        other => panic!("{other:?}"),
    }
}

pub(super) fn termination(terms: &mut pb::Terms) -> &mut pb::TerminationClause {
    match kind(terms, "ending") {
        Kind::Termination(clause) => clause,
        other => panic!("{other:?}"),
    }
}

pub(super) fn kind<'a>(terms: &'a mut pb::Terms, id: &str) -> &'a mut Kind {
    let clause = terms.clauses.iter_mut().find(|clause| clause.clause_id == id).unwrap();
    clause.clause.as_mut().unwrap()
}

pub(super) fn without(id: &str) -> pb::Terms {
    changed(|terms| terms.clauses.retain(|clause| clause.clause_id != id))
}

pub(super) fn taken(terms: &pb::Terms) -> Terms {
    Terms::parse(terms.clone(), &Path::Root).unwrap()
}

/// Signed, and yet to begin.
pub(super) fn concluded(terms: &pb::Terms) -> Given<Contract> {
    // As they would have to be for the events.
    let terms_hash = taken(terms).hash().to_owned();
    let signature = |party: Party| {
        let (party, terms_hash) = (party.into(), terms_hash.clone());
        Some(pb::Signature { party, terms_hash, ..Default::default() })
    };
    let drafted = pb::ContractDrafted {
        brand: BRAND.into(),
        creator: CREATOR.into(),
        title: "Summer".into(),
        terms: Some(terms.clone()),
        ..Default::default()
    };
    let accepted_by = Party::Creator.into();
    given([])
        .at(SIGNED)
        .and(Event::Drafted(drafted))
        .and(Event::Proposed(pb::ContractProposed { terms_hash: hash(terms), expire_time: None }))
        .and(Event::Accepted(pb::ContractAccepted { accepted_by, round: 1, terms_hash: hash(terms) }))
        .and(Event::SignatureAdded(pb::SignatureAdded { signature: signature(Party::Creator), ..Default::default() }))
        .and(Event::Signed(pb::ContractSigned { signature: signature(Party::Brand), version: 1, ..Default::default() }))
}

/// Begun; it is 15 June.
pub(super) fn running_on(terms: &pb::Terms) -> Given<Contract> {
    let started = Event::Started(pb::ContractStarted { start_date: terms.start_date });
    concluded(terms).at("2026-06-01T04:00:00Z").and(started).at(JUNE_15)
}

pub(super) fn running() -> Given<Contract> {
    running_on(&rich())
}

/// Ended, on 15 June.
pub(super) fn ended() -> Given<Contract> {
    running().and(Event::Terminated(pb::ContractTerminated::default()))
}
