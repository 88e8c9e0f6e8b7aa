//! Notice that a contract is not to renew itself.
//!
//! Invariant: one notice of either party is enough, and it comes before the last day for it is over.

use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::contracts::v1::contract_event::Event;

use super::super::calendar::Calendar;
use super::super::decide::{Case, the};
use super::super::term;
use super::{out_of_time, too_far};

pub(super) fn give(case: &Case<'_>, reason: &str) -> Result<Event, Refusal> {
    let (contract, resource) = (case.contract, case.context.resource);
    let noticed_by = contract.renewal_notice_by();
    if noticed_by != Party::Unspecified {
        let message = format!(
            "{} has given notice already that {resource} is not to renew itself. Nothing is left to do.",
            the(noticed_by)
        );
        return Err(Refusal::new(ErrorReason::StateForbids, sentence(&message)));
    }
    let (Some(_), Some(last)) = (term::renews(contract), term::last_day_for_notice(contract)) else {
        let message = format!(
            "{resource} does not renew itself: it ends with its last day. To end it before, call TerminateContract or \
             ProposeTermination."
        );
        return Err(Refusal::new(ErrorReason::StateForbids, message));
    };
    if Calendar::of(contract, case.context.time).end_of(last).map_err(too_far)? <= case.context.time {
        let message = format!(
            "The last day for notice against the renewal of {resource} was {last}. Give it in the next term, or call \
             TerminateContract or ProposeTermination."
        );
        return Err(out_of_time(message));
    }
    Ok(Event::RenewalNoticeGiven(pb::RenewalNoticeGiven { noticed_by: case.by.into(), reason: reason.to_owned() }))
}

/// Begins with a capital.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
