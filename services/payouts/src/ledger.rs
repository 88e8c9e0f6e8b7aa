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
use tandem_proto::contracts::v1::Terms;
use tandem_proto::payouts::v1::ledger_event::Event;
use tandem_proto::payouts::v1::{Earning, FactRecorded, SourceEvent};

use crate::accrued::{Source, earnings};
use crate::earning::partnership;

/// What happened under a contract, and what is needed to price what happens next.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    brand: String,
    creator: String,
    facts: BTreeSet<String>,
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
    /// When it became known.
    pub at: Timestamp,
    /// What it is told by.
    pub source: SourceEvent,
    /// Whose contract, and by which terms.
    pub agreed: Arc<Agreed>,
}

/// A version of a contract's terms.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// `contracts/{contract}`.
    pub contract: String,
    /// `brands/{brand}`.
    pub brand: String,
    /// `creators/{creator}`.
    pub creator: String,
    /// The version.
    pub version: i32,
    /// The terms.
    pub terms: Terms,
    /// The rules that they make.
    pub rules: Rules,
}

impl Aggregate for Ledger {
    const KIND: Kind = Kind { context: "payouts", aggregate: "ledger" };
    const COLLECTION: &'static str = "ledgers";
    type Command = Record;
    type Event = Event;

    fn decide(&self, command: &Record, _context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let Record { fact_id, fact, at, source, agreed } = command;
        if self.facts.contains(fact_id) || self.earned.knows(fact) {
            return Ok(Vec::new());
        }
        let lines = self.earned.price(&agreed.rules, fact, *at);
        let lines = lines.map_err(|error| Refusal::field(error.field, error.description))?;
        let earned = earnings(agreed, &Source { event: source.clone(), at: *at }, lines);
        Ok(vec![Event::FactRecorded(FactRecorded {
            fact_id: fact_id.clone(),
            fact: Some(fact.to_proto(*at)),
            contract_version: agreed.version,
            terms: (!self.rules.contains_key(&agreed.version)).then(|| agreed.terms.clone()),
            brand: agreed.brand.clone(),
            creator: agreed.creator.clone(),
            earnings: earned,
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
        if let (Some(rules), Some((fact, _))) = (self.rules.get(&event.contract_version), fact) {
            let lines: Vec<_> = event.earnings.iter().filter_map(line).collect();
            self.earned.record(rules, &fact, &lines);
        }
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.brand, &self.creator)
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
