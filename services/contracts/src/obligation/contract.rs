//! What the parties owe each other on the way to a contract and about it: answers and signatures.
//!
//! Invariant: of a negotiation, the answer to the newest offer is owed, by who did not make it.

use prost_types::Timestamp;
use tandem_eventlog::RecordedEvent;
use tandem_proto::contracts::v1::contract_event::Event as E;
use tandem_proto::contracts::v1::{Obligation, ObligationKind as Kind, Party, TerminationKind};
use tandem_views::FoldError;

use super::step::{Ends, Step, Told, now, under};

pub(super) fn told(event: E, recorded: &RecordedEvent) -> Result<Told, FoldError> {
    let (id, now) = (recorded.tokens()[3], now(&recorded.envelope));
    let contract = format!("contracts/{id}");
    let owe = |party: Party, kind: Kind, subject: &str, due_time: Option<Timestamp>| {
        let owed = under(&contract, &recorded.envelope)?;
        let (party, kind, subject) = (party.into(), kind.into(), format!("{contract}{subject}"));
        Ok::<_, FoldError>(Step::Owe(Box::new(Obligation { party, kind, subject, due_time, ..owed })))
    };
    let offer = |by: Party, until| owe(other(by), Kind::Answer, "", until);
    let (answer, ending) = (format!("{id}~answer"), format!("{id}~termination"));
    let signature =
        |party: Party| format!("{id}~signature~{}", if party == Party::Creator { "creator" } else { "brand" });
    let amendment = |number: i32| format!("{id}~amendment~{number}");

    let mut ended: Option<Ends> = None;
    let steps = match event {
        E::Proposed(event) => vec![(answer, offer(Party::Brand, event.expire_time)?)],
        E::Countered(event) => vec![(answer, offer(event.offered_by(), event.expire_time)?)],
        E::Accepted(_) => {
            let mut steps = vec![(answer, Step::Fulfil(now))];
            for party in [Party::Brand, Party::Creator] {
                steps.push((signature(party), owe(party, Kind::Signature, "", None)?));
            }
            steps
        }
        E::Declined(_) => vec![(answer, Step::Fulfil(now))],
        E::Withdrawn(_) | E::Lapsed(_) => vec![(answer, Step::Discharge)],
        E::SignatureAdded(event) => vec![(signature(event.signature.unwrap_or_default().party()), Step::Fulfil(now))],
        E::Signed(event) => vec![(signature(event.signature.unwrap_or_default().party()), Step::Fulfil(now))],
        E::AmendmentProposed(event) => {
            let proposed = event.amendment.unwrap_or_default();
            let subject = format!("/amendments/{}", proposed.number);
            vec![(amendment(proposed.number), owe(other(proposed.proposed_by()), Kind::Answer, &subject, None)?)]
        }
        E::AmendmentAccepted(event) => {
            ended = Some(asks_to_amend);
            vec![(amendment(event.number), Step::Fulfil(now))]
        }
        E::AmendmentDeclined(event) => vec![(amendment(event.number), Step::Fulfil(now))],
        E::AmendmentWithdrawn(event) => vec![(amendment(event.number), Step::Discharge)],
        E::TermsReplaced(_) => {
            ended = Some(asks_to_amend);
            Vec::new()
        }
        E::TerminationProposed(event) => {
            let by = event.termination.unwrap_or_default().party();
            vec![(ending, owe(other(by), Kind::Answer, "/termination", None)?)]
        }
        E::TerminationDeclined(event) => vec![(ending, Step::Answered(event.declined_by(), now))],
        E::Terminated(event) => {
            ended = Some(ends_with_contract);
            let agreed = event.termination.unwrap_or_default().kind() == TerminationKind::Mutual;
            if agreed { vec![(ending, Step::Fulfil(now))] } else { Vec::new() }
        }
        E::Expired(_) => {
            ended = Some(is_answer);
            Vec::new()
        }
        E::Drafted(_)
        | E::Started(_)
        | E::DocumentAttached(_)
        | E::RenewalNoticeGiven(_)
        | E::DeadlineWarned(_)
        | E::Renewed(_)
        | E::BreachNoticed(_)
        | E::BreachCured(_)
        | E::Suspended(_)
        | E::Reinstated(_)
        | E::TerminationNoticed(_)
        | E::StatutoryChecked(_) => Vec::new(),
    };
    Ok(Told { steps, ended: ended.map(|ends| (contract, ends)) })
}

fn other(party: Party) -> Party {
    if party == Party::Brand { Party::Creator } else { Party::Brand }
}

/// Answers to amendments are not owed any more once other terms are agreed: they are superseded.
fn asks_to_amend(row: &Obligation) -> bool {
    row.kind() == Kind::Answer && row.subject.contains("/amendments/")
}

fn is_answer(row: &Obligation) -> bool {
    row.kind() == Kind::Answer
}

/// What is earned stays owed.
fn ends_with_contract(row: &Obligation) -> bool {
    row.kind() != Kind::Payment
}
