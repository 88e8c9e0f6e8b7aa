//! Collecting: which earnings a payout run takes, and what each creator gets.
//!
//! Invariant: pure; every earning is in one payout or in none, and a payout's amount is the sum of its earnings and
//! more than nothing.

use std::collections::BTreeMap;

use tandem_money::{Money, MoneyError};
use tandem_proto::payouts::v1::{Earning, Payout, PayoutState};

/// Earnings that one run takes at most: with the run itself they are one atomic batch of the log, which takes 1000.
pub const MOST_EARNINGS: usize = 900;

/// What a run takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// One a creator, by creator.
    pub payouts: Vec<Payout>,
    /// Sum of the payouts; none if there is no payout.
    pub total: Option<Money>,
    /// Payable earnings that are left for another run, because this one is full.
    pub remaining: usize,
}

/// Makes payouts of payable earnings of one brand and currency. A creator whose earnings come to nothing or less is
/// left out until new earnings make up for it; a creator's earnings are taken together, unless they alone fill a run.
///
/// # Errors
/// If the sum of a creator's earnings does not fit into 64 bits of minor units.
pub fn collect(payout_run: &str, earnings: &[Earning]) -> Result<Collected, MoneyError> {
    let mut by_creator: BTreeMap<&str, Vec<&Earning>> = BTreeMap::new();
    for earning in earnings {
        by_creator.entry(&earning.creator).or_default().push(earning);
    }
    let mut collected = Collected::default();
    let mut taken = 0;
    for (creator, mut earnings) in by_creator {
        earnings.sort_by(|a, b| a.name.cmp(&b.name));
        let full = if taken == 0 { earnings.len() > MOST_EARNINGS } else { taken + earnings.len() > MOST_EARNINGS };
        if full {
            let fit = if taken == 0 { MOST_EARNINGS } else { 0 };
            collected.remaining += earnings.len() - fit;
            earnings.truncate(fit);
        }
        let Some(amount) = sum(&earnings)?.filter(|sum| sum.is_positive()) else { continue };
        taken += earnings.len();
        collected.total = Some(match collected.total {
            Some(total) => total.checked_add(amount)?,
            None => amount,
        });
        let number = collected.payouts.len() + 1;
        collected.payouts.push(Payout {
            name: format!("{payout_run}/payouts/{}", creator.trim_start_matches("creators/")),
            creator: creator.to_owned(),
            amount: Some(amount.into()),
            earnings: earnings.iter().map(|earning| earning.name.clone()).collect(),
            state: PayoutState::Pending.into(),
            // At most 29 characters of the run's id and 4 digits: within the 35 of ISO 20022.
            end_to_end_id: format!("{}-{number:04}", payout_run.trim_start_matches("payoutRuns/")),
            bank_reference: String::new(),
            settle_time: None,
        });
    }
    Ok(collected)
}

fn sum(earnings: &[&Earning]) -> Result<Option<Money>, MoneyError> {
    let amounts = earnings
        .iter()
        .map(|earning| Money::try_from(&earning.amount.clone().unwrap_or_default()))
        .collect::<Result<Vec<_>, _>>()?;
    amounts.first().map(|first| Money::total(first.currency(), amounts.iter().copied())).transpose()
}
