//! Warnings ahead of the last day for notice against renewal or, where a contract doesn't renew itself, ahead of its end.
//!
//! Invariant: each is given once for its deadline, on its day; what is late (the contract was signed, or changed, within
//! those days) is made up for by the nearest one alone.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_money::dates;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{Contract, Deadline, DeadlineWarning};
use tandem_proto::time;

use super::term;

/// Days ahead, where the terms name none.
const USUAL_DAYS: [i32; 3] = [60, 30, 7];

/// When the next warning is to be given.
pub(super) fn next_due(contract: &Contract) -> Option<Timestamp> {
    let (_, day) = deadline(contract)?;
    outstanding(contract).into_iter().filter_map(|days| warn_time(contract, day, days)).min()
}

/// The nearest warning whose day has come.
pub(super) fn act(contract: &Contract, now: Timestamp) -> Option<pb::DeadlineWarned> {
    let (deadline, day) = deadline(contract)?;
    let come = |days: &i32| warn_time(contract, day, *days).is_some_and(|due| due <= now);
    let days_ahead = outstanding(contract).into_iter().filter(come).min()?;
    Some(pb::DeadlineWarned {
        warning: Some(DeadlineWarning {
            deadline: deadline.into(),
            deadline_time: deadline_time(contract, day),
            days_ahead,
            warn_time: Some(time::to_proto(now)),
        }),
    })
}

/// What is to be warned of in this term, and its day. Nothing once the contract is to end early.
fn deadline(contract: &Contract) -> Option<(Deadline, Date)> {
    match (&contract.termination, term::renews(contract)) {
        (Some(_), _) => None,
        (None, Some(_)) => Some((Deadline::RenewalNotice, term::last_day_for_notice(contract)?)),
        (None, None) => Some((Deadline::End, term::last_day(contract)?)),
    }
}

fn deadline_time(contract: &Contract, day: Date) -> Option<prost_types::Timestamp> {
    dates::end_of_day(day, &term::zone(contract)?).ok().map(time::to_proto)
}

/// Days ahead of the deadline for which a warning is still to be given: those nearer than the last that was.
fn outstanding(contract: &Contract) -> Vec<i32> {
    let Some((deadline, day)) = deadline(contract) else { return Vec::new() };
    let deadline_time = deadline_time(contract, day);
    let given =
        contract.warnings.iter().filter(|given| given.deadline() == deadline && given.deadline_time == deadline_time);
    let nearest = given.map(|given| given.days_ahead).min().unwrap_or(i32::MAX);
    let agreed = term::renewal(contract).map(|clause| &clause.warning_days[..]).filter(|days| !days.is_empty());
    agreed.unwrap_or(&USUAL_DAYS).iter().copied().filter(|days| *days < nearest).collect()
}

/// The first instant of the day that lies so many days before another.
fn warn_time(contract: &Contract, day: Date, days: i32) -> Option<Timestamp> {
    dates::start_of_day(term::days_before(day, days)?, &term::zone(contract)?).ok()
}

/// Keeps the evidence.
pub(super) fn given(contract: &mut Contract, event: &pb::DeadlineWarned) {
    contract.warnings.extend(event.warning);
}
