//! Termination without a cause.
//!
//! Invariant: only who the terms in force allow it to, with the notice that they name, and never later than the contract
//! would end anyway.

use jiff::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{Party, WorkProgress};

use super::super::calendar::Calendar;
use super::super::decide::{Case, the};
use super::super::in_force;
use super::{clause, ends_anyway, next_due, not_granted, out_of_time, too_far};

/// When it would end: with the last day of the notice, or now if there is none to keep.
pub(super) fn effective(case: &Case<'_>, progress: WorkProgress) -> Result<Timestamp, Refusal> {
    let (contract, resource) = (case.contract, case.context.resource);
    if let Some(end) = next_due(contract) {
        let message = format!(
            "{resource} ends at {end} already. Before that it can be ended for a breach, by the morality clause, or by \
             mutual consent."
        );
        return Err(Refusal::new(ErrorReason::StateForbids, message));
    }
    let granted = |party: Party| party == case.by;
    let clause = clause(case).filter(|clause| clause.convenience_parties().any(granted)).ok_or_else(|| {
        not_granted(format!(
            "The terms of {resource} in force don't allow {} to end it without a cause. Call ProposeTermination to end \
             it by mutual consent.",
            the(case.by)
        ))
    })?;
    if case.by == Party::Brand && progress == WorkProgress::Unspecified && has_kill_fee(case) {
        let description = "is needed, for the kill fee goes by it: say how far the work has come";
        return Err(Refusal::field("progress", description));
    }
    let calendar = Calendar::of(contract, case.context.time);
    let effective = calendar.after(clause.notice_days).map_err(too_far)?;
    if let Some(end) = ends_anyway(contract).filter(|end| effective >= *end) {
        let message = format!(
            "With {} day(s) of notice {resource} would end at {effective}, but it ends by itself at {end}. Let it, or \
             call ProposeTermination.",
            clause.notice_days
        );
        return Err(out_of_time(message));
    }
    Ok(effective)
}

fn has_kill_fee(case: &Case<'_>) -> bool {
    let terms = in_force::now(case.contract, case.context.time);
    terms.is_some_and(|terms| terms.clauses.iter().any(|clause| matches!(clause.clause, Some(Kind::KillFee(_)))))
}
