//! Amendments: signed terms change when the other party agrees, or where the contract lets one party replace clauses.
//!
//! Invariant: a version of the terms is agreed by both or granted by the contract; declining one leaves the old in force.
//! Several amendments may wait for an answer; the first that becomes a version supersedes the others, for they would
//! change terms that are not the newest any more.

mod evolve;
mod proposal;
mod replacement;

use jiff::civil::Date;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Amendment, AmendmentState as State};

pub(super) use evolve::evolve;

use super::decide::{Case, the};
use crate::terms::Terms;

/// What can be asked about signed terms.
#[derive(Clone, Debug)]
pub enum Action {
    /// To change them if the other party agrees.
    Propose {
        /// The changed terms, whole.
        terms: Terms,
        /// First day on which they apply.
        effective_date: Date,
        /// Why.
        reason: String,
    },
    /// To agree to the other's amendment.
    Accept {
        /// Which.
        number: i32,
        /// Hash of the terms that were read.
        terms_hash: String,
    },
    /// To disagree.
    Decline {
        /// Which.
        number: i32,
        /// Why.
        reason: String,
    },
    /// To take back the own amendment.
    Withdraw {
        /// Which.
        number: i32,
    },
    /// To replace clauses without being asked.
    Replace {
        /// The changed terms, whole.
        terms: Terms,
        /// First day on which they apply.
        effective_date: Date,
        /// Why.
        reason: String,
    },
}

pub(super) fn decide(case: &Case<'_>, action: &Action) -> Result<Vec<Event>, Refusal> {
    if !super::term::in_force(case.contract) {
        return Err(case.state_forbids("UPCOMING, ACTIVE or SUSPENDED", "amended"));
    }
    let event = match action {
        Action::Propose { terms, effective_date, reason } => {
            let amendment = proposal::amendment(case, terms, *effective_date, reason)?;
            Event::AmendmentProposed(pb::AmendmentProposed { amendment: Some(amendment) })
        }
        Action::Accept { number, terms_hash } => accept(case, *number, terms_hash)?,
        Action::Decline { number, reason } => {
            let declined_by = of_other(case, *number, "decline")?.1;
            Event::AmendmentDeclined(pb::AmendmentDeclined { number: *number, declined_by, reason: reason.clone() })
        }
        Action::Withdraw { number } => withdraw(case, *number)?,
        Action::Replace { terms, effective_date, reason } => {
            replacement::replace(case, terms, *effective_date, reason)?
        }
    };
    Ok(vec![event])
}

fn accept(case: &Case<'_>, number: i32, terms_hash: &str) -> Result<Event, Refusal> {
    let (amendment, accepted_by) = of_other(case, number, "accept")?;
    if terms_hash != amendment.terms_hash {
        let message = format!(
            "Amendment {number} of {} has terms with the hash {}, not {terms_hash}. Get the contract, read them, and accept \
             by their terms_hash.",
            case.context.resource, amendment.terms_hash
        );
        return Err(Refusal::new(ErrorReason::TermsHashMismatch, message));
    }
    let effective_time = proposal::still_timely(case, amendment)?;
    let terms = amendment.terms.as_ref();
    Ok(Event::AmendmentAccepted(pb::AmendmentAccepted {
        number,
        accepted_by,
        version: case.contract.version + 1,
        terms_hash: terms_hash.to_owned(),
        effective_time: Some(effective_time),
        committed_change: proposal::committed_change(case, terms),
    }))
}

fn withdraw(case: &Case<'_>, number: i32) -> Result<Event, Refusal> {
    let amendment = open(case, number)?;
    if amendment.proposed_by() != case.by {
        let message = format!(
            "Amendment {number} of {} is proposed by {}, and only they can withdraw it. Decline it instead.",
            case.context.resource,
            the(amendment.proposed_by())
        );
        return Err(Refusal::new(ErrorReason::NotYourTurn, message));
    }
    Ok(Event::AmendmentWithdrawn(pb::AmendmentWithdrawn { number, withdrawn_by: case.by.into() }))
}

/// The amendment that waits for this party's answer, and this party.
fn of_other<'a>(case: &Case<'a>, number: i32, verb: &str) -> Result<(&'a Amendment, i32), Refusal> {
    let amendment = open(case, number)?;
    if amendment.proposed_by() == case.by {
        let message = format!(
            "Amendment {number} of {} is {}'s own, and only the other party can {verb} it. Wait for their answer, or \
             withdraw it.",
            case.context.resource,
            the(case.by)
        );
        return Err(Refusal::new(ErrorReason::NotYourTurn, message));
    }
    Ok((amendment, case.by.into()))
}

/// The amendment that waits for an answer.
fn open<'a>(case: &Case<'a>, number: i32) -> Result<&'a Amendment, Refusal> {
    let (contract, resource) = (case.contract, case.context.resource);
    let Some(amendment) = contract.amendments.iter().find(|amendment| amendment.number == number) else {
        let count = contract.amendments.len();
        let description = format!("is {number}, but {resource} has {count} amendment(s) so far: give one of them");
        return Err(Refusal::field("number", description));
    };
    let message = match amendment.state() {
        State::Proposed => return Ok(amendment),
        State::Superseded => format!(
            "Amendment {number} of {resource} is superseded: it would change terms that are at version {} by now. Propose it \
             anew on those.",
            contract.version
        ),
        state => {
            let state = state.as_str_name().trim_start_matches("AMENDMENT_STATE_");
            format!("Amendment {number} of {resource} is {state}; only one that is PROPOSED waits for an answer.")
        }
    };
    Err(Refusal::new(ErrorReason::StateForbids, message))
}
