//! Amendments: signed terms change when the other party agrees, or where the contract lets one party replace clauses.
//!
//! Invariant: a version of the terms is agreed by both or granted by the contract; declining one leaves the old in force.

use jiff::civil::Date;
use prost_types::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::contracts::v1::contract_event::Event;

use super::decide::Case;
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

pub(super) fn decide(case: &Case<'_>, _action: &Action) -> Result<Vec<Event>, Refusal> {
    Err(case.state_forbids("ACTIVE", "amended"))
}

/// Takes in the events about amendments. A change of terms goes on to [`super::term::follow`].
pub(super) fn evolve(_contract: &mut Contract, _event: &Event, _now: Timestamp) {}
