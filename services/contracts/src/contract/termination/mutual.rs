//! The end by mutual consent.
//!
//! Invariant: one proposal at a time waits for an answer; it ends the contract only if the other party accepts it while
//! its day is yet to come.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Termination, TerminationKind, WorkProgress};
use tandem_proto::time;

use super::super::calendar::Calendar;
use super::super::decide::{Case, the};
use super::{end, ends_anyway, out_of_time, termination, with_effects};

pub(super) fn propose(case: &Case<'_>, reason: &str, end_date: Date) -> Result<Event, Refusal> {
    let (contract, resource) = (case.contract, case.context.resource);
    if let Some(open) = &contract.proposed_termination {
        let remedy = if open.party() == case.by {
            "Take it back with DeclineTermination before you propose another"
        } else {
            "Accept or decline it"
        };
        let message = format!("A proposal of {} to end {resource} waits for an answer. {remedy}.", the(open.party()));
        return Err(Refusal::new(ErrorReason::StateForbids, message));
    }
    let calendar = Calendar::of(contract, case.context.time);
    let wrong = |description: String| Refusal::field("end_date", description);
    let effective = calendar.end_of(end_date).map_err(|error| wrong(format!("can't be taken: {error}")))?;
    if effective <= case.context.time {
        return Err(wrong(format!("is {end_date}, which is over: give a day from {} on", calendar.today())));
    }
    if let Some(end) = ends_anyway(contract).filter(|end| effective >= *end) {
        return Err(wrong(format!("is {end_date}, but the contract ends at {end} anyway: give an earlier day")));
    }
    let termination = termination(case, TerminationKind::Mutual, reason, WorkProgress::Unspecified, effective);
    // Nobody has decided yet.
    let termination = Some(Termination { decided_by: String::new(), ..termination });
    Ok(Event::TerminationProposed(pb::TerminationProposed { termination }))
}

pub(super) fn accept(case: &Case<'_>) -> Result<Event, Refusal> {
    let (proposal, resource) = (open(case)?, case.context.resource);
    if proposal.party() == case.by {
        let message = format!(
            "The proposal to end {resource} is {}'s own, and only the other party can accept it. Wait for their answer, or \
             take it back with DeclineTermination.",
            the(case.by)
        );
        return Err(Refusal::new(ErrorReason::NotYourTurn, message));
    }
    let effective = proposal.effective_time.as_ref().and_then(time::from_proto).unwrap_or(Timestamp::MIN);
    if effective <= case.context.time {
        let message =
            format!("{resource} was to end at {effective}, which is past. Decline the proposal, and make another.");
        return Err(out_of_time(message));
    }
    if let Some(earlier) = ends_anyway(case.contract).filter(|earlier| effective >= *earlier) {
        let message = format!(
            "{resource} ends at {earlier} anyway, no later than it was proposed to. Let it, or decline the proposal."
        );
        return Err(out_of_time(message));
    }
    let accepted = Termination { decided_by: case.context.actor.to_owned(), ..proposal.clone() };
    Ok(end(case, with_effects(case.contract, accepted, effective)))
}

/// The other party declines; the own proposal is taken back.
pub(super) fn decline(case: &Case<'_>, reason: &str) -> Result<Event, Refusal> {
    open(case)?;
    Ok(Event::TerminationDeclined(pb::TerminationDeclined { declined_by: case.by.into(), reason: reason.to_owned() }))
}

fn open<'a>(case: &Case<'a>) -> Result<&'a Termination, Refusal> {
    case.contract.proposed_termination.as_ref().ok_or_else(|| {
        let message =
            format!("No proposal to end {} waits for an answer. Call ProposeTermination.", case.context.resource);
        Refusal::new(ErrorReason::StateForbids, message)
    })
}
