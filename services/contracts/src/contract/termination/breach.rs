//! Breach: notice of it, the days to cure it, and termination when they are over.
//!
//! Invariant: a contract is ended for a breach only by who gave notice of it, and only if it is not cured in time.

use jiff::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Breach;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::time;

use super::super::calendar::Calendar;
use super::super::decide::{Case, the};
use super::super::in_force;
use super::{clause, not_granted, out_of_time, too_far};

pub(super) fn notify(case: &Case<'_>, clause_id: &str, description: &str) -> Result<Event, Refusal> {
    let (contract, now) = (case.contract, case.context.time);
    let ids: Vec<_> = in_force::now(contract, now)
        .map(|terms| terms.clauses.iter().map(|clause| clause.clause_id.as_str()).collect())
        .unwrap_or_default();
    if !ids.contains(&clause_id) {
        let description =
            format!("is {clause_id:?}, which is no clause of the terms in force: give one of {}", ids.join(", "));
        return Err(Refusal::field("clause_id", description));
    }
    let days = clause(case).map(|clause| clause.cure_days).ok_or_else(|| {
        not_granted(format!(
            "{} has no clause on termination that says how long a breach can be cured. Agree on one by amendment, or \
             end it by mutual consent.",
            case.context.resource
        ))
    })?;
    let cure_deadline = Calendar::of(contract, now).after(days).map_err(too_far)?;
    Ok(Event::BreachNoticed(pb::BreachNoticed {
        breach: Some(Breach {
            number: i32::try_from(contract.breaches.len()).unwrap_or(i32::MAX).saturating_add(1),
            noticed_by: case.by.into(),
            clause_id: clause_id.to_owned(),
            description: description.to_owned(),
            notice_time: Some(time::to_proto(now)),
            cure_deadline: Some(time::to_proto(cure_deadline)),
            cure_time: None,
        }),
    }))
}

/// A cure is recorded by who gave notice, late ones too: they may be content.
pub(super) fn cure(case: &Case<'_>, number: i32) -> Result<Event, Refusal> {
    let (contract, resource) = (case.contract, case.context.resource);
    let Some(breach) = contract.breaches.iter().find(|breach| breach.number == number) else {
        let count = contract.breaches.len();
        let description = format!("is {number}, but of {resource} {count} breach(es) were noticed: give one of them");
        return Err(Refusal::field("number", description));
    };
    if breach.noticed_by() != case.by {
        let message = format!(
            "Of breach {number} of {resource} {} gave notice, and only they can record that it is cured. Ask them to.",
            the(breach.noticed_by())
        );
        return Err(Refusal::new(ErrorReason::NotYourTurn, message));
    }
    if breach.cure_time.is_some() {
        let message = format!("Breach {number} of {resource} is recorded as cured already. Nothing is left to do.");
        return Err(Refusal::new(ErrorReason::StateForbids, message));
    }
    Ok(Event::BreachCured(pb::BreachCured { number }))
}

/// Now, if a breach of which this party gave notice was not cured in time.
pub(super) fn effective(case: &Case<'_>) -> Result<Timestamp, Refusal> {
    let resource = case.context.resource;
    let uncured = case.contract.breaches.iter();
    let uncured = uncured.filter(|breach| breach.noticed_by() == case.by && breach.cure_time.is_none());
    let deadline = uncured.filter_map(|breach| breach.cure_deadline.as_ref().and_then(time::from_proto)).min();
    match deadline {
        None => {
            let message = format!(
                "{resource} has no uncured breach of which {} gave notice. Call NotifyBreach first.",
                the(case.by)
            );
            Err(Refusal::new(ErrorReason::StateForbids, message))
        }
        Some(deadline) if deadline > case.context.time => Err(out_of_time(format!(
            "The breach of {resource} can be cured until {deadline}. End the contract for it after that if it is not."
        ))),
        Some(_) => Ok(case.context.time),
    }
}
