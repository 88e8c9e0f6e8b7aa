//! Lines of what is earned, as earnings.
//!
//! Invariant: an earning's id is made from what is earned once, so whoever prices the same thing again comes to the same
//! earnings.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_compensation::Line;
use tandem_eventlog::RecordedEvent;
use tandem_money::dates::date_to_proto;
use tandem_proto::payouts::v1::{Calculation, Earning, EarningRule, FactRecorded, SourceEvent};
use tandem_proto::time;

use crate::agreed::Agreed;

/// What it was earned by.
#[derive(Clone, Debug)]
pub struct Source {
    /// By which it is known, over all contracts.
    pub id: String,
    /// The event that told it; none if that is yet to be the ledger's own.
    pub event: Option<SourceEvent>,
    /// When it was earned.
    pub at: Timestamp,
}

impl Source {
    /// What an event tells.
    #[must_use]
    pub fn of(event: &RecordedEvent) -> Self {
        let told_by = SourceEvent {
            event_id: event.envelope.id.clone(),
            r#type: event.envelope.event_type.clone(),
            resource: event.envelope.resource.clone(),
            position: i64::try_from(event.position).unwrap_or(i64::MAX),
            time: Some(time::to_proto(event.envelope.time)),
        };
        Self { id: event.envelope.id.clone(), event: Some(told_by), at: event.envelope.time }
    }

    /// What nothing but a contract's ledger tells.
    #[must_use]
    pub fn reported(contract: &str, fact_id: &str, at: Timestamp) -> Self {
        Self { id: format!("{contract}/{fact_id}"), event: None, at }
    }
}

/// The earnings that a ledger's event has recorded: by itself, if no other event told it.
#[must_use]
pub fn recorded(event: &RecordedEvent, fact: FactRecorded) -> Vec<Earning> {
    let mut earnings = fact.earnings;
    for earning in earnings.iter_mut().filter(|earning| earning.source_events.is_empty()) {
        earning.source_events.extend(Source::of(event).event);
    }
    earnings
}

/// The earnings of lines, with their names. What is given in kind is no money that is owed.
#[must_use]
pub fn earnings(agreed: &Agreed, source: &Source, lines: Vec<Line>) -> Vec<Earning> {
    lines.into_iter().filter(|line| line.payable).map(|line| earning(agreed, source, line)).collect()
}

fn earning(agreed: &Agreed, source: &Source, line: Line) -> Earning {
    Earning {
        name: format!("earnings/{}", id(agreed, source, &line)),
        brand: agreed.brand.clone(),
        creator: agreed.creator.clone(),
        contract: agreed.contract.clone(),
        contract_version: agreed.version,
        clause_id: line.clause_id,
        rule: line.rule.into(),
        amount: Some(line.amount.into()),
        calculation: Some(Calculation {
            base_amount: Some(line.base.into()),
            rate_basis_points: line.rate_basis_points,
            explanation: line.explanation,
        }),
        source_events: source.event.iter().cloned().collect(),
        earn_time: Some(time::to_proto(source.at)),
        due_date: Some(date_to_proto(line.due_date)),
        ..Earning::default()
    }
}

fn id(agreed: &Agreed, source: &Source, line: &Line) -> String {
    // No part has a tilde of its own.
    let part = if line.held_back { format!("{}~held-back", line.part) } else { line.part.clone() };
    match line.rule {
        // Two campaigns under one contract both end with a publication; the fee is owed once. A contract ends once.
        EarningRule::FeeInstalment
        | EarningRule::PerDeliverableFee
        | EarningRule::KillFee
        | EarningRule::TerminationClawback => hash([&agreed.contract, &line.clause_id, &part]),
        EarningRule::Commission
        | EarningRule::CommissionClawback
        | EarningRule::Bonus
        | EarningRule::RevenueShare
        | EarningRule::Expenses
        | EarningRule::ProductValue
        | EarningRule::Unspecified => hash([&source.id, &line.clause_id, &part]),
    }
}

/// 128 bits, hex. None of the parts has a slash but the first.
pub(crate) fn hash(parts: [&str; 3]) -> String {
    hex::encode(&Sha256::digest(parts.join("/"))[..16])
}
