//! What a fact earns by a clause.
//!
//! Invariant: a line is never about nothing; it is negative only where something is taken back.

use jiff::civil::Date;
use tandem_money::Money;
use tandem_proto::payouts::v1::EarningRule;

/// What a clause grants for a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The clause.
    pub clause_id: String,
    /// Which part of the clause: the instalment, counted from 0; the deliverable; "0" of a clause without parts.
    pub part: String,
    /// Whether this is what is held back, and not what is due as agreed.
    pub held_back: bool,
    /// The rule.
    pub rule: EarningRule,
    /// What is owed; negative if it is taken back.
    pub amount: Money,
    /// What it is a share of.
    pub base: Money,
    /// Which share, in basis points: of an order that is cut at a tier, that of its first piece.
    pub rate_basis_points: i32,
    /// In words.
    pub explanation: String,
    /// The day on which it is due, in the contract's time zone.
    pub due_date: Date,
    /// Whether it is paid out; a value in kind isn't.
    pub payable: bool,
}

/// A line before it is known when it is due.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub clause_id: String,
    pub part: String,
    pub rule: EarningRule,
    pub amount: Money,
    pub base: Money,
    pub rate_basis_points: i32,
    pub explanation: String,
    pub payable: bool,
}

/// The name of a clause that has no parts, or of the first that it has.
pub(crate) const WHOLE: &str = "0";

impl Grant {
    /// All of an amount, for a clause without parts.
    pub fn whole(clause_id: &str, rule: EarningRule, amount: Money, explanation: String) -> Self {
        Self {
            clause_id: clause_id.to_owned(),
            part: WHOLE.to_owned(),
            rule,
            amount,
            base: amount,
            rate_basis_points: 10_000,
            explanation,
            payable: true,
        }
    }
}

/// Basis points for people: `1250` → `12.5 %`.
#[must_use]
pub fn percent(basis_points: i32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    match rest {
        0 => format!("{whole} %"),
        _ if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        _ => format!("{whole}.{rest:02} %"),
    }
}
