//! Replacing clauses without the other party's consent.
//!
//! Invariant: a party reaches by a replacement only what the terms in force grant to it: the contents of named clauses,
//! after the notice, and nothing that was agreed for later any earlier.

use std::mem::discriminant;

use jiff::civil::Date;
use tandem_aggregate::Refusal;
use tandem_money::dates;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{AmendmentClause, AmendmentState, ClauseChange, Party};
use tandem_proto::time;

use super::super::calendar::Calendar;
use super::super::decide::{Case, the};
use super::super::in_force;
use super::proposal;
use crate::terms::{TERMS, Terms};

pub(super) fn replace(case: &Case<'_>, terms: &Terms, effective_date: Date, reason: &str) -> Result<Event, Refusal> {
    let grant = grant(case)?;
    let mut amendment = proposal::amendment(case, terms, effective_date, reason)?;
    for change in &amendment.changes {
        within(change, grant, case)?;
    }
    let effective_time = Some(time::to_proto(in_time(case, grant, effective_date)?));
    amendment.state = AmendmentState::Replaced.into();
    amendment.decide_time = amendment.propose_time;
    Ok(Event::TermsReplaced(pb::TermsReplaced {
        committed_change: proposal::committed_change(case, amendment.terms.as_ref()),
        amendment: Some(amendment),
        version: case.contract.version + 1,
        effective_time,
    }))
}

/// The clause by which the party may replace others.
fn grant<'a>(case: &Case<'a>) -> Result<&'a AmendmentClause, Refusal> {
    let terms = in_force::now(case.contract, case.context.time);
    let clause = terms.and_then(|terms| {
        terms.clauses.iter().find_map(|clause| match &clause.clause {
            Some(Kind::Amendment(clause)) => Some(clause),
            _ => None,
        })
    });
    clause.filter(|clause| clause.replacing_parties().any(|party: Party| party == case.by)).ok_or_else(|| {
        let message = format!(
            "The terms of {} in force grant no replacement of clauses to {}. Propose an amendment instead.",
            case.context.resource,
            the(case.by)
        );
        Refusal::new(ErrorReason::NotGranted, message)
    })
}

/// A change is of a clause that may be replaced, by another of its kind.
fn within(change: &ClauseChange, grant: &AmendmentClause, case: &Case<'_>) -> Result<(), Refusal> {
    let id = &change.clause_id;
    let what = if id == TERMS { "the days or the order of the clauses".to_owned() } else { format!("clause {id:?}") };
    let not_granted = |problem: &str| {
        let granted = if grant.replaceable_clause_ids.is_empty() {
            "none may be".to_owned()
        } else {
            format!("{} may be", grant.replaceable_clause_ids.join(", "))
        };
        let message = format!(
            "In {} {what} {problem} without consent; of the clauses, {granted}. Keep the rest as it is, or propose an \
             amendment.",
            case.context.resource
        );
        Err(Refusal::new(ErrorReason::NotGranted, message))
    };
    if !grant.replaceable_clause_ids.contains(id) {
        return not_granted("can't be replaced");
    }
    let kind =
        |clause: &Option<pb::Clause>| clause.as_ref().and_then(|clause| clause.clause.as_ref()).map(discriminant);
    match (kind(&change.before), kind(&change.after)) {
        (Some(before), Some(after)) if before == after => Ok(()),
        (_, None) => not_granted("can be replaced, but not dropped,"),
        _ => not_granted("can't become another kind"),
    }
}

/// The notice is kept, and nothing that was agreed for later comes earlier with the whole terms.
fn in_time(case: &Case<'_>, grant: &AmendmentClause, effective_date: Date) -> Result<jiff::Timestamp, Refusal> {
    let calendar = Calendar::of(case.contract, case.context.time);
    let out_of_time = |day: Date, why: &str| {
        let message = format!(
            "Clauses of {} can be replaced from {day} on, not {effective_date}: {why}. Give that day or a later one, or \
             propose an amendment.",
            case.context.resource
        );
        Refusal::new(ErrorReason::OutOfTime, message)
    };
    let too_far = |error| Refusal::field("effective_date", format!("can't be reckoned: {error}"));
    let days = u32::try_from(grant.notice_days).unwrap_or(0).saturating_add(1);
    let earliest = dates::net_days(calendar.today(), days).map_err(too_far)?;
    if effective_date < earliest {
        return Err(out_of_time(earliest, &format!("the notice is of {} full day(s)", grant.notice_days)));
    }
    let newest = case.contract.versions.last().and_then(|version| version.effective_time);
    let effective = calendar.start_of(effective_date).map_err(too_far)?;
    if let Some(newest) = newest.as_ref().and_then(time::from_proto).filter(|newest| effective < *newest) {
        return Err(out_of_time(calendar.day_of(newest), "the newest version applies no earlier"));
    }
    Ok(effective)
}
