//! What happened under a contract, and what it earned.
//!
//! Invariant: pricing changes nothing, recording decides nothing: what was recorded as earned stands, whatever a later
//! version of the rules would say, and what follows is reckoned against it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_money::Money;
use tandem_proto::contracts::v1::Metric;
use tandem_proto::payouts::v1::EarningRule;

use crate::due::split;
use crate::sales::{Order, Place, Sales};
use crate::{Fact, FactError, Line, Rules};

/// What was earned so far under one contract, as far as it matters to what is earned next.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(crate) sales: Sales,
    /// Commission earned less what was taken back, in minor units.
    pub(crate) commission: i128,
    /// Expenses refunded, in minor units.
    pub(crate) expenses: i128,
    /// Clause and part of what is granted once.
    pub(crate) granted: BTreeSet<(String, String)>,
    /// The highest value of a figure, by source.
    pub(crate) figures: BTreeMap<(Metric, String), i64>,
}

impl Ledger {
    /// What a fact earns that became known at an instant: a line for each clause, or part of one, that grants something.
    ///
    /// # Errors
    /// If the fact can't be true under these terms after all that is recorded, or is beyond reckoning.
    pub fn price(&self, rules: &Rules, fact: &Fact, at: Timestamp) -> Result<Vec<Line>, FactError> {
        self.check(rules, fact)?;
        let mut grants = Vec::new();
        for (id, rule) in &rules.clauses {
            self.grant(id, rule, fact, rules, &mut grants)?;
        }
        if matches!(fact, Fact::Ordered { .. } | Fact::Refunded { .. }) {
            grants.extend(self.on_sales(rules, fact)?);
        }
        let mut lines = Vec::new();
        for grant in grants.into_iter().filter(|grant| !grant.amount.is_zero()) {
            lines.extend(split(rules, grant, at).map_err(|error| fact.beyond_reckoning(error))?);
        }
        Ok(lines)
    }

    /// Takes in a fact that [`Self::price`] took before, with the lines that it came to then.
    pub fn record(&mut self, rules: &Rules, fact: &Fact, lines: &[Line]) {
        match fact {
            Fact::Ordered { order_id, net, time } if self.sales.find(order_id).is_none() => {
                let order = Order { net: net.minor(), refunded: 0, commission: rules.commission() };
                self.sales.put(Place::new(order_id, *time, &rules.payment.zone), order);
            }
            Fact::Refunded { order_id, net } => {
                if let Some((place, order)) = self.sales.find(order_id) {
                    let refunded = order.refunded.saturating_add(net.minor());
                    let (place, order) = (place.clone(), Order { refunded, ..order.clone() });
                    self.sales.put(place, order);
                }
            }
            Fact::Measured { metric, value, source } => {
                let highest = self.figures.entry((*metric, source.clone())).or_default();
                *highest = (*highest).max(*value);
            }
            _ => {}
        }
        for line in lines {
            let amount = i128::from(line.amount.minor());
            match line.rule {
                EarningRule::Commission | EarningRule::CommissionClawback => self.commission += amount,
                EarningRule::Expenses => self.expenses += amount,
                EarningRule::RevenueShare | EarningRule::TerminationClawback | EarningRule::Unspecified => {}
                EarningRule::FeeInstalment
                | EarningRule::PerDeliverableFee
                | EarningRule::Bonus
                | EarningRule::ProductValue
                | EarningRule::KillFee => {
                    self.granted.insert((line.clause_id.clone(), line.part.clone()));
                }
            }
        }
    }

    /// Whether a fact tells nothing that is not known: figures no higher than those before.
    #[must_use]
    pub fn knows(&self, fact: &Fact) -> bool {
        let Fact::Measured { metric, value, source } = fact else { return false };
        self.figures.get(&(*metric, source.clone())).is_some_and(|known| known >= value)
    }

    /// Prices a fact and records it.
    ///
    /// # Errors
    /// As [`Self::price`]; nothing is recorded then.
    pub fn take(&mut self, rules: &Rules, fact: &Fact, at: Timestamp) -> Result<Vec<Line>, FactError> {
        let lines = self.price(rules, fact, at)?;
        self.record(rules, fact, &lines);
        Ok(lines)
    }

    fn check(&self, rules: &Rules, fact: &Fact) -> Result<(), FactError> {
        let currency = rules.currency;
        match fact {
            Fact::Ordered { order_id, net, .. } => {
                FactError::require("order.net_amount", *net, currency)?;
                if self.sales.find(order_id).is_some() {
                    let description =
                        format!("is {order_id:?}, which was sold before: give each order an id of its own");
                    return Err(FactError::new("order.order_id", description));
                }
            }
            Fact::Refunded { order_id, net } => {
                let Some((_, order)) = self.sales.find(order_id) else {
                    let description = format!("is {order_id:?}, which was not sold before: put the order first");
                    return Err(FactError::new("refund.order_id", description));
                };
                FactError::require("refund.net_amount", *net, currency)?;
                if net.minor() > order.kept() {
                    let kept = Money::new(order.kept(), currency);
                    let description = format!("is {net}, but only {kept} of {order_id:?} is left: refund at most that");
                    return Err(FactError::new("refund.net_amount", description));
                }
            }
            Fact::RevenueReported { net } => FactError::require("revenue.net_amount", *net, currency)?,
            Fact::ExpenseHandedIn { amount } => FactError::require("expense.amount", *amount, currency)?,
            Fact::Signed | Fact::Published { .. } | Fact::Measured { .. } | Fact::Cancelled { .. } => {}
        }
        Ok(())
    }
}
