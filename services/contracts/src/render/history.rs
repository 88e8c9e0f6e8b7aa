//! How a contract came about and was changed: its template, rounds, signatures, versions, amendments and documents.
//!
//! Invariant: what differs is told field by field, from the changes that the contract has recorded.

use tandem_proto::contracts::v1 as pb;

use super::changes_table;
use super::difference::{clause_changes, terms_changes};
use super::document::{Block, Table, section, text};
use super::words::{self, Days, NONE, spoken, the};
use crate::contract::Contract;

/// Who has signed what, when, in what capacity and how.
pub(super) fn signatures(contract: &pb::Contract, days: &Days) -> Block {
    let mut blocks = Vec::new();
    if contract.signatures.is_empty() {
        blocks.push(text("Nobody has signed yet."));
    } else {
        let rows = contract.signatures.iter().map(|signature| {
            vec![
                words::party(signature.party()).to_owned(),
                format!("{}, {}", signature.signer, signature.capacity),
                spoken(signature.method().as_str_name(), "SIGNATURE_METHOD_"),
                days.instant(signature.sign_time.as_ref()),
                signature.terms_hash.clone(),
            ]
        });
        let headers = vec!["For", "By", "How", "When", "Over terms with SHA-256"];
        blocks.push(Block::Table(Table { headers, rows: rows.collect() }));
    }
    if let Some(exception) = &contract.exclusivity_override {
        blocks.push(text(format!(
            "Signed in spite of the exclusivity of {}, as {} decided: {}",
            words::and(&exception.contracts),
            exception.decided_by,
            exception.reason
        )));
    }
    section("Signatures", blocks)
}

/// The template, and where the newest terms deviate from it.
pub(super) fn template(contract: &pb::Contract) -> Option<Block> {
    if contract.template.is_empty() {
        return None;
    }
    let from = format!("Drafted from {}, version {}.", contract.template, contract.template_version);
    let mut blocks = vec![text(from)];
    blocks.push(match &contract.deviations[..] {
        [] => text("The newest terms do not deviate from it."),
        deviations => changes_table(clause_changes(deviations, None), "Template", "Newest terms"),
    });
    Some(section("Template", blocks))
}

/// Each offer, with what differs from the one before.
pub(super) fn rounds(contract: &Contract, days: &Days) -> Option<Block> {
    let terms = |number| contract.clone().at_round(number).and_then(|contract| contract.0.terms);
    let mut blocks = Vec::new();
    for round in &contract.0.rounds {
        let mut told = vec![text(format!(
            "Offered by {} on {}, over terms with SHA-256 {}.",
            the(round.offered_by()),
            days.instant(round.offer_time.as_ref()),
            round.terms_hash
        ))];
        if !round.changes.is_empty() {
            let both = terms(round.number - 1).zip(terms(round.number));
            let both = both.as_ref().map(|(before, after)| (before, after));
            told.push(changes_table(clause_changes(&round.changes, both), "Before", "After"));
        }
        blocks.push(section(format!("Round {}", round.number), told));
    }
    (!blocks.is_empty()).then(|| section("Negotiation", blocks))
}

/// The terms in all versions, if they ever changed after they were agreed.
pub(super) fn versions(contract: &pb::Contract, days: &Days) -> Option<Block> {
    if contract.versions.len() < 2 {
        return None;
    }
    let rows = contract.versions.iter().map(|version| {
        let from = match &version.effective_time {
            Some(time) => days.instant(Some(time)),
            None => "the beginning".to_owned(),
        };
        let by = if version.amendment == 0 { NONE.to_owned() } else { version.amendment.to_string() };
        let agreed = days.instant(version.agree_time.as_ref());
        vec![version.version.to_string(), from, agreed, by, version.terms_hash.clone()]
    });
    let headers = vec![">Version", "Applies from", "Agreed", ">Amendment", "SHA-256"];
    Some(section("Versions", vec![Block::Table(Table { headers, rows: rows.collect() })]))
}

/// Each amendment, with what it changes.
pub(super) fn amendments(contract: &pb::Contract, days: &Days) -> Option<Block> {
    let blocks = contract.amendments.iter().map(|amendment| {
        let mut facts = vec![
            ("Proposed by", the(amendment.proposed_by()).to_owned()),
            ("Proposed", days.instant(amendment.propose_time.as_ref())),
            ("State", spoken(amendment.state().as_str_name(), "AMENDMENT_STATE_")),
            ("Applies from", words::day(amendment.effective_date.as_ref())),
            ("Because", amendment.reason.clone()),
            ("SHA-256 of the terms", amendment.terms_hash.clone()),
        ];
        if amendment.decide_time.is_some() {
            facts.push(("Decided", days.instant(amendment.decide_time.as_ref())));
        }
        for finding in &amendment.statutory_findings {
            facts.push(("Missing by law", finding.message.clone()));
        }
        if !amendment.decline_reason.is_empty() {
            facts.push(("Declined because", amendment.decline_reason.clone()));
        }
        let changes = match terms_around(contract, amendment) {
            Some((before, after)) => terms_changes(before, after),
            None => clause_changes(&amendment.changes, None),
        };
        let table = changes_table(changes, "Before", "After");
        section(format!("Amendment {}", amendment.number), vec![Block::Facts(facts), table])
    });
    let blocks: Vec<_> = blocks.collect();
    (!blocks.is_empty()).then(|| section("Amendments", blocks))
}

/// The terms of the version that an amendment made, and of the one before it, if both are there.
fn terms_around<'a>(contract: &'a pb::Contract, amendment: &pb::Amendment) -> Option<(&'a pb::Terms, &'a pb::Terms)> {
    let made = contract.versions.iter().position(|version| version.amendment == amendment.number)?;
    // The last version's terms are the contract's.
    let terms = |index: usize| contract.versions.get(index).and_then(|version| version.terms.as_ref());
    terms(made.checked_sub(1)?).zip(terms(made).or(contract.terms.as_ref()))
}

/// Documents, by their hashes.
pub(super) fn documents(contract: &pb::Contract, days: &Days) -> Option<Block> {
    let rows = contract.documents.iter().map(|document| {
        let kept = if document.uri.is_empty() { NONE } else { document.uri.as_str() };
        vec![
            document.title.clone(),
            document.media_type.clone(),
            format!("{}, {}", document.attached_by, days.instant(document.attach_time.as_ref())),
            kept.to_owned(),
            document.sha256.clone(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let headers = vec!["Title", "Media type", "Attached", "Kept at", "SHA-256"];
    (!rows.is_empty()).then(|| section("Documents", vec![Block::Table(Table { headers, rows })]))
}
