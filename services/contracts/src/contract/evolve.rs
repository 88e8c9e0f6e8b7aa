//! What has happened to a contract, folded into its state: which concept takes in which event.
//!
//! Invariant: pure and total; the state after an event is a function of the state before it, the event, and the name and
//! time in its envelope. Every event is named here, so a new one does not compile before it is taken in.

use tandem_proto::contracts::v1::Contract;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::time;

use super::{amendment, document, negotiation, signing, statutory, term, termination, warning};

/// Takes in an event of the contract called `name`, recorded at `time`.
pub(super) fn evolve(contract: &mut Contract, event: &Event, name: &str, time: jiff::Timestamp) {
    let now = time::to_proto(time);
    match event {
        Event::Drafted(event) => negotiation::drafted(contract, event, name, now),
        Event::Proposed(event) => negotiation::proposed(contract, event, now),
        Event::Countered(event) => negotiation::countered(contract, event, now),
        Event::Accepted(_) => negotiation::accepted(contract),
        Event::Declined(event) => negotiation::declined(contract, event),
        Event::Withdrawn(event) => negotiation::withdrawn(contract, event),
        Event::Lapsed(_) => negotiation::lapsed(contract),
        Event::SignatureAdded(event) => signing::added(contract, event),
        Event::Signed(event) => signing::signed(contract, event, now),
        Event::DocumentAttached(event) => document::add(contract, event.document.as_ref()),
        Event::Started(_) => term::started(contract),
        Event::DeadlineWarned(event) => warning::given(contract, event),
        Event::Renewed(event) => term::renewed(contract, event),
        Event::Expired(_) => term::expired(contract),
        Event::AmendmentProposed(_)
        | Event::AmendmentAccepted(_)
        | Event::AmendmentDeclined(_)
        | Event::AmendmentWithdrawn(_)
        | Event::TermsReplaced(_) => amendment::evolve(contract, event, now),
        Event::RenewalNoticeGiven(_)
        | Event::BreachNoticed(_)
        | Event::BreachCured(_)
        | Event::Suspended(_)
        | Event::Reinstated(_)
        | Event::TerminationNoticed(_)
        | Event::TerminationProposed(_)
        | Event::TerminationDeclined(_)
        | Event::Terminated(_) => termination::evolve(contract, event, now),
        Event::StatutoryChecked(_) => {}
    }
    statutory::evolve(contract, event);
    contract.update_time = Some(now);
}
