//! Participations: a creator joins a campaign by a contract, and brings what it asks for from draft to publication.
//!
//! Invariant: nothing counts as published that was not approved, and nothing is approved whose disclosure is
//! insufficient.

mod join;
mod publication;
mod review;
#[cfg(test)]
mod tests;

pub use join::Join;

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::campaigns::v1::{self as pb, DeliverableState, ParticipationState as State};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::time::to_proto;
use tandem_service::Resource;
use tandem_views::Column;

use crate::fields::short;
use crate::partnership::partnership;

/// A participation; the aggregate's state is the resource itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Participation(pub pb::Participation);

/// What can be asked of a participation.
#[derive(Clone, Debug)]
pub enum Command {
    /// A creator joins.
    Join(Box<Join>),
    /// A draft is handed in.
    SubmitDraft(pb::SubmitDraftRequest),
    /// The brand asks for changes to the draft in review.
    RequestChanges(pb::RequestChangesRequest),
    /// The brand approves the draft in review.
    ApproveDraft(pb::ApproveDraftRequest),
    /// Approved content is online.
    RecordPublication(pb::RecordPublicationRequest),
    /// Published content has new figures.
    RecordPerformance(pb::RecordPerformanceRequest),
}

impl Participation {
    /// The deliverable of an id; the command is wrong if nothing of that id is owed.
    fn deliverable(&self, id: &str, context: &Context<'_>) -> Result<&pb::Deliverable, Refusal> {
        if self.0.state() == State::Unspecified {
            return Err(Refusal::not_found(context));
        }
        let owed = &self.0.deliverables;
        owed.iter().find(|deliverable| deliverable.deliverable_id == id).ok_or_else(|| {
            let ids: Vec<_> = owed.iter().map(|deliverable| &deliverable.deliverable_id[..]).collect();
            let known = if ids.is_empty() { "no content".to_owned() } else { ids.join(", ") };
            Refusal::field("deliverable_id", format!("names nothing that {} owes; it owes {known}", context.resource))
        })
    }

    /// The deliverable for the evolving; what is not there is not changed.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut pb::Deliverable)) {
        if let Some(deliverable) = self.0.deliverables.iter_mut().find(|deliverable| deliverable.deliverable_id == id) {
            change(deliverable);
        }
    }

    /// Takes in a draft, or what became of the last one.
    fn evolve_review(&mut self, event: &Event) {
        match event {
            Event::DraftSubmitted(event) => self.change(&event.deliverable_id, |deliverable| {
                deliverable.drafts.extend(event.draft.clone());
                deliverable.review_due_time = event.review_due_time;
                deliverable.set_state(DeliverableState::InReview);
            }),
            Event::ChangesRequested(event) => self.change(&event.deliverable_id, |deliverable| {
                if let Some(draft) = deliverable.drafts.last_mut() {
                    draft.change_request.clone_from(&event.change_request);
                }
                deliverable.review_due_time = None;
                deliverable.revision_rounds_used += 1;
                deliverable.set_state(DeliverableState::ChangesRequested);
            }),
            Event::DraftApproved(event) => self.change(&event.deliverable_id, |deliverable| {
                if let Some(draft) = deliverable.drafts.last_mut() {
                    draft.approver.clone_from(&event.approver);
                }
                deliverable.review_due_time = None;
                deliverable.set_state(DeliverableState::Approved);
            }),
            _ => {}
        }
    }
}

impl Aggregate for Participation {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "participation" };
    const COLLECTION: &'static str = "participations";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let event = match command {
            Command::Join(_) if self.0.state() != State::Unspecified => return Err(Refusal::exists(context)),
            Command::Join(join) => Some(Event::Joined(join.decide()?)),
            Command::SubmitDraft(draft) => Some(Event::DraftSubmitted(self.submit_draft(draft, context)?)),
            Command::RequestChanges(request) => Some(Event::ChangesRequested(self.request_changes(request, context)?)),
            Command::ApproveDraft(request) => Some(Event::DraftApproved(self.approve_draft(request, context)?)),
            Command::RecordPublication(request) => {
                Some(Event::DeliverablePublished(self.record_publication(request, context)?))
            }
            Command::RecordPerformance(request) => {
                self.record_performance(request, context)?.map(Event::PerformanceRecorded)
            }
        };
        Ok(event.into_iter().collect())
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let time = Some(to_proto(envelope.time));
        match event {
            Event::Joined(event) => {
                self.0 = event.participation.clone().unwrap_or_default();
                self.0.name.clone_from(&envelope.resource);
                self.0.set_state(State::Active);
                self.0.create_time = time;
            }
            Event::DeliverablePublished(event) => {
                self.change(&event.deliverable_id, |deliverable| {
                    deliverable.published_uri.clone_from(&event.published_uri);
                    deliverable.published_caption.clone_from(&event.published_caption);
                    deliverable.publish_time = event.publish_time;
                    deliverable.set_state(DeliverableState::Published);
                });
                if event.remaining_count == 0 {
                    self.0.set_state(State::Fulfilled);
                }
            }
            Event::PerformanceRecorded(event) => {
                self.change(&event.deliverable_id, |deliverable| deliverable.performance = event.performance);
            }
            Event::DraftSubmitted(_) | Event::ChangesRequested(_) | Event::DraftApproved(_) => {
                self.evolve_review(event)
            }
            Event::ReviewOverdue(_) | Event::DraftOverdue(_) | Event::PublicationOverdue(_) => {}
        }
        self.0.update_time = time;
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.0.brand, &self.0.creator)
    }
}

impl Resource for Participation {
    const VIEW: &'static str = "participations";
    const VERSION: i32 = 1;
    type Message = pb::Participation;

    fn columns() -> Vec<Column<pb::Participation>> {
        vec![
            Column::text("name", |row: &pb::Participation| row.name.clone()),
            Column::text("campaign", |row: &pb::Participation| row.campaign.clone()).indexed(),
            Column::text("contract", |row: &pb::Participation| row.contract.clone()).indexed(),
            Column::text("brand", |row: &pb::Participation| row.brand.clone()),
            Column::text("creator", |row: &pb::Participation| row.creator.clone()).indexed(),
            Column::enumeration("state", "tandem.campaigns.v1.ParticipationState", |row: &pb::Participation| row.state),
            Column::text("tracking_code", |row: &pb::Participation| row.tracking_code.clone()).indexed(),
            Column::time("create_time", |row: &pb::Participation| row.create_time),
            Column::time("update_time", |row: &pb::Participation| row.update_time),
        ]
    }

    fn from_message(message: pb::Participation) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Participation {
        pb::Participation { etag, ..self.0 }
    }
}

/// Refuses a transition of a deliverable that its state does not allow.
fn require(
    deliverable: &pb::Deliverable,
    allowed: &[DeliverableState],
    what: &str,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    if allowed.contains(&deliverable.state()) {
        return Ok(());
    }
    let state = short(deliverable.state().as_str_name(), "DELIVERABLE_STATE_");
    let message = format!("Deliverable {} of {} is {state}; {what}.", deliverable.deliverable_id, context.resource);
    Err(Refusal::new(ErrorReason::StateForbids, message))
}
