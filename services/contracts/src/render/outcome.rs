//! What has become of a contract: what the law misses in it, renewal, warnings, breaches, suspension and its end.
//!
//! Invariant: a part is there exactly if something happened that it tells.

use tandem_proto::contracts::v1 as pb;

use super::document::{Block, Table, section};
use super::words::{self, Days, NONE, amount, progress, spoken, the};

/// Statutory rules that the terms miss, with where they stand.
pub(super) fn statutory(contract: &pb::Contract) -> Option<Block> {
    let findings = contract.statutory_findings.iter();
    let rows = findings.map(|finding| vec![finding.message.clone(), finding.rule.clone(), finding.source.clone()]);
    let rows: Vec<_> = rows.collect();
    let headers = vec!["Missing", "Rule", "Source"];
    (!rows.is_empty()).then(|| section("What the law asks for besides", vec![Block::Table(Table { headers, rows })]))
}

/// All that happened to it since it was signed.
pub(super) fn course(contract: &pb::Contract, days: &Days) -> Vec<Block> {
    let parts = [
        renewal(contract),
        warnings(contract, days),
        breaches(contract, days),
        suspension(contract, days),
        contract.proposed_termination.as_ref().map(|end| termination("Proposal to end it", end, days)),
        contract.termination.as_ref().map(|end| termination("Termination", end, days)),
    ];
    parts.into_iter().flatten().collect()
}

fn renewal(contract: &pb::Contract) -> Option<Block> {
    let mut facts = Vec::new();
    if contract.renewal_count > 0 {
        facts.push(("Renewed itself", words::count(contract.renewal_count, "time")));
        facts.push(("Last day now", words::day(contract.end_date.as_ref())));
    }
    if contract.renewal_notice_by() != pb::Party::Unspecified {
        facts.push(("Notice against renewal was given by", the(contract.renewal_notice_by()).to_owned()));
    }
    (!facts.is_empty()).then(|| section("Renewals", vec![Block::Facts(facts)]))
}

fn warnings(contract: &pb::Contract, days: &Days) -> Option<Block> {
    let rows = contract.warnings.iter().map(|warning| {
        let ahead_of = match warning.deadline() {
            pb::Deadline::Unspecified => NONE,
            pb::Deadline::RenewalNotice => "the last day for notice against renewal",
            pb::Deadline::End => "the last day of the contract",
        };
        vec![
            ahead_of.to_owned(),
            days.instant(warning.deadline_time.as_ref()),
            warning.days_ahead.to_string(),
            days.instant(warning.warn_time.as_ref()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let headers = vec!["Ahead of", "Which is over at", ">Days ahead", "Given"];
    (!rows.is_empty()).then(|| section("Warnings", vec![Block::Table(Table { headers, rows })]))
}

fn breaches(contract: &pb::Contract, days: &Days) -> Option<Block> {
    let rows = contract.breaches.iter().map(|breach| {
        vec![
            breach.number.to_string(),
            breach.clause_id.clone(),
            breach.description.clone(),
            format!("{} on {}", the(breach.noticed_by()), days.instant(breach.notice_time.as_ref())),
            days.instant(breach.cure_deadline.as_ref()),
            days.instant(breach.cure_time.as_ref()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let headers = vec![">No.", "Clause", "What happened", "Notice by", "To be cured until", "Cured"];
    (!rows.is_empty()).then(|| section("Breaches", vec![Block::Table(Table { headers, rows })]))
}

fn suspension(contract: &pb::Contract, days: &Days) -> Option<Block> {
    let suspension = contract.suspension.as_ref()?;
    let facts = vec![
        ("Because", suspension.incident.clone()),
        ("Since", days.instant(suspension.suspend_time.as_ref())),
        ("By", suspension.suspended_by.clone()),
    ];
    Some(section("Suspension", vec![Block::Facts(facts)]))
}

/// How it ends early, and what becomes of each clause.
fn termination(title: &str, end: &pb::Termination, days: &Days) -> Block {
    let kind = match end.kind() {
        pb::TerminationKind::Unspecified => NONE,
        pb::TerminationKind::Convenience => "without a cause",
        pb::TerminationKind::Breach => "for a breach",
        pb::TerminationKind::Morality => "by the clause on conduct",
        pb::TerminationKind::Mutual => "by mutual consent",
    };
    let mut facts = vec![
        ("How", kind.to_owned()),
        ("By", the(end.party()).to_owned()),
        ("Because", end.reason.clone()),
        ("Notice", days.instant(end.notice_time.as_ref())),
        ("Ends", days.instant(end.effective_time.as_ref())),
    ];
    if end.progress() != pb::WorkProgress::Unspecified {
        facts.push(("Work had come so far", progress(end.progress()).to_owned()));
    }
    if !end.decided_by.is_empty() {
        facts.push(("Decided by", end.decided_by.clone()));
    }
    let rows = end.effects.iter().map(|effect| {
        let becomes = spoken(effect.effect().as_str_name(), "EFFECT_");
        vec![effect.clause_id.clone(), becomes, amount(effect.amount.as_ref()), effect.explanation.clone()]
    });
    let rows: Vec<_> = rows.collect();
    let mut blocks = vec![Block::Facts(facts)];
    if !rows.is_empty() {
        let headers = vec!["Clause", "What becomes of it", ">Amount", "Because"];
        blocks.push(Block::Table(Table { headers, rows }));
    }
    section(title, blocks)
}
