//! What events make of a participation.
//!
//! Invariant: exhaustive, and nothing is refused; what an event names and is not there is not changed.

use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::campaigns::v1::{self as pb, DeliverableState, ParticipationState as State};
use tandem_proto::time::from_proto;

/// Takes in an event; its time and the resource's name are for the caller to set.
pub(super) fn evolve(participation: &mut pb::Participation, event: &Event) {
    match event {
        Event::Joined(event) => {
            *participation = event.participation.clone().unwrap_or_default();
            participation.set_state(State::Active);
        }
        Event::DraftSubmitted(event) => change(participation, &event.deliverable_id, |deliverable| {
            deliverable.drafts.extend(event.draft.clone());
            deliverable.review_due_time = event.review_due_time;
            deliverable.set_state(DeliverableState::InReview);
        }),
        Event::ChangesRequested(event) => change(participation, &event.deliverable_id, |deliverable| {
            if let Some(draft) = deliverable.drafts.last_mut() {
                draft.change_request.clone_from(&event.change_request);
            }
            deliverable.review_due_time = None;
            deliverable.revision_rounds_used += 1;
            deliverable.set_state(DeliverableState::ChangesRequested);
        }),
        Event::DraftApproved(event) => change(participation, &event.deliverable_id, |deliverable| {
            if let Some(draft) = deliverable.drafts.last_mut() {
                draft.approver.clone_from(&event.approver);
                draft.deemed_approved = event.deemed;
            }
            deliverable.review_due_time = None;
            deliverable.set_state(DeliverableState::Approved);
        }),
        Event::DeliverablePublished(event) => {
            change(participation, &event.deliverable_id, |deliverable| publish(deliverable, event));
            if event.remaining_count == 0 {
                participation.set_state(State::Fulfilled);
            }
        }
        Event::PerformanceRecorded(event) => {
            change(participation, &event.deliverable_id, |deliverable| deliverable.performance = event.performance);
        }
        Event::ReviewOverdue(event) => change(participation, &event.deliverable_id, |deliverable| {
            if let Some(draft) = deliverable.drafts.last_mut() {
                draft.review_overdue_time = event.due_time;
            }
        }),
        Event::DraftOverdue(event) => change(participation, &event.deliverable_id, |deliverable| {
            deliverable.draft_overdue_time = event.due_time;
        }),
        Event::PublicationOverdue(event) => change(participation, &event.deliverable_id, |deliverable| {
            deliverable.publication_overdue_time = event.due_time;
        }),
    }
}

fn change(participation: &mut pb::Participation, id: &str, change: impl FnOnce(&mut pb::Deliverable)) {
    let mut deliverables = participation.deliverables.iter_mut();
    if let Some(deliverable) = deliverables.find(|deliverable| deliverable.deliverable_id == id) {
        change(deliverable);
    }
}

/// What was thought overdue may have been online in time, and be told late.
fn publish(deliverable: &mut pb::Deliverable, event: &pb::DeliverablePublished) {
    deliverable.published_uri.clone_from(&event.published_uri);
    deliverable.published_caption.clone_from(&event.published_caption);
    deliverable.publish_time = event.publish_time;
    let instant = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(from_proto);
    let overdue = instant(&deliverable.publication_overdue_time);
    if overdue.zip(instant(&event.publish_time)).is_some_and(|(overdue, published)| published < overdue) {
        deliverable.publication_overdue_time = None;
    }
    deliverable.set_state(DeliverableState::Published);
}
