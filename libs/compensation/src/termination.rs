//! What a termination earns, or takes back.
//!
//! Invariant: the amounts are those of the termination; what a clause owes besides was earned when it was.

use jiff::Timestamp;
use tandem_money::Money;
use tandem_proto::contracts::v1::{ClauseEffect, Effect};
use tandem_proto::payouts::v1::EarningRule;

use crate::due::split;
use crate::line::Grant;
use crate::rules::Rule;
use crate::{FactError, Line, Rules};

impl Rules {
    /// The lines of what a termination means for a clause: a kill fee, and what is taken back. Instalments that are still
    /// owed have their lines since their milestones.
    ///
    /// # Errors
    /// If its amount is not one of the terms' currency, or is beyond reckoning.
    pub fn effect(&self, effect: &ClauseEffect, at: Timestamp) -> Result<Vec<Line>, FactError> {
        let is_kill_fee = |(id, rule): &(String, Rule)| *id == effect.clause_id && matches!(rule, Rule::KillFee { .. });
        let rule = match effect.effect() {
            Effect::Owed if self.clauses.iter().any(is_kill_fee) => EarningRule::KillFee,
            Effect::ClawedBack => EarningRule::TerminationClawback,
            Effect::Owed | Effect::Ends | Effect::Survives | Effect::Unspecified => return Ok(Vec::new()),
        };
        let wrong = |error: &dyn std::fmt::Display| FactError::new("amount", format!("can't be taken: {error}"));
        let amount = effect.amount.as_ref().ok_or_else(|| FactError::new("amount", "is required"))?;
        let amount = Money::try_from(amount).map_err(|error| wrong(&error))?;
        FactError::require("amount", amount, self.currency)?;
        let grant = Grant::whole(&effect.clause_id, rule, amount, effect.explanation.clone());
        let amount = match rule {
            EarningRule::TerminationClawback => amount.checked_neg().map_err(|error| wrong(&error))?,
            _ => amount,
        };
        let lines = if amount.is_zero() { Ok(Vec::new()) } else { split(self, Grant { amount, ..grant }, at) };
        lines.map_err(|error| wrong(&error))
    }
}
