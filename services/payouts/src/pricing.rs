//! Pricing: what a creator earns by the terms of a contract when something happens.
//!
//! Invariant: pure, and exact to the minor unit: the instalments of a fee sum up to the fee, and the commission on an
//! order less its clawbacks is the commission on what was kept.

use tandem_money::{Money, MoneyError};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{FeeClause, Milestone, Terms};
use tandem_proto::payouts::v1::EarningRule;

/// What happened, as far as it matters to pricing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The second signature.
    Signed,
    /// The publication of the last deliverable owed.
    Published,
    /// An attributed order of this net value.
    Sold {
        /// Net value of the order.
        net: Money,
    },
    /// Money of an attributed order went back.
    Refunded {
        /// Net value of the order.
        net: Money,
        /// Refunded before this refund.
        before: Money,
        /// Refunded now.
        refund: Money,
    },
}

/// What a clause grants for a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The clause.
    pub clause_id: String,
    /// Which part of the clause, from 0: the instalment.
    pub part: usize,
    /// The rule.
    pub rule: EarningRule,
    /// What is owed; negative if it is taken back.
    pub amount: Money,
    /// What it is a share of.
    pub base: Money,
    /// Which share, in basis points.
    pub rate_basis_points: i32,
    /// In words.
    pub explanation: String,
}

/// Prices a fact by terms: a line for each clause, or part of one, that grants something.
///
/// # Errors
/// If an amount in the terms is not whole minor units of a known currency, or currencies are mixed.
pub fn price(terms: &Terms, fact: Fact) -> Result<Vec<Line>, MoneyError> {
    let mut lines = Vec::new();
    for clause in &terms.clauses {
        let id = clause.clause_id.as_str();
        match (&clause.clause, fact) {
            (Some(Kind::Fee(fee)), Fact::Signed) => instalments(id, fee, Milestone::Signing, &mut lines)?,
            (Some(Kind::Fee(fee)), Fact::Published) => instalments(id, fee, Milestone::Publication, &mut lines)?,
            (Some(Kind::Commission(commission)), Fact::Sold { net }) => {
                let rate = commission.rate_basis_points;
                lines.push(Line {
                    clause_id: id.to_owned(),
                    part: 0,
                    rule: EarningRule::Commission,
                    amount: net.basis_points(i64::from(rate))?,
                    base: net,
                    rate_basis_points: rate,
                    explanation: format!("{} commission on a sale of {net}", percent(rate)),
                });
            }
            (Some(Kind::Commission(commission)), Fact::Refunded { net, before, refund }) => {
                let rate = i64::from(commission.rate_basis_points);
                // The difference of what the kept value earned before and earns now: rounding can't add up.
                let kept_before = net.checked_sub(before)?;
                let kept = kept_before.checked_sub(refund)?;
                let (earned_before, earned_now) = (kept_before.basis_points(rate)?, kept.basis_points(rate)?);
                lines.push(Line {
                    clause_id: id.to_owned(),
                    part: 0,
                    rule: EarningRule::CommissionClawback,
                    amount: earned_now.checked_sub(earned_before)?,
                    base: refund,
                    rate_basis_points: commission.rate_basis_points,
                    explanation: format!(
                        "{} commission taken back on a refund of {refund}: {kept} of a sale of {net} kept, not \
                         {kept_before}",
                        percent(commission.rate_basis_points)
                    ),
                });
            }
            _ => {}
        }
    }
    lines.retain(|line| !line.amount.is_zero());
    Ok(lines)
}

/// The instalments of a fee that a milestone makes earned.
fn instalments(
    clause_id: &str,
    fee: &FeeClause,
    milestone: Milestone,
    lines: &mut Vec<Line>,
) -> Result<(), MoneyError> {
    let whole = Money::try_from(&fee.amount.clone().unwrap_or_default())?;
    let shares: Vec<u64> =
        fee.instalments.iter().map(|instalment| u64::from(instalment.share_basis_points.unsigned_abs())).collect();
    let amounts = whole.split(&shares)?;
    for (part, (instalment, amount)) in fee.instalments.iter().zip(amounts).enumerate() {
        if instalment.milestone() == milestone {
            let occasion = if milestone == Milestone::Signing { "signing" } else { "publication" };
            lines.push(Line {
                clause_id: clause_id.to_owned(),
                part,
                rule: EarningRule::FeeInstalment,
                amount,
                base: whole,
                rate_basis_points: instalment.share_basis_points,
                explanation: format!("{} of the fee of {whole} on {occasion}", percent(instalment.share_basis_points)),
            });
        }
    }
    Ok(())
}

/// Basis points for people: `1250` → `12.5 %`.
fn percent(basis_points: i32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    match rest {
        0 => format!("{whole} %"),
        _ if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        _ => format!("{whole}.{rest:02} %"),
    }
}

#[cfg(test)]
mod tests;
