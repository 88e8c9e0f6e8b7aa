//! Notices, suspensions and ends that have happened.
//!
//! Invariant: only ContractTerminated ends a contract; all else announces or may be undone.

use prost_types::Timestamp;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, TerminationKind};

use super::super::term;

/// Takes in an event about the end; others leave the contract as it is.
pub(in super::super) fn evolve(contract: &mut Contract, event: &Event, now: Timestamp) {
    match event {
        Event::RenewalNoticeGiven(event) => contract.renewal_notice_by = event.noticed_by,
        Event::BreachNoticed(event) => contract.breaches.extend(event.breach.clone()),
        Event::BreachCured(event) => {
            if let Some(breach) = contract.breaches.iter_mut().find(|breach| breach.number == event.number) {
                breach.cure_time = Some(now);
            }
        }
        Event::Suspended(event) => {
            contract.suspension.clone_from(&event.suspension);
            contract.set_state(State::Suspended);
        }
        Event::Reinstated(_) => {
            contract.suspension = None;
            contract.set_state(term::state_in_force(contract, now));
        }
        Event::TerminationNoticed(event) => {
            contract.termination.clone_from(&event.termination);
            // A notice leaves a proposal open, which may end the contract earlier.
            if event.termination.as_ref().is_some_and(|end| end.kind() == TerminationKind::Mutual) {
                contract.proposed_termination = None;
            }
        }
        Event::TerminationProposed(event) => contract.proposed_termination.clone_from(&event.termination),
        Event::TerminationDeclined(_) => contract.proposed_termination = None,
        Event::Terminated(event) => {
            contract.termination.clone_from(&event.termination);
            contract.end_reason = event.termination.as_ref().map(|end| end.reason.clone()).unwrap_or_default();
            contract.proposed_termination = None;
            contract.suspension = None;
            contract.set_state(State::Terminated);
        }
        _ => {}
    }
}
