//! The end before the last day: notice against renewal, breach and cure, suspension, termination with its effects.
//!
//! Invariant: a contract ends early only in a way that its terms or both parties allow, and the event says for each
//! clause what becomes of it.

mod breach;
mod convenience;
pub mod effects;
mod evolve;
mod mutual;
mod renewal_notice;
mod suspension;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_aggregate::Refusal;
use tandem_money::dates::DateError;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, Termination, TerminationClause};
use tandem_proto::contracts::v1::{TerminationKind, WorkProgress};
use tandem_proto::time;

pub(super) use evolve::evolve;

use super::decide::Case;
use super::in_force::{self, in_force};
use super::term;

/// What can be asked about the end.
#[derive(Clone, Debug)]
pub enum Action {
    /// Not to renew itself.
    GiveRenewalNotice {
        /// Why.
        reason: String,
    },
    /// To tell the other party of a breach.
    NotifyBreach {
        /// The clause that was broken.
        clause_id: String,
        /// What happened.
        description: String,
    },
    /// That a breach is cured.
    RecordCure {
        /// Which.
        number: i32,
    },
    /// To suspend it after an incident.
    Suspend {
        /// What happened.
        incident: String,
    },
    /// To lift the suspension.
    Reinstate {
        /// Why.
        reason: String,
    },
    /// To end it.
    Terminate {
        /// Why.
        kind: TerminationKind,
        /// Why, for people.
        reason: String,
        /// How far the work has come.
        progress: WorkProgress,
    },
    /// To end it by mutual consent.
    ProposeTermination {
        /// Why.
        reason: String,
        /// Last day then.
        end_date: Date,
    },
    /// To agree to that.
    AcceptTermination,
    /// To disagree, or to take the own proposal back.
    DeclineTermination {
        /// Why.
        reason: String,
    },
}

pub(super) fn decide(case: &Case<'_>, action: &Action) -> Result<Vec<Event>, Refusal> {
    let state = case.contract.state();
    let fits = match action {
        Action::Suspend { .. } => matches!(state, State::Upcoming | State::Active),
        Action::Reinstate { .. } => state == State::Suspended,
        _ => term::in_force(case.contract),
    };
    if !fits {
        let (needed, done) = match action {
            Action::Suspend { .. } => ("UPCOMING or ACTIVE", "suspended"),
            Action::Reinstate { .. } => ("SUSPENDED", "reinstated"),
            Action::NotifyBreach { .. } | Action::RecordCure { .. } => (IN_FORCE, "breached"),
            Action::GiveRenewalNotice { .. } => (IN_FORCE, "kept from renewing itself"),
            _ => (IN_FORCE, "ended"),
        };
        return Err(case.state_forbids(needed, done));
    }
    let event = match action {
        Action::GiveRenewalNotice { reason } => renewal_notice::give(case, reason)?,
        Action::NotifyBreach { clause_id, description } => breach::notify(case, clause_id, description)?,
        Action::RecordCure { number } => breach::cure(case, *number)?,
        Action::Suspend { incident } => suspension::suspend(case, incident)?,
        Action::Reinstate { reason } => suspension::reinstate(case, reason)?,
        Action::Terminate { kind, reason, progress } => {
            let effective = match kind {
                TerminationKind::Convenience => convenience::effective(case, *progress)?,
                TerminationKind::Breach => breach::effective(case)?,
                TerminationKind::Morality => suspension::effective(case)?,
                TerminationKind::Mutual | TerminationKind::Unspecified => {
                    let description = "is not what one party can do alone: give CONVENIENCE, BREACH or MORALITY, or \
                                       call ProposeTermination";
                    return Err(Refusal::field("kind", description));
                }
            };
            end(case, termination(case, *kind, reason, *progress, effective))
        }
        Action::ProposeTermination { reason, end_date } => mutual::propose(case, reason, *end_date)?,
        Action::AcceptTermination => mutual::accept(case)?,
        Action::DeclineTermination { reason } => mutual::decline(case, reason)?,
    };
    Ok(vec![event])
}

const IN_FORCE: &str = "UPCOMING, ACTIVE or SUSPENDED";

/// When the contract ends early by a notice that was given.
pub(super) fn next_due(contract: &Contract) -> Option<Timestamp> {
    if !term::in_force(contract) {
        return None;
    }
    time::from_proto(contract.termination.as_ref()?.effective_time.as_ref()?)
}

/// What happens then; what it means for the clauses goes by the terms that are in force then.
pub(super) fn act(contract: &Contract, now: Timestamp) -> Option<Event> {
    let effective = next_due(contract).filter(|due| *due <= now)?;
    let termination = with_effects(contract, contract.termination.clone()?, effective);
    Some(Event::Terminated(pb::ContractTerminated { termination: Some(termination) }))
}

/// A termination by this party, decided by the caller, with what it means.
fn termination(
    case: &Case<'_>,
    kind: TerminationKind,
    reason: &str,
    progress: WorkProgress,
    effective: Timestamp,
) -> Termination {
    let termination = Termination {
        kind: kind.into(),
        party: case.by.into(),
        reason: reason.to_owned(),
        notice_time: Some(time::to_proto(case.context.time)),
        effective_time: Some(time::to_proto(effective)),
        progress: progress.into(),
        decided_by: case.context.actor.to_owned(),
        ..Termination::default()
    };
    with_effects(case.contract, termination, effective)
}

fn with_effects(contract: &Contract, mut termination: Termination, effective: Timestamp) -> Termination {
    let terms = in_force(contract, effective, Timestamp::MAX);
    termination.effects = terms.map(|in_force| effects::effects(in_force.terms, &termination)).unwrap_or_default();
    termination
}

/// Now if it is effective by now, else by notice.
fn end(case: &Case<'_>, termination: Termination) -> Event {
    let effective = termination.effective_time.as_ref().and_then(time::from_proto);
    if effective.is_some_and(|effective| effective > case.context.time) {
        return Event::TerminationNoticed(pb::TerminationNoticed { termination: Some(termination) });
    }
    Event::Terminated(pb::ContractTerminated { termination: Some(termination) })
}

/// When the contract ends without anybody's doing anything; none if it renews itself.
fn ends_anyway(contract: &Contract) -> Option<Timestamp> {
    next_due(contract).or_else(|| term::end(contract).filter(|_| term::renews(contract).is_none()))
}

/// The clause on termination that is in force.
fn clause<'a>(case: &Case<'a>) -> Option<&'a TerminationClause> {
    let terms = in_force::now(case.contract, case.context.time)?;
    terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Termination(clause)) => Some(clause),
        _ => None,
    })
}

fn not_granted(message: String) -> Refusal {
    Refusal::new(ErrorReason::NotGranted, message)
}

fn out_of_time(message: String) -> Refusal {
    Refusal::new(ErrorReason::OutOfTime, message)
}

/// The calendar ends.
fn too_far(error: DateError) -> Refusal {
    out_of_time(format!("The period can't be reckoned: {error}."))
}
