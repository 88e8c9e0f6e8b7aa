//! Suspension after an incident, and the decision on it.
//!
//! Invariant: the morality clause lets the brand suspend at once, by whatever means; what follows is decided by a person,
//! whose name stays. To lift it any person will do, for that restores what both have agreed; to end the contract, which
//! can take money back, it takes another person than who suspended it.

use jiff::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Party, Suspension};
use tandem_proto::time;

use super::super::decide::Case;
use super::super::in_force;
use super::not_granted;

pub(super) fn suspend(case: &Case<'_>, incident: &str) -> Result<Event, Refusal> {
    by_brand(case)?;
    let terms = in_force::now(case.contract, case.context.time);
    let morality = |terms: &pb::Terms| terms.clauses.iter().any(|c| matches!(c.clause, Some(Kind::Morality(_))));
    if !terms.is_some_and(morality) {
        return Err(not_granted(format!(
            "{} has no morality clause in force, so no incident suspends it. Call NotifyBreach if a clause was broken, or \
             ProposeTermination.",
            case.context.resource
        )));
    }
    Ok(Event::Suspended(pb::ContractSuspended {
        suspension: Some(Suspension {
            incident: incident.to_owned(),
            suspend_time: Some(time::to_proto(case.context.time)),
            suspended_by: case.context.actor.to_owned(),
        }),
    }))
}

pub(super) fn reinstate(case: &Case<'_>, reason: &str) -> Result<Event, Refusal> {
    by_brand(case)?;
    let decided_by = person(case)?.to_owned();
    Ok(Event::Reinstated(pb::ContractReinstated { decided_by, reason: reason.to_owned() }))
}

/// Now, if it is suspended and a second person decides so.
pub(super) fn effective(case: &Case<'_>) -> Result<Timestamp, Refusal> {
    by_brand(case)?;
    let resource = case.context.resource;
    let Some(suspension) = &case.contract.suspension else {
        let message = format!(
            "{resource} is not suspended, and only then can it be ended by the morality clause. Call SuspendContract first."
        );
        return Err(Refusal::new(ErrorReason::StateForbids, message));
    };
    if person(case)? == suspension.suspended_by {
        let message = format!(
            "{} suspended {resource}, and another person has to decide whether that ends it. Ask one to.",
            suspension.suspended_by
        );
        return Err(Refusal::new(ErrorReason::SecondPersonRequired, message));
    }
    Ok(case.context.time)
}

fn by_brand(case: &Case<'_>) -> Result<(), Refusal> {
    if case.by == Party::Brand {
        return Ok(());
    }
    Err(not_granted(format!(
        "A morality clause gives rights to the brand alone. The creator can call NotifyBreach or ProposeTermination for {}.",
        case.context.resource
    )))
}

/// The caller, who has to be a person: services and rules don't judge an incident.
fn person<'a>(case: &Case<'a>) -> Result<&'a str, Refusal> {
    let actor = case.context.actor;
    if actor.starts_with("users/") {
        return Ok(actor);
    }
    Err(not_granted(format!(
        "{actor} is not a person, and only a person decides on the incident for which {} is suspended. Ask one to.",
        case.context.resource
    )))
}
