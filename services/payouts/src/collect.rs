//! Collecting: which earnings a payout run takes, and what each creator gets.
//!
//! Invariant: pure; every earning is in one payout or in none, and a payout's amount is the sum of its earnings and
//! more than nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tandem_money::{Money, MoneyError};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1::{Earning, Payout, PayoutState, UnpayableCreator};

use crate::unpayable::{below_minimum, unpayable};

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
    /// To whom something is due that is not paid, as far as the obstacles are known: by creator.
    pub unpayable: Vec<UnpayableCreator>,
    /// `contracts/{contract}` that the payouts are paid under.
    pub contracts: BTreeSet<String>,
}

/// What keeps something that is due from being paid.
#[derive(Clone, Debug, Default)]
pub struct Obstacles {
    /// Creators who can't be paid, with the reason why.
    pub unpayable: HashMap<String, ErrorReason>,
    /// What is paid out under a contract at least.
    pub minimums: HashMap<String, Money>,
}

/// An earning, as far as it matters here.
#[derive(Clone, Debug)]
struct Due {
    name: String,
    contract: String,
    amount: Money,
}

/// Makes payouts of payable earnings of one brand and currency, given creator by creator.
///
/// A creator whose earnings come to nothing or less is left out until new earnings make up for it. A creator's earnings
/// are taken together, or wait for the next run, unless they alone are more than a run takes. A creator who can't be paid
/// takes no room from the others. What is due under a contract waits until it comes to the contract's minimum payout; what
/// is owed back is set off all the same.
pub struct Collecting<'a> {
    payout_run: String,
    obstacles: &'a Obstacles,
    collected: Collected,
    /// The creator that earnings are being given of.
    creator: String,
    /// Theirs.
    earnings: Vec<Due>,
    taken: usize,
    left_out: usize,
    full: bool,
}

impl<'a> Collecting<'a> {
    /// For `payoutRuns/{payout_run}`, without what the known obstacles keep from being paid.
    #[must_use]
    pub fn new(payout_run: &str, obstacles: &'a Obstacles) -> Self {
        Self {
            payout_run: payout_run.to_owned(),
            obstacles,
            collected: Collected::default(),
            creator: String::new(),
            earnings: Vec::new(),
            taken: 0,
            left_out: 0,
            full: false,
        }
    }

    /// One more payable earning; all of a creator one after the other.
    ///
    /// # Errors
    /// If its amount can't be read, or a sum does not fit into 64 bits of minor units.
    pub fn add(&mut self, earning: &Earning) -> Result<(), MoneyError> {
        if earning.creator != self.creator {
            self.close_creator()?;
            self.creator.clone_from(&earning.creator);
        }
        let amount = Money::try_from(&earning.amount.clone().unwrap_or_default())?;
        self.earnings.push(Due { name: earning.name.clone(), contract: earning.contract.clone(), amount });
        Ok(())
    }

    /// Whether the run takes no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// What the run takes of as many earnings as are payable, given or not.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn finish(mut self, payable: usize) -> Result<Collected, MoneyError> {
        self.close_creator()?;
        self.collected.remaining = payable.saturating_sub(self.taken + self.left_out);
        Ok(self.collected)
    }

    fn close_creator(&mut self) -> Result<(), MoneyError> {
        let earnings = std::mem::take(&mut self.earnings);
        let mut earnings = self.without_small_amounts(earnings)?;
        let Some(owed) = sum(&earnings)? else { return Ok(()) };
        if !owed.is_positive() {
            self.left_out += earnings.len();
            return Ok(());
        }
        if let Some(reason) = self.obstacles.unpayable.get(&self.creator) {
            self.left_out += earnings.len();
            self.collected.unpayable.push(unpayable(&self.creator, Some(owed), *reason));
            return Ok(());
        }
        self.full |= self.taken + earnings.len() > MOST_EARNINGS;
        if self.full {
            if self.taken > 0 {
                return Ok(());
            }
            earnings = as_many_as_fit(earnings, owed);
        }
        earnings.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let Some(amount) = sum(&earnings)? else { return Ok(()) };
        self.taken += earnings.len();
        self.collected.contracts.extend(earnings.iter().map(|due| due.contract.clone()));
        let number = self.collected.payouts.len() + 1;
        self.collected.total = Some(self.collected.total.map_or(Ok(amount), |total| total.checked_add(amount))?);
        self.collected.payouts.push(Payout {
            name: format!("{}/payouts/{}", self.payout_run, self.creator.trim_start_matches("creators/")),
            creator: self.creator.clone(),
            amount: Some(amount.into()),
            earnings: earnings.into_iter().map(|due| due.name).collect(),
            state: PayoutState::Pending.into(),
            // At most 29 characters of the run's id and 4 digits: within the 35 of ISO 20022.
            end_to_end_id: format!("{}-{number:04}", self.payout_run.trim_start_matches("payoutRuns/")),
            bank_reference: String::new(),
            settle_time: None,
        });
        Ok(())
    }
}

impl Collecting<'_> {
    /// Leaves out what is due under a contract, but less than its minimum payout.
    fn without_small_amounts(&mut self, mut earnings: Vec<Due>) -> Result<Vec<Due>, MoneyError> {
        let mut by_contract: BTreeMap<&str, Money> = BTreeMap::new();
        for Due { contract, amount, .. } in &earnings {
            let sum = by_contract.get(&contract[..]).map_or(Ok(*amount), |sum| sum.checked_add(*amount))?;
            by_contract.insert(contract, sum);
        }
        let mut small = BTreeSet::new();
        for (contract, sum) in by_contract {
            let minimum = self.obstacles.minimums.get(contract).filter(|minimum| minimum.currency() == sum.currency());
            if let Some(minimum) = minimum.filter(|minimum| sum.is_positive() && sum.minor() < minimum.minor()) {
                self.collected.unpayable.push(below_minimum(&self.creator, contract, sum, *minimum));
                small.insert(contract.to_owned());
            }
        }
        let all = earnings.len();
        earnings.retain(|due| !small.contains(&due.contract));
        self.left_out += all - earnings.len();
        Ok(earnings)
    }
}

/// Of more than a run takes, as many as can be paid without paying more than is owed in all. What is to be taken back is
/// set off as soon as more than that has been taken.
fn as_many_as_fit(mut earnings: Vec<Due>, owed: Money) -> Vec<Due> {
    let size = |due: &Due| due.amount.minor().unsigned_abs();
    earnings.sort_unstable_by(|a, b| (size(a), &a.name).cmp(&(size(b), &b.name)));
    // Taken from their ends: the largest earned, the smallest to be taken back.
    let (mut earned, mut taken_back): (Vec<_>, Vec<_>) = earnings.into_iter().partition(|due| due.amount.is_positive());
    taken_back.reverse();
    let mut taken = Vec::with_capacity(MOST_EARNINGS);
    // How many of the taken are payable, and what they come to; 128 bits, for what was not set off yet may be more than
    // the sum of all.
    let (mut balance, mut payable) = (0_i128, (0, i128::MAX));
    while taken.len() < MOST_EARNINGS {
        let set_off = taken_back.pop_if(|earning| balance > i128::from(size(earning)));
        let Some(earning) = set_off.or_else(|| earned.pop()) else { break };
        balance += i128::from(earning.amount.minor());
        taken.push(earning);
        if balance <= i128::from(owed.minor()) || balance < payable.1 {
            payable = (taken.len(), balance);
        }
    }
    taken.truncate(payable.0);
    taken
}

fn sum(earnings: &[Due]) -> Result<Option<Money>, MoneyError> {
    let Some(first) = earnings.first() else { return Ok(None) };
    Money::total(first.amount.currency(), earnings.iter().map(|due| due.amount)).map(Some)
}

#[cfg(test)]
mod tests;
