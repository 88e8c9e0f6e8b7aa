//! What a contract obliges to in a campaign: drafts, their reviews, publications.
//!
//! Invariant: the first draft and the publication of a deliverable are owed from the joining on, the review of a draft
//! from its being handed in.

use prost_types::Timestamp;
use tandem_eventlog::RecordedEvent;
use tandem_money::dates;
use tandem_proto::campaigns::v1::participation_event::Event as E;
use tandem_proto::campaigns::v1::{CampaignJoined, DraftSubmitted};
use tandem_proto::contracts::v1::{Obligation, ObligationKind as Kind, Party};
use tandem_proto::google::r#type::Date;
use tandem_proto::time;
use tandem_views::FoldError;

use super::step::{Step, Told, now, under};

pub(super) fn told(event: E, recorded: &RecordedEvent) -> Result<Told, FoldError> {
    let (id, now) = (recorded.tokens()[3], now(&recorded.envelope));
    let steps = match event {
        E::Joined(event) => joined(id, event, recorded)?,
        E::DraftSubmitted(event) => submitted(id, event, recorded)?,
        E::ChangesRequested(event) => vec![(review(id, &event.deliverable_id, event.draft_number), Step::Fulfil(now))],
        E::DraftApproved(event) => {
            // Silence stands in for an answer.
            let answered = if event.deemed { Step::Discharge } else { Step::Fulfil(now) };
            vec![(review(id, &event.deliverable_id, event.draft_number), answered)]
        }
        E::ReviewOverdue(event) => vec![(review(id, &event.deliverable_id, event.draft_number), Step::Overdue)],
        E::DraftOverdue(event) => vec![(draft(id, &event.deliverable_id), Step::Overdue)],
        E::PublicationOverdue(event) => vec![(publication(id, &event.deliverable_id), Step::Overdue)],
        E::DeliverablePublished(event) => {
            let published = event.publish_time.unwrap_or(now);
            vec![(publication(id, &event.deliverable_id), Step::Fulfil(published))]
        }
        E::PerformanceRecorded(_) => Vec::new(),
    };
    Ok(Told { steps, ended: None })
}

fn joined(id: &str, event: CampaignJoined, recorded: &RecordedEvent) -> Result<Vec<(String, Step)>, FoldError> {
    let participation = event.participation.unwrap_or_default();
    let rules = participation.review_rules.unwrap_or_default();
    let mut steps = Vec::new();
    for deliverable in participation.deliverables {
        let deliverable_id = &deliverable.deliverable_id;
        let mut owe = |key, kind: Kind, due: Option<Date>| {
            let due_time = due.map(|day| end_of(day, &rules.time_zone)).transpose()?;
            let (party, kind, subject) = (Party::Creator.into(), kind.into(), subject(id, deliverable_id));
            let owed = under(&participation.contract, &recorded.envelope)?;
            steps.push((key, Step::Owe(Box::new(Obligation { party, kind, subject, due_time, ..owed }))));
            Ok::<_, FoldError>(())
        };
        owe(draft(id, deliverable_id), Kind::Draft, deliverable.draft_due_date)?;
        owe(publication(id, deliverable_id), Kind::Publication, deliverable.due_date)?;
    }
    Ok(steps)
}

fn submitted(id: &str, event: DraftSubmitted, recorded: &RecordedEvent) -> Result<Vec<(String, Step)>, FoldError> {
    let number = event.draft.unwrap_or_default().number;
    let answer = Obligation {
        party: Party::Brand.into(),
        kind: Kind::Review.into(),
        subject: format!("{}/drafts/{number}", subject(id, &event.deliverable_id)),
        due_time: event.review_due_time,
        ..under(&event.contract, &recorded.envelope)?
    };
    Ok(vec![
        (draft(id, &event.deliverable_id), Step::Fulfil(now(&recorded.envelope))),
        (review(id, &event.deliverable_id, number), Step::Owe(Box::new(answer))),
    ])
}

fn draft(id: &str, deliverable_id: &str) -> String {
    format!("{id}~{deliverable_id}~draft")
}

fn review(id: &str, deliverable_id: &str, number: i32) -> String {
    format!("{id}~{deliverable_id}~review~{number}")
}

fn publication(id: &str, deliverable_id: &str) -> String {
    format!("{id}~{deliverable_id}~publication")
}

fn subject(id: &str, deliverable_id: &str) -> String {
    format!("participations/{id}/deliverables/{deliverable_id}")
}

/// The instant at which a day is over in the contract's time zone.
fn end_of(day: Date, zone: &str) -> Result<Timestamp, FoldError> {
    let zone = dates::time_zone(zone).map_err(FoldError::new)?;
    let end = dates::date_from_proto(&day).and_then(|day| dates::end_of_day(day, &zone));
    end.map(time::to_proto).map_err(FoldError::new)
}
