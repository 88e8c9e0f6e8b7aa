//! What contracts grant, and what may be done with it.

mod check;
mod derivation;
mod register;
mod window;

use jiff::Timestamp;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{ContractState, UsageKind};
use tandem_proto::time;

use super::publications::Publication;
use crate::fixtures::{BRAND, CREATOR, clause, terms};

/// In New York it is still the second of July.
const PUBLISHED: &str = "2026-07-03T01:00:00Z";
/// The end of 2027-01-02 there: six months later.
const END: &str = "2027-01-03T05:00:00Z";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn published(at: &str) -> Publication {
    Publication {
        participation: "participations/p1".into(),
        deliverable: "participations/p1/deliverables/reel-1".into(),
        contract: "contracts/c1".into(),
        publish_time: instant(at),
    }
}

/// Paid amplification for six months on two channels in two countries.
fn ads() -> pb::UsageRightsClause {
    terms()
        .clauses
        .into_iter()
        .find_map(|clause| match clause.clause {
            Some(Kind::UsageRights(clause)) => Some(clause),
            _ => None,
        })
        .unwrap()
}

/// Terms that grant nothing but this.
fn terms_with(clauses: Vec<pb::Clause>) -> pb::Terms {
    pb::Terms { clauses, ..terms() }
}

fn granting(clauses: Vec<(&str, pb::UsageRightsClause)>) -> pb::Terms {
    terms_with(clauses.into_iter().map(|(id, rights)| clause(id, Kind::UsageRights(rights))).collect())
}

/// A contract in force by these terms, agreed as version 2.
fn contract(terms: pb::Terms) -> pb::Contract {
    let mut contract = pb::Contract {
        name: "contracts/c1".into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        terms: Some(terms),
        version: 2,
        versions: vec![pb::TermsVersion { version: 2, ..Default::default() }],
        sign_time: Some(time::to_proto(instant("2026-05-01T12:00:00Z"))),
        end_date: crate::fixtures::date(2026, 8, 31),
        ..Default::default()
    };
    contract.set_state(ContractState::Active);
    contract
}

/// The next version of the terms, which applies from an instant on.
fn amended(mut contract: pb::Contract, terms: pb::Terms, effective: &str) -> pb::Contract {
    let before = contract.terms.replace(terms);
    if let Some(last) = contract.versions.last_mut() {
        last.terms = before;
    }
    contract.version += 1;
    contract.versions.push(pb::TermsVersion {
        version: contract.version,
        effective_time: Some(time::to_proto(instant(effective))),
        agree_time: contract.sign_time,
        ..Default::default()
    });
    contract
}

/// Notice is given that it ends then.
fn noticed(mut contract: pb::Contract, effective: &str) -> pb::Contract {
    let effective_time = Some(time::to_proto(instant(effective)));
    contract.termination = Some(pb::Termination { effective_time, ..Default::default() });
    contract
}

fn terminated(contract: pb::Contract, effective: &str) -> pb::Contract {
    let mut contract = noticed(contract, effective);
    contract.set_state(ContractState::Terminated);
    contract
}

fn of_kind(kind: UsageKind) -> pb::UsageRightsClause {
    pb::UsageRightsClause { kind: kind.into(), ..ads() }
}

fn ai(training_allowed: bool, synthetic_likeness_allowed: bool) -> pb::Clause {
    let clause = pb::AiLikenessClause { training_allowed, synthetic_likeness_allowed, ..Default::default() };
    crate::fixtures::clause("ai", Kind::AiLikeness(clause))
}
