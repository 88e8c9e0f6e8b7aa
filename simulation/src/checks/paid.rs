//! What was paid was owed: each earning in one run at most, and all sums agree.

use std::collections::BTreeMap;

use tandem_eventlog::MemoryLog;
use tandem_payouts::earning::Earning;
use tandem_payouts::payout_run::PayoutRun;
use tandem_proto::payouts::v1::{EarningState, PayoutRunState, PayoutState};

use super::money::{cents, folded};
use crate::actors::Told;

pub(super) fn check(log: &MemoryLog, told: &Told, found: &mut Vec<String>) {
    let events = log.events();
    let (earnings, runs) = (folded::<Earning>(&events), folded::<PayoutRun>(&events));
    // Where each earning is, and whether it was paid there.
    let mut taken = BTreeMap::<String, Vec<(String, bool)>>::new();
    for run in runs.values().map(|run| &run.0) {
        let mut total = 0;
        for payout in &run.payouts {
            let of = |name: &String| earnings.get(name.trim_start_matches("earnings/")).map(|earning| &earning.0);
            let sum: i128 = payout.earnings.iter().filter_map(of).map(|earning| cents(earning.amount.as_ref())).sum();
            let amount = cents(payout.amount.as_ref());
            if amount != sum || amount <= 0 || payout.earnings.iter().any(|name| of(name).is_none()) {
                found.push(format!("{} is of {amount} cents, its earnings are of {sum}", payout.name));
            }
            if payout.earnings.iter().filter_map(of).any(|earning| earning.creator != payout.creator) {
                found.push(format!("{} pays what others have earned", payout.name));
            }
            total += amount;
            if run.state() != PayoutRunState::Cancelled {
                for earning in &payout.earnings {
                    taken
                        .entry(earning.clone())
                        .or_default()
                        .push((run.name.clone(), payout.state() == PayoutState::Paid));
                }
            }
        }
        if total != cents(run.total_amount.as_ref()) {
            found.push(format!("{} is of {total} cents by its payouts, and says otherwise", run.name));
        }
        let files: Vec<_> = told.files.iter().filter(|(name, ..)| *name == run.name).collect();
        for (_, sum, hash) in &files {
            let written = format!("{}.{:02}", total / 100, total % 100);
            if *sum != written || *hash != run.file_hash {
                found.push(format!("a file for the bank pays {sum} for {}, which is of {written}", run.name));
            }
        }
    }
    for earning in earnings.values().map(|earning| &earning.0) {
        let places = taken.remove(&earning.name).unwrap_or_default();
        let agrees = match (&places[..], earning.state()) {
            ([], EarningState::Accrued) => true,
            ([(run, paid)], EarningState::Scheduled) => !paid && *run == earning.payout_run,
            ([(run, paid)], EarningState::Paid) => *paid && *run == earning.payout_run,
            _ => false,
        };
        if !agrees {
            found.push(format!(
                "{} is {:?} in {:?}, by runs in {places:?}",
                earning.name,
                earning.state(),
                earning.payout_run
            ));
        }
    }
}
