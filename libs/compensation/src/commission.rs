//! What an order or a refund earns, or takes back, by commission.
//!
//! Invariant: it is what all orders earn now, less what all of them have earned.

use tandem_money::{Money, MoneyError};
use tandem_proto::payouts::v1::EarningRule;

use crate::line::{Grant, percent};
use crate::sales::{Cap, Order, Place, Prospect};
use crate::{Fact, FactError, Ledger, Rules};

impl Ledger {
    /// What all orders earn with this one, less what they have earned.
    pub(crate) fn on_sales(&self, rules: &Rules, fact: &Fact) -> Result<Option<Grant>, FactError> {
        let (place, order, moved) = match fact {
            Fact::Ordered { order_id, net, time } => {
                let order = Order { net: net.minor(), refunded: 0, commission: rules.commission() };
                (Place::new(order_id, *time, &rules.payment.zone), order, *net)
            }
            Fact::Refunded { order_id, net } => {
                let Some((place, order)) = self.sales.find(order_id) else { return Ok(None) };
                (place.clone(), Order { refunded: order.refunded + net.minor(), ..order.clone() }, *net)
            }
            _ => return Ok(None),
        };
        let Some(commission) = order.commission.clone() else { return Ok(None) };
        let prospect = self.sales.prospect(&place, &order);
        let beyond = |_| fact.beyond_reckoning(MoneyError::Overflow);
        let amount = i64::try_from(prospect.total - self.commission).map_err(beyond)?;
        let money = |minor| Money::new(minor, rules.currency);
        let rate = prospect.pieces.first().or(commission.tiers.first()).map_or(0, |(_, rate)| *rate);
        let mut explanation = match fact {
            Fact::Refunded { .. } => {
                let (net, kept) = (money(order.net), money(order.kept()));
                let before = money(order.kept() + moved.minor());
                let what = if commission.tiers.len() > 1 { String::new() } else { percent(rate) + " " };
                format!(
                    "{what}commission taken back on a refund of {moved}: {kept} of a sale of {net} kept, not {before}"
                )
            }
            _ => sale(&prospect, rate, moved),
        };
        match prospect.cap {
            Some(Cap::Order(cap)) => explanation += &format!("; at most {} an order", money(cap)),
            Some(Cap::Month(cap, (year, month))) => {
                explanation += &format!("; at most {} for {year:04}-{month:02}", money(cap));
            }
            Some(Cap::Total(cap)) => explanation += &format!("; at most {} in all", money(cap)),
            None => {}
        }
        let before = self.sales.find(&place.order_id).map(|(_, order)| self.sales.prospect(&place, order).own);
        if i128::from(amount) != prospect.own - before.unwrap_or_default() {
            explanation += "; other orders earn otherwise with it";
        }
        let amount = money(amount);
        let rule = if amount.is_negative() { EarningRule::CommissionClawback } else { EarningRule::Commission };
        let grant = Grant::whole(&commission.clause_id, rule, amount, explanation);
        Ok(Some(Grant { base: moved, rate_basis_points: rate, ..grant }))
    }
}

/// How a sale earns.
fn sale(prospect: &Prospect, rate: i32, net: Money) -> String {
    if let [_, _, ..] = &prospect.pieces[..] {
        let piece = |(part, rate): &(i64, i32)| format!("{} of {}", percent(*rate), Money::new(*part, net.currency()));
        let pieces: Vec<_> = prospect.pieces.iter().map(piece).collect();
        return format!("commission on a sale of {net}: {}", pieces.join(", "));
    }
    format!("{} commission on a sale of {net}", percent(rate))
}
