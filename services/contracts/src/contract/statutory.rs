//! What a contract's terms miss by law, recorded with the events that bring the terms.
//!
//! Invariant: a contract's findings are those of its terms by the rules that were known when they were offered or agreed;
//! rules that come later change nothing that is recorded.

use jiff::Timestamp;
use tandem_money::dates;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::StatutoryFinding;
use tandem_proto::contracts::v1::contract_event::Event;

use crate::statute;

/// Adds to what was decided now what the terms miss. An agreement whose day lies on the other side of a rule's validity
/// than that of the offer is followed by a check of its own.
pub(super) fn check(contract: &pb::Contract, events: &mut Vec<Event>, now: Timestamp) {
    let mut checked = None;
    for event in events.iter_mut() {
        match event {
            Event::Drafted(event) => event.statutory_findings = findings(event.terms.as_ref(), now),
            Event::Countered(event) => event.statutory_findings = findings(event.terms.as_ref(), now),
            Event::AmendmentProposed(event) => flag(event.amendment.as_mut(), now),
            Event::TermsReplaced(event) => flag(event.amendment.as_mut(), now),
            Event::Accepted(_) => checked = again(contract.terms.as_ref(), &contract.statutory_findings, now),
            Event::AmendmentAccepted(event) => {
                let amendment = contract.amendments.iter().find(|amendment| amendment.number == event.number);
                checked = amendment.and_then(|known| again(known.terms.as_ref(), &known.statutory_findings, now));
            }
            _ => {}
        }
    }
    events.extend(checked);
}

fn flag(amendment: Option<&mut pb::Amendment>, now: Timestamp) {
    if let Some(amendment) = amendment {
        amendment.statutory_findings = findings(amendment.terms.as_ref(), now);
    }
}

/// The check of terms that have been checked before, if it finds something else.
fn again(terms: Option<&pb::Terms>, known: &[StatutoryFinding], now: Timestamp) -> Option<Event> {
    let findings = findings(terms, now);
    (findings != known).then_some(Event::StatutoryChecked(pb::StatutoryChecked { findings }))
}

fn findings(terms: Option<&pb::Terms>, now: Timestamp) -> Vec<StatutoryFinding> {
    let day = terms.and_then(|terms| Some((terms, dates::time_zone(&terms.time_zone).ok()?)));
    day.map_or_else(Vec::new, |(terms, zone)| statute::findings(terms, dates::day_of(now, &zone)))
}

/// Follows the contract's terms: an event that brings terms brings what they miss.
pub(super) fn evolve(contract: &mut pb::Contract, event: &Event) {
    let of = |amendment: Option<&pb::Amendment>| amendment.map(|amendment| amendment.statutory_findings.clone());
    let findings = match event {
        Event::Drafted(event) => Some(event.statutory_findings.clone()),
        Event::Countered(event) => Some(event.statutory_findings.clone()),
        Event::TermsReplaced(event) => of(event.amendment.as_ref()),
        Event::AmendmentAccepted(event) => {
            of(contract.amendments.iter().find(|amendment| amendment.number == event.number))
        }
        Event::StatutoryChecked(event) => Some(event.findings.clone()),
        _ => None,
    };
    if let Some(findings) = findings {
        contract.statutory_findings = findings;
    }
}
