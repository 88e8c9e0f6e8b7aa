//! Deadlines: what time brings about by itself, for each deliverable.
//!
//! Invariant: each deadline that passes leaves a mark, so it passes once; and a command is decided on by what is so at
//! its time, however late the timer.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_aggregate::Context;
use tandem_money::dates::{date_from_proto, end_of_day, time_zone};
use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::campaigns::v1::{self as pb, DeliverableState as State};
use tandem_proto::google::r#type as wire;
use tandem_proto::time::{from_proto, to_proto};

use super::Participation;
use super::evolve::evolve;

/// A deadline that nobody has met so far, and what it comes to.
struct Deadline {
    due: Timestamp,
    event: Event,
}

impl Participation {
    /// When the next deadline passes.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.first_deadline().map(|deadline| deadline.due)
    }

    /// All that has passed by the time of the context, in order, and the participation after it.
    pub(super) fn catch_up(&self, context: &Context<'_>) -> (Vec<Event>, Cow<'_, Self>) {
        let mut participation = Cow::Borrowed(self);
        let mut events = Vec::new();
        // Each deliverable has three deadlines at most, and a contract names few deliverables: one batch takes them all.
        for _ in 0..3 * self.0.deliverables.len() {
            let Some(Deadline { due, event }) = participation.first_deadline() else { break };
            if due > context.time {
                break;
            }
            evolve(&mut participation.to_mut().0, &event);
            events.push(event);
        }
        (events, participation)
    }

    /// Of equals that of the first deliverable, and of its own the review.
    fn first_deadline(&self) -> Option<Deadline> {
        let deadlines = self.0.deliverables.iter().flat_map(|deliverable| {
            let all = [self.review(deliverable), self.first_draft(deliverable), self.publication(deliverable)];
            all.into_iter().flatten()
        });
        deadlines.min_by_key(|deadline| deadline.due)
    }

    /// The draft in review is answered by silence, if that approves and there is nothing wrong with its disclosure: what
    /// nobody may approve, silence doesn't approve either.
    fn review(&self, deliverable: &pb::Deliverable) -> Option<Deadline> {
        let draft = deliverable.drafts.last()?;
        if deliverable.state() != State::InReview || draft.review_overdue_time.is_some() {
            return None;
        }
        let due_time = deliverable.review_due_time;
        let due = due_time.as_ref().and_then(from_proto)?;
        let review = self.0.review_rules.as_ref().and_then(|rules| rules.review.as_ref());
        let deemed = review.is_some_and(|review| review.silence_approves) && draft.findings.is_empty();
        let (deliverable_id, draft_number) = (deliverable.deliverable_id.clone(), draft.number);
        let event = if deemed {
            let approver = String::new();
            Event::DraftApproved(pb::DraftApproved { deliverable_id, draft_number, approver, deemed })
        } else {
            Event::ReviewOverdue(pb::ReviewOverdue { deliverable_id, draft_number, due_time })
        };
        Some(Deadline { due, event })
    }

    /// The first draft is not there.
    fn first_draft(&self, deliverable: &pb::Deliverable) -> Option<Deadline> {
        if !deliverable.drafts.is_empty() || deliverable.draft_overdue_time.is_some() {
            return None;
        }
        let due = self.end_of(deliverable.draft_due_date.as_ref())?;
        let (deliverable_id, due_time) = (deliverable.deliverable_id.clone(), Some(to_proto(due)));
        Some(Deadline { due, event: Event::DraftOverdue(pb::DraftOverdue { deliverable_id, due_time }) })
    }

    /// The content is not online.
    fn publication(&self, deliverable: &pb::Deliverable) -> Option<Deadline> {
        if deliverable.state() == State::Published || deliverable.publication_overdue_time.is_some() {
            return None;
        }
        let due = self.end_of(deliverable.due_date.as_ref())?;
        let (deliverable_id, due_time) = (deliverable.deliverable_id.clone(), Some(to_proto(due)));
        Some(Deadline { due, event: Event::PublicationOverdue(pb::PublicationOverdue { deliverable_id, due_time }) })
    }

    /// The instant at which a day of the contract's is over; none without a day.
    fn end_of(&self, day: Option<&wire::Date>) -> Option<Timestamp> {
        let day: Date = date_from_proto(day?).ok()?;
        let zone = time_zone(&self.0.review_rules.as_ref()?.time_zone).ok()?;
        end_of_day(day, &zone).ok()
    }
}
