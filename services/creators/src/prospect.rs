//! The prospect: one brand's way with one creator before a contract, from the shortlist to an interested reply.
//!
//! Invariant: nobody is approached without a reviewer's approval, and nobody is approved over a blocking finding.

#[cfg(test)]
mod tests;

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1 as pb;
use tandem_proto::creators::v1::prospect_event::Event;
use tandem_proto::creators::v1::{Finding, FindingKind, FindingSeverity, ProspectState, ReplyOutcome};
use tandem_proto::time;
use tandem_service::Resource;
use tandem_views::Column;

use crate::creator::Creator;

/// What was found of any creator before they are approved.
const REQUIRED: [FindingKind; 2] = [FindingKind::Audience, FindingKind::Fraud];

/// A creator considered by a brand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prospect(pub(crate) pb::Prospect);

/// What can be asked of a prospect.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Consider a creator, who exists.
    Shortlist {
        /// "brands/{brand}".
        brand: String,
        /// As they are now.
        creator: Box<Creator>,
    },
    /// Take in what vetting found.
    RecordFinding(Finding),
    /// The actor approves.
    Approve,
    /// The actor rejects.
    Reject,
    /// A message went out.
    SendOutreach {
        /// Which one.
        template: String,
        /// Through what.
        medium: String,
    },
    /// The creator answered.
    RecordReply(ReplyOutcome),
}

impl Prospect {
    fn state_name(&self) -> &'static str {
        self.0.state().as_str_name().trim_start_matches("PROSPECT_STATE_")
    }

    fn forbidden(&self, context: &Context<'_>, what_holds: &str) -> Refusal {
        let message = format!("{} is {}; {what_holds}", context.resource, self.state_name());
        Refusal::new(ErrorReason::StateForbids, message)
    }

    /// The finding of a kind that counts: the newest.
    fn finding(&self, kind: FindingKind) -> Option<&Finding> {
        self.0.findings.iter().rev().find(|finding| finding.kind() == kind)
    }

    fn require_none_blocking(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let kinds = [FindingKind::Audience, FindingKind::Fraud, FindingKind::BrandSafety];
        let blocks =
            |kind: &FindingKind| self.finding(*kind).is_some_and(|it| it.severity() == FindingSeverity::Blocking);
        let blocking: Vec<_> = kinds.into_iter().filter(blocks).map(kind_name).collect();
        if blocking.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} has a blocking finding ({}). Reject it, or record a newer finding of that kind that does not block.",
            context.resource,
            blocking.join(", ")
        );
        Err(Refusal::new(ErrorReason::FindingBlocks, message))
    }

    fn shortlist(&self, brand: &str, creator: &Creator) -> Result<Vec<Event>, Refusal> {
        if self.0.state() != ProspectState::Unspecified {
            return Ok(Vec::new());
        }
        creator.require_active(&creator.0.name)?;
        Ok(vec![Event::Shortlisted(pb::ProspectShortlisted {
            brand: brand.to_owned(),
            creator: creator.0.name.clone(),
            tier: creator.0.tier,
            follower_count: creator.0.follower_count,
        })])
    }

    fn approve(&self, context: &Context<'_>) -> Result<Event, Refusal> {
        if self.0.state() != ProspectState::Shortlisted {
            return Err(self.forbidden(context, "only a prospect that is SHORTLISTED can be approved."));
        }
        self.require_none_blocking(context)?;
        let missing: Vec<_> =
            REQUIRED.into_iter().filter(|kind| self.finding(*kind).is_none()).map(kind_name).collect();
        if !missing.is_empty() {
            let lacks = format!("it has no finding on {} yet. Record it before the approval.", missing.join(" and "));
            return Err(self.forbidden(context, &lacks));
        }
        Ok(Event::Approved(pb::ProspectApproved { reviewer: context.actor.to_owned() }))
    }

    fn send_outreach(&self, context: &Context<'_>, template: &str, medium: &str) -> Result<Event, Refusal> {
        match self.0.state() {
            ProspectState::Approved | ProspectState::Contacted | ProspectState::Declined => {}
            ProspectState::Interested => {
                return Err(self.forbidden(context, "the creator has said so already. Go on with a contract."));
            }
            _ => return Err(self.forbidden(context, "only a prospect that was approved can be approached.")),
        }
        self.require_none_blocking(context)?;
        Ok(Event::OutreachSent(pb::OutreachSent { template: template.to_owned(), medium: medium.to_owned() }))
    }

    fn record_reply(&self, context: &Context<'_>, outcome: ReplyOutcome) -> Result<Event, Refusal> {
        match self.0.state() {
            ProspectState::Contacted | ProspectState::Interested | ProspectState::Declined => {
                Ok(Event::ReplyReceived(pb::ReplyReceived { outcome: outcome.into() }))
            }
            _ => Err(self.forbidden(context, "only to an outreach there can be a reply. Record the outreach first.")),
        }
    }
}

impl Aggregate for Prospect {
    const KIND: Kind = Kind { context: "creators", aggregate: "prospect" };
    const COLLECTION: &'static str = "prospects";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        if let Command::Shortlist { brand, creator } = command {
            return self.shortlist(brand, creator);
        }
        match self.0.state() {
            ProspectState::Unspecified => return Err(Refusal::not_found(context)),
            ProspectState::Rejected => return Err(self.forbidden(context, "a rejection is final.")),
            _ => {}
        }
        Ok(vec![match command {
            Command::Shortlist { .. } => return Ok(Vec::new()),
            Command::RecordFinding(finding) => Event::FindingRecorded(pb::FindingRecorded {
                finding: Some(Finding {
                    recorder: context.actor.to_owned(),
                    record_time: Some(time::to_proto(context.time)),
                    ..finding.clone()
                }),
            }),
            Command::Approve => self.approve(context)?,
            Command::Reject => Event::Rejected(pb::ProspectRejected { reviewer: context.actor.to_owned() }),
            Command::SendOutreach { template, medium } => self.send_outreach(context, template, medium)?,
            Command::RecordReply(outcome) => self.record_reply(context, *outcome)?,
        }])
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let now = Some(time::to_proto(envelope.time));
        let prospect = &mut self.0;
        match event {
            Event::Shortlisted(pb::ProspectShortlisted { brand, creator, .. }) => {
                prospect.name.clone_from(&envelope.resource);
                prospect.brand.clone_from(brand);
                prospect.creator.clone_from(creator);
                prospect.create_time = now;
                prospect.set_state(ProspectState::Shortlisted);
            }
            Event::FindingRecorded(pb::FindingRecorded { finding }) => prospect.findings.extend(finding.clone()),
            Event::Approved(pb::ProspectApproved { reviewer }) => {
                prospect.set_state(ProspectState::Approved);
                prospect.reviewer.clone_from(reviewer);
                prospect.review_time = now;
            }
            Event::Rejected(pb::ProspectRejected { reviewer }) => {
                prospect.set_state(ProspectState::Rejected);
                prospect.reviewer.clone_from(reviewer);
                prospect.review_time = now;
            }
            Event::OutreachSent(_) => {
                prospect.set_state(ProspectState::Contacted);
                prospect.outreach_count += 1;
                prospect.outreach_time = now;
            }
            Event::ReplyReceived(reply) => {
                prospect.set_state(match reply.outcome() {
                    ReplyOutcome::Interested => ProspectState::Interested,
                    _ => ProspectState::Declined,
                });
                prospect.reply_time = now;
            }
        }
        prospect.update_time = now;
    }

    fn partnership(&self, _: &Event) -> String {
        let id = |name: &str| name.rsplit_once('/').map(|(_, id)| id.to_owned()).unwrap_or_default();
        format!("partnerships/{}~{}", id(&self.0.brand), id(&self.0.creator))
    }
}

impl Resource for Prospect {
    const VIEW: &'static str = "prospects";
    const VERSION: i32 = 1;
    type Message = pb::Prospect;

    fn columns() -> Vec<Column<pb::Prospect>> {
        vec![
            Column::text("name", |prospect: &pb::Prospect| prospect.name.clone()),
            Column::text("brand", |prospect: &pb::Prospect| prospect.brand.clone()).indexed(),
            Column::text("creator", |prospect: &pb::Prospect| prospect.creator.clone()).indexed(),
            Column::enumeration("state", "tandem.creators.v1.ProspectState", |prospect: &pb::Prospect| prospect.state),
            Column::time("create_time", |prospect: &pb::Prospect| prospect.create_time),
            Column::time("update_time", |prospect: &pb::Prospect| prospect.update_time),
        ]
    }

    fn from_message(message: pb::Prospect) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Prospect {
        pb::Prospect { etag, ..self.0 }
    }
}

fn kind_name(kind: FindingKind) -> &'static str {
    kind.as_str_name().trim_start_matches("FINDING_KIND_")
}
