//! The ledger of a contract: what happened under it of which it depends on the rest what it earns.
//!
//! Invariant: a fact is recorded once, with what it earned; the sum of it all is right in whatever order facts come. What
//! was recorded as earned never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_compensation::{Fact, Line, Rules};
use tandem_eventlog::{Envelope, Kind};
use tandem_money::Money;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1::ledger_event::Event;
use tandem_proto::payouts::v1::{Earning, FactRecorded};

use crate::accrued::{Source, earnings};
use crate::agreed::Agreed;
use crate::earning::partnership;

/// What happened under a contract, and what is needed to price what happens next.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    brand: String,
    creator: String,
    facts: BTreeSet<String>,
    /// Of the facts, those that people report and may report otherwise.
    reported: BTreeMap<String, (Money, Timestamp)>,
    rules: BTreeMap<i32, Arc<Rules>>,
    earned: tandem_compensation::Ledger,
}

/// Records a fact with what it earns. Again, it changes nothing.
#[derive(Clone, Debug)]
pub struct Record {
    /// By which it is recorded once.
    pub fact_id: String,
    /// What happened.
    pub fact: Fact,
    /// What it is told by, and when it became known.
    pub source: Source,
    /// Whose contract, and by which terms.
    pub agreed: Arc<Agreed>,
    /// What it was, in the words of who records it.
    pub description: String,
}

impl Aggregate for Ledger {
    const KIND: Kind = Kind { context: "payouts", aggregate: "ledger" };
    const COLLECTION: &'static str = "ledgers";
    type Command = Record;
    type Event = Event;

    fn decide(&self, command: &Record, _context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let Record { fact_id, fact, source, agreed, description } = command;
        if let (Some((amount, at)), Some(now)) = (self.reported.get(fact_id), reported(fact))
            && (*amount, *at) != (now, source.at)
        {
            let message = format!(
                "{fact_id} of {} is recorded with {amount} at {at}. Repeat it with the same figures, or give what is new an \
                 id of its own.",
                agreed.contract
            );
            return Err(Refusal::new(ErrorReason::ResourceExists, message));
        }
        if self.facts.contains(fact_id) || self.earned.knows(fact) {
            return Ok(Vec::new());
        }
        if !agreed.rules.provides_for(fact) {
            let Agreed { contract, version, .. } = &**agreed;
            let message = format!(
                "Version {version} of the terms of {contract}, in force at {}, has no clause that {fact_id} earns by. Agree \
                 on one by an amendment, and record it then.",
                source.at
            );
            return Err(Refusal::new(ErrorReason::TermsIncomplete, message));
        }
        let lines = self.earned.price(&agreed.rules, fact, source.at).map_err(|error| {
            // Who reports it says by the method what it is.
            let reported = ["expense.", "revenue."].into_iter().find_map(|kind| error.field.strip_prefix(kind));
            Refusal::field(reported.unwrap_or(error.field), error.description)
        })?;
        Ok(vec![Event::FactRecorded(FactRecorded {
            fact_id: fact_id.clone(),
            fact: Some(fact.to_proto(source.at)),
            contract_version: agreed.version,
            terms: (!self.rules.contains_key(&agreed.version)).then(|| agreed.terms.clone()),
            brand: agreed.brand.clone(),
            creator: agreed.creator.clone(),
            earnings: earnings(agreed, source, lines),
            description: description.clone(),
        })])
    }

    fn evolve(&mut self, event: &Event, _envelope: &Envelope) {
        let Event::FactRecorded(event) = event;
        self.brand.clone_from(&event.brand);
        self.creator.clone_from(&event.creator);
        self.facts.insert(event.fact_id.clone());
        // What is in the log was read when it was decided, and is again.
        if let Some(rules) = event.terms.as_ref().and_then(|terms| Rules::parse(terms).ok()) {
            self.rules.insert(event.contract_version, Arc::new(rules));
        }
        let fact = event.fact.as_ref().and_then(|fact| Fact::from_proto(fact).ok());
        if let Some((amount, at)) = fact.as_ref().and_then(|(fact, at)| Some((reported(fact)?, *at))) {
            self.reported.insert(event.fact_id.clone(), (amount, at));
        }
        if let (Some(rules), Some((fact, _))) = (self.rules.get(&event.contract_version), fact) {
            let lines: Vec<_> = event.earnings.iter().filter_map(line).collect();
            self.earned.record(rules, &fact, &lines);
        }
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.brand, &self.creator)
    }
}

/// The amount of what people report; none of what events tell.
fn reported(fact: &Fact) -> Option<Money> {
    match fact {
        Fact::ExpenseHandedIn { amount } | Fact::RevenueReported { net: amount } => Some(*amount),
        _ => None,
    }
}

/// As much of a line as the ledger needs to know of what was earned: no clause with a ledger has parts.
fn line(earning: &Earning) -> Option<Line> {
    let amount = Money::try_from(earning.amount.as_ref()?).ok()?;
    Some(Line {
        clause_id: earning.clause_id.clone(),
        part: "0".to_owned(),
        held_back: false,
        rule: earning.rule(),
        amount,
        base: amount,
        rate_basis_points: 0,
        explanation: String::new(),
        due_date: Date::ZERO,
        payable: true,
    })
}

#[cfg(test)]
mod tests;
