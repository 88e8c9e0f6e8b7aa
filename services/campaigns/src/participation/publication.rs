//! Publication: approved content is online, and what comes of it.
//!
//! Invariant: content is published once; its figures only ever become newer.

use tandem_aggregate::{Context, Refusal};
use tandem_proto::campaigns::v1::{self as pb, DeliverableState as State};
use tandem_proto::time::{from_proto, to_proto};

use super::review::insufficient;
use super::{Participation, require};
use crate::fields::instant;

impl Participation {
    pub(super) fn record_publication(
        &self,
        request: &pb::RecordPublicationRequest,
        context: &Context<'_>,
    ) -> Result<pb::DeliverablePublished, Refusal> {
        let id = &request.deliverable_id;
        let deliverable = self.deliverable(id, context)?;
        require(deliverable, &[State::Approved], "only APPROVED content is published", context)?;
        let approved = deliverable.drafts.last().cloned().unwrap_or_default();

        let publish_time = match &request.publish_time {
            Some(time) => instant("publish_time", Some(time))?,
            None => context.time,
        };
        if publish_time > context.time {
            let description =
                "is in the future; record the publication when the content is online, without a time for now";
            return Err(Refusal::field("publish_time", description));
        }
        let submitted = approved.submit_time.as_ref().and_then(from_proto);
        if let Some(submitted) = submitted.filter(|submitted| publish_time < *submitted) {
            let description = format!(
                "is before the approved draft was handed in, at {submitted}; give when that content went online"
            );
            return Err(Refusal::field("publish_time", description));
        }

        let published_caption =
            if request.caption == approved.caption { String::new() } else { request.caption.clone() };
        if !published_caption.is_empty() {
            let findings = self.disclosure_findings(&published_caption, approved.platform_label);
            if !findings.is_empty() {
                let what = format!("The caption that {id} was published with has to be corrected online first");
                return Err(insufficient(&what, &findings));
            }
        }
        let others = self.0.deliverables.iter().filter(|other| other.deliverable_id != *id);
        let remaining = others.filter(|other| other.state() != State::Published).count();
        Ok(pb::DeliverablePublished {
            deliverable_id: id.clone(),
            published_uri: request.published_uri.clone(),
            publish_time: Some(to_proto(publish_time)),
            remaining_count: i32::try_from(remaining).unwrap_or(i32::MAX),
            contract: self.0.contract.clone(),
            contract_version: self.0.contract_version,
            published_caption,
        })
    }

    /// The figures as an event; none if they are not newer than those known.
    pub(super) fn record_performance(
        &self,
        request: &pb::RecordPerformanceRequest,
        context: &Context<'_>,
    ) -> Result<Option<pb::PerformanceRecorded>, Refusal> {
        let deliverable = self.deliverable(&request.deliverable_id, context)?;
        require(deliverable, &[State::Published], "only PUBLISHED content has figures", context)?;
        let given = request.performance.unwrap_or_default();
        let measured = instant("performance.measure_time", given.measure_time.as_ref())?;
        if measured > context.time {
            // It would make all figures until then look old.
            let description = "is in the future; give the instant that the figures are of";
            return Err(Refusal::field("performance.measure_time", description));
        }
        if let Some(known) = &deliverable.performance {
            let before = known.measure_time.as_ref().and_then(from_proto);
            if *known == given || before.is_some_and(|before| measured < before) {
                return Ok(None);
            }
        }
        let deliverable_id = request.deliverable_id.clone();
        Ok(Some(pb::PerformanceRecorded { deliverable_id, performance: Some(given) }))
    }
}
