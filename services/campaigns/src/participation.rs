//! Participations: a creator joins a campaign by a contract, and brings what it asks for from draft to publication.
//!
//! Invariant: nothing counts as published that was not approved, and nothing is approved whose disclosure is
//! insufficient, not by silence either.

mod evolve;
mod join;
mod publication;
mod review;
mod schedule;
#[cfg(test)]
mod tests;

pub use join::Join;

use jiff::Timestamp;
use tandem_aggregate::{Aggregate, Context, Refusal, Scheduled};
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
    /// Time has passed.
    ActOnDue,
}

impl Participation {
    /// Decides a command once all that is due by its time has been taken in.
    fn decide_now(&self, command: &Command, context: &Context<'_>) -> Result<Option<Event>, Refusal> {
        Ok(match command {
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
            Command::ActOnDue => None,
        })
    }

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
}

impl Aggregate for Participation {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "participation" };
    const COLLECTION: &'static str = "participations";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let (mut events, now) = self.catch_up(context);
        events.extend(now.decide_now(command, context)?);
        Ok(events)
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        evolve::evolve(&mut self.0, event);
        let time = Some(to_proto(envelope.time));
        if matches!(event, Event::Joined(_)) {
            self.0.name.clone_from(&envelope.resource);
            self.0.create_time = time;
        }
        self.0.update_time = time;
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.0.brand, &self.0.creator)
    }
}

impl Scheduled for Participation {
    fn next_due(&self) -> Option<Timestamp> {
        self.next_deadline()
    }

    fn act_on_due() -> Command {
        Command::ActOnDue
    }
}

impl Resource for Participation {
    const VIEW: &'static str = "participations";
    const VERSION: i32 = 2;
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
