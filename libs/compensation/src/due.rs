//! When what is earned is due, and which part of it is held back.
//!
//! Invariant: a line is split without losing a minor unit; what does not split evenly is held back.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_money::dates::{DateError, day_of, net_days};
use tandem_money::{Money, MoneyError};

use crate::Rules;
use crate::line::{Grant, Line, percent};

/// The payment terms. Where none are agreed, what is earned is due on the day.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    /// In which days are counted.
    pub zone: TimeZone,
    /// Calendar days.
    pub net_days: u32,
    /// Counted from the last day of the month, not from the day of earning.
    pub end_of_month: bool,
}

/// A part of everything that is paid later.
#[derive(Clone, Debug)]
pub(crate) struct Holdback {
    /// The part.
    pub share_basis_points: i32,
    /// Days after it would have been due.
    pub release_days: u32,
}

impl Payment {
    /// The day on which something earned at an instant is due.
    pub fn due(&self, earned: Timestamp) -> Result<Date, DateError> {
        let day = day_of(earned, &self.zone);
        net_days(if self.end_of_month { day.last_of_month() } else { day }, self.net_days)
    }
}

impl Holdback {
    /// What is due as agreed, and what is held back.
    pub fn split(&self, amount: Money) -> Result<(Money, Money), MoneyError> {
        let rest = i128::from(10_000 - self.share_basis_points);
        // Towards zero on both sides: less is due now, less is taken back now. A part of 64 bits fits into 64 bits.
        let now = i64::try_from(i128::from(amount.minor()) * rest / 10_000).map_err(|_| MoneyError::Overflow)?;
        let now = Money::new(now, amount.currency());
        Ok((now, amount.checked_sub(now)?))
    }

    /// The day on which the part held back of something due is due.
    pub fn release(&self, due: Date) -> Result<Date, DateError> {
        net_days(due, self.release_days)
    }
}

/// The lines of a grant: what is due as agreed, and what is held back of it.
pub(crate) fn split(rules: &Rules, grant: Grant, at: Timestamp) -> Result<Vec<Line>, Unreckonable> {
    let due_date = rules.payment.due(at)?;
    let Grant { clause_id, part, rule, amount, base, rate_basis_points, explanation, payable } = grant;
    let line = Line {
        clause_id,
        part,
        held_back: false,
        rule,
        amount,
        base,
        rate_basis_points,
        explanation,
        due_date,
        payable,
    };
    let Some(holdback) = rules.holdback.as_ref().filter(|_| payable) else {
        return Ok(vec![line]);
    };
    let (now, held) = holdback.split(amount)?;
    let (share, days) = (percent(holdback.share_basis_points), holdback.release_days);
    let explanation = format!("{}; {share} of it held back for {days} days", line.explanation);
    let later = Line {
        held_back: true,
        amount: held,
        due_date: holdback.release(due_date)?,
        explanation: explanation.clone(),
        ..line.clone()
    };
    let now = Line { amount: now, explanation, ..line };
    Ok([now, later].into_iter().filter(|line| !line.amount.is_zero()).collect())
}

/// Beyond 64 bits of minor units, or the year 9999.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreckonable {
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Date(#[from] DateError),
}
