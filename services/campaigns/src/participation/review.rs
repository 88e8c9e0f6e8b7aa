//! Review: drafts handed in, sent back, approved.
//!
//! Invariant: one draft of a deliverable is in review at a time, and it is answered once.

use jiff::Timestamp;
use tandem_aggregate::{Context, Refusal};
use tandem_money::dates::{DateError, business_days_after, day_of, end_of_day, time_zone};
use tandem_money::holidays;
use tandem_proto::campaigns::v1::{self as pb, DeliverableState as State};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::time::to_proto;

use super::{Participation, require};
use crate::disclosure;

impl Participation {
    /// What is wrong with the disclosure of a caption under the contract. Where none is agreed nothing is: what has to
    /// be disclosed, and how, differs from country to country.
    pub(super) fn disclosure_findings(&self, caption: &str, platform_label: bool) -> Vec<pb::DisclosureFinding> {
        let clause = self.0.review_rules.as_ref().and_then(|rules| rules.disclosure.as_ref());
        clause.map(|clause| disclosure::check(caption, platform_label, clause)).unwrap_or_default()
    }

    pub(super) fn submit_draft(
        &self,
        request: &pb::SubmitDraftRequest,
        context: &Context<'_>,
    ) -> Result<pb::DraftSubmitted, Refusal> {
        let deliverable = self.deliverable(&request.deliverable_id, context)?;
        require(
            deliverable,
            &[State::Owed, State::ChangesRequested],
            "a draft is handed in while content is OWED, or once CHANGES_REQUESTED",
            context,
        )?;
        let given = request.draft.clone().unwrap_or_default();
        let findings = self.disclosure_findings(&given.caption, given.platform_label);
        let draft = pb::Draft {
            number: last_number(deliverable) + 1,
            caption: given.caption,
            media_uri: given.media_uri,
            platform_label: given.platform_label,
            findings,
            submit_time: Some(to_proto(context.time)),
            ..Default::default()
        };
        let due = self.review_due(context.time).map_err(|error| {
            let message = format!("When the review is due can't be told: {error}.");
            Refusal::new(ErrorReason::TermsIncomplete, message)
        })?;
        Ok(pb::DraftSubmitted {
            deliverable_id: request.deliverable_id.clone(),
            draft: Some(draft),
            review_due_time: due.map(to_proto),
            contract: self.0.contract.clone(),
        })
    }

    pub(super) fn request_changes(
        &self,
        request: &pb::RequestChangesRequest,
        context: &Context<'_>,
    ) -> Result<pb::ChangesRequested, Refusal> {
        let deliverable = self.in_review(&request.deliverable_id, context)?;
        let review = self.0.review_rules.as_ref().and_then(|rules| rules.review.as_ref());
        let rounds = review.map(|clause| clause.revision_rounds);
        if let Some(rounds) = rounds.filter(|rounds| deliverable.revision_rounds_used >= *rounds) {
            let message = format!(
                "The fee includes {rounds} revision rounds a deliverable, and {} has used them up. Approve the draft, or \
                 agree on more rounds with the creator.",
                request.deliverable_id
            );
            return Err(Refusal::new(ErrorReason::RevisionRoundsExhausted, message));
        }
        Ok(pb::ChangesRequested {
            deliverable_id: request.deliverable_id.clone(),
            draft_number: last_number(deliverable),
            change_request: request.reason.clone(),
        })
    }

    pub(super) fn approve_draft(
        &self,
        request: &pb::ApproveDraftRequest,
        context: &Context<'_>,
    ) -> Result<pb::DraftApproved, Refusal> {
        let deliverable = self.in_review(&request.deliverable_id, context)?;
        let draft_number = last_number(deliverable);
        let findings = deliverable.drafts.last().map(|draft| &draft.findings[..]).unwrap_or_default();
        if !findings.is_empty() {
            let what = format!("Draft {draft_number} of {} can't be approved", request.deliverable_id);
            return Err(insufficient(&what, findings));
        }
        Ok(pb::DraftApproved {
            deliverable_id: request.deliverable_id.clone(),
            draft_number,
            approver: context.actor.to_owned(),
            deemed: false,
        })
    }

    /// The deliverable whose draft the brand is about to answer.
    fn in_review(&self, id: &str, context: &Context<'_>) -> Result<&pb::Deliverable, Refusal> {
        let deliverable = self.deliverable(id, context)?;
        if let Some(draft) = deliverable.drafts.last().filter(|draft| draft.deemed_approved) {
            let message = format!(
                "Draft {} of {id} of {} was not answered in its review window, and silence approves by the contract. Agree \
                 on changes with the creator.",
                draft.number, context.resource
            );
            return Err(Refusal::new(ErrorReason::StateForbids, message));
        }
        require(deliverable, &[State::InReview], "only a draft that is IN_REVIEW can be answered", context)?;
        Ok(deliverable)
    }

    /// The end of the last business day of the review window, by the public holidays of the law agreed on; none if no
    /// window is agreed.
    fn review_due(&self, submitted: Timestamp) -> Result<Option<Timestamp>, DateError> {
        let Some(rules) = &self.0.review_rules else { return Ok(None) };
        let Some(review) = &rules.review else { return Ok(None) };
        let zone = time_zone(&rules.time_zone)?;
        let days = u32::try_from(review.window_business_days).unwrap_or_default();
        // The window ends in the year after at the latest: it has 60 business days at most.
        let year = day_of(submitted, &zone).year();
        let holidays = rules.governing_law.as_ref().map_or_else(Vec::new, |law| {
            holidays::of(&law.country_code, &law.subdivision_code, year..=year.saturating_add(1))
        });
        let last = business_days_after(submitted, days, &zone, &holidays)?;
        end_of_day(last, &zone).map(Some)
    }
}

/// Refuses what would go online without sufficient disclosure, naming every finding.
pub(super) fn insufficient(what: &str, findings: &[pb::DisclosureFinding]) -> Refusal {
    let messages: Vec<_> = findings.iter().map(|finding| &finding.message[..]).collect();
    let rules = disclosure::rule_names(findings);
    Refusal::new(ErrorReason::DisclosureInsufficient, format!("{what}: {rules}. {}", messages.join(" ")))
}

fn last_number(deliverable: &pb::Deliverable) -> i32 {
    deliverable.drafts.last().map_or(0, |draft| draft.number)
}
