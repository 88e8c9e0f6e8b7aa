//! The end before the last day: notice against renewal, breach and cure, suspension, termination with its effects.
//!
//! Invariant: a contract ends early only in a way that its terms or both parties allow, and the event says for each
//! clause what becomes of it.

use jiff::civil::Date;
use prost_types::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{TerminationKind, WorkProgress};

use super::decide::Case;

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

pub(super) fn decide(case: &Case<'_>, _action: &Action) -> Result<Vec<Event>, Refusal> {
    Err(case.state_forbids("ACTIVE", "ended"))
}

/// When the contract ends early by a notice that was given.
pub(super) fn next_due(_contract: &Contract) -> Option<jiff::Timestamp> {
    None
}

/// What happens then.
pub(super) fn act(_contract: &Contract, _now: jiff::Timestamp) -> Option<Event> {
    None
}

/// Takes in the events about the end.
pub(super) fn evolve(_contract: &mut Contract, _event: &Event, _now: Timestamp) {}
