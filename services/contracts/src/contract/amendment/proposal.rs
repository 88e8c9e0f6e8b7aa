//! What terms may be changed to, and from when on.
//!
//! Invariant: an amendment changes something, leaves alone what all days and amounts hang on, and takes effect while
//! there is a contract.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_aggregate::Refusal;
use tandem_money::{Money, dates};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{Amendment, AmendmentState};
use tandem_proto::google::r#type as wire;
use tandem_proto::time;

use super::super::calendar::Calendar;
use super::super::decide::Case;
use super::super::term;
use crate::terms::{Terms, changes, committed_amount};

/// The amendment that would lead to these terms.
pub(super) fn amendment(
    case: &Case<'_>,
    terms: &Terms,
    effective_date: Date,
    reason: &str,
) -> Result<Amendment, Refusal> {
    let contract = case.contract;
    let (before, after) = (contract.terms.clone().unwrap_or_default(), terms.message());
    if terms.hash() == contract.terms_hash {
        return Err(Refusal::field("terms", "are those agreed already: change them"));
    }
    let fixed = [
        ("terms.currency_code", before.currency_code != after.currency_code),
        ("terms.time_zone", before.time_zone != after.time_zone),
        ("terms.start_date", before.start_date != after.start_date),
    ];
    if let Some((field, _)) = fixed.into_iter().find(|(_, changed)| *changed) {
        let description = "is fixed by the signatures: keep it, or end this contract and make another";
        return Err(Refusal::field(field, description));
    }
    effective_time(case, after, effective_date).map_err(|wrong| Refusal::field(wrong.field, wrong.description))?;
    Ok(Amendment {
        number: i32::try_from(contract.amendments.len()).unwrap_or(i32::MAX).saturating_add(1),
        proposed_by: case.by.into(),
        state: AmendmentState::Proposed.into(),
        terms: Some(after.clone()),
        terms_hash: terms.hash().to_owned(),
        effective_date: Some(dates::date_to_proto(effective_date)),
        changes: changes(&before, after),
        reason: reason.to_owned(),
        propose_time: Some(time::to_proto(case.context.time)),
        ..Amendment::default()
    })
}

/// From when on an amendment applies that is to be accepted now, if it still can.
pub(super) fn still_timely(case: &Case<'_>, amendment: &Amendment) -> Result<prost_types::Timestamp, Refusal> {
    let terms = amendment.terms.clone().unwrap_or_default();
    let date = dates::date_from_proto(&amendment.effective_date.unwrap_or_default());
    let effective = date
        .map_err(|error| Wrong { field: "effective_date", description: format!("can't be taken: {error}") })
        .and_then(|date| effective_time(case, &terms, date));
    effective.map(time::to_proto).map_err(|Wrong { field, description }| {
        let (number, resource) = (amendment.number, case.context.resource);
        let message = format!(
            "Amendment {number} of {resource} can't be accepted any more, for its {field} {description}. Decline it, or \
             propose another."
        );
        Refusal::new(ErrorReason::OutOfTime, message)
    })
}

/// By how much the fixed fees that the brand has committed to change; none if they don't.
pub(super) fn committed_change(case: &Case<'_>, after: Option<&pb::Terms>) -> Option<wire::Money> {
    let minor = |terms: &pb::Terms| Money::try_from(&committed_amount(terms)).ok();
    let (before, after) = (minor(case.contract.terms.as_ref()?)?, minor(after?)?);
    after.checked_sub(before).ok().filter(|change| !change.is_zero()).map(wire::Money::from)
}

/// What is wrong with a field.
struct Wrong {
    field: &'static str,
    description: String,
}

/// The first instant at which changed terms would apply: it may be past, but lies within the contract.
fn effective_time(case: &Case<'_>, terms: &pb::Terms, effective: Date) -> Result<Timestamp, Wrong> {
    let calendar = Calendar::of(case.contract, case.context.time);
    let wrong = |field, description| Wrong { field, description };
    let last = last_day(case.contract, terms);
    if let Some(last) = last.filter(|last| *last < calendar.today()) {
        let description = format!("is {last}, which is over: give a day from {} on", calendar.today());
        return Err(wrong("terms.end_date", description));
    }
    let earliest = beginning(case.contract, &calendar);
    if let Some(earliest) = earliest.filter(|earliest| effective < *earliest) {
        let description = format!("is {effective}, before there was a contract: give a day from {earliest} on");
        return Err(wrong("effective_date", description));
    }
    if let Some(last) = last.filter(|last| effective > *last) {
        let description = format!("is {effective}, after the last day of the contract: give a day up to {last}");
        return Err(wrong("effective_date", description));
    }
    let time = calendar.start_of(effective);
    let time = time.map_err(|error| wrong("effective_date", format!("can't be taken: {error}")))?;
    let end = case.contract.termination.as_ref().and_then(|termination| termination.effective_time);
    if let Some(end) = end.as_ref().and_then(time::from_proto).filter(|end| time >= *end) {
        let description = format!("is {effective}, but the contract ends at {end}: give a day before");
        return Err(wrong("effective_date", description));
    }
    Ok(time)
}

/// The contract's last day by changed terms: theirs if they change it, else as it is after renewals.
fn last_day(contract: &pb::Contract, after: &pb::Terms) -> Option<Date> {
    let before = contract.terms.as_ref().and_then(|terms| terms.end_date);
    if after.end_date == before {
        return term::last_day(contract);
    }
    after.end_date.and_then(|day| dates::date_from_proto(&day).ok())
}

/// The day on which it was signed or begins, whichever is first.
fn beginning(contract: &pb::Contract, calendar: &Calendar) -> Option<Date> {
    let signed = contract.sign_time.as_ref().and_then(time::from_proto).map(|instant| calendar.day_of(instant));
    let start = contract.terms.as_ref().and_then(|terms| terms.start_date);
    let start = start.and_then(|day| dates::date_from_proto(&day).ok());
    [signed, start].into_iter().flatten().min()
}
