//! Rules of participations, given events. Here is what they are given.

mod join;
mod publication;
mod review;
mod schedule;

use tandem_aggregate::testing::{Given, given};
use tandem_proto::contracts::v1 as contracts;
use tandem_proto::contracts::v1::clause::Clause;
use tandem_proto::google::r#type::Date;

use super::*;

/// A Thursday afternoon in New York.
const SUBMITTED: &str = "2026-01-15T20:00:00Z";

fn day(month: i32, day: i32) -> Option<Date> {
    Some(Date { year: 2026, month, day })
}

fn campaign() -> pb::Campaign {
    pb::Campaign {
        name: "campaigns/winter".into(),
        brand: "brands/glowco".into(),
        state: pb::CampaignState::Launched.into(),
        ..Default::default()
    }
}

fn deliverable(id: &str) -> contracts::DeliverableTerm {
    contracts::DeliverableTerm {
        deliverable_id: id.into(),
        content_type: contracts::ContentType::ShortVideo.into(),
        channel: "tiktok".into(),
        due_date: day(2, 1),
        live_days: 30,
        ..Default::default()
    }
}

fn terms() -> contracts::Terms {
    let clauses = [
        Clause::Deliverables(contracts::DeliverablesClause {
            deliverables: vec![deliverable("reel-1"), deliverable("reel-2")],
            ..Default::default()
        }),
        Clause::Review(contracts::ReviewClause {
            window_business_days: 5,
            silence_approves: false,
            revision_rounds: 1,
        }),
        Clause::Disclosure(contracts::DisclosureClause {
            platform_label_required: true,
            accepted_tags: vec!["#ad".into()],
            brand_tag: "@glowco".into(),
        }),
    ];
    contracts::Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        clauses: clauses
            .into_iter()
            .map(|clause| contracts::Clause { clause_id: "clause".into(), clause: Some(clause) })
            .collect(),
        ..Default::default()
    }
}

fn contract() -> contracts::Contract {
    contracts::Contract {
        name: "contracts/c1".into(),
        brand: "brands/glowco".into(),
        creator: "creators/mira".into(),
        state: contracts::ContractState::Active.into(),
        terms: Some(terms()),
        round: 3,
        ..Default::default()
    }
}

fn join() -> Join {
    Join { campaign: campaign(), contract: contract(), tracking_code: "MIRA15".into() }
}

fn command(join: Join) -> Command {
    Command::Join(Box::new(join))
}

/// After joining by terms with a difference.
fn joined_with(change: impl FnOnce(&mut contracts::Terms)) -> Given<Participation> {
    let mut join = join();
    change(join.contract.terms.as_mut().unwrap());
    given::<Participation>([]).when(command(join)).happens()
}

/// After joining; two deliverables are owed.
fn joined() -> Given<Participation> {
    given::<Participation>([]).when(command(join())).happens()
}

fn submit(caption: &str) -> Command {
    Command::SubmitDraft(pb::SubmitDraftRequest {
        deliverable_id: "reel-1".into(),
        draft: Some(pb::Draft {
            caption: caption.into(),
            media_uri: "https://media.example/1".into(),
            platform_label: true,
            ..Default::default()
        }),
        ..Default::default()
    })
}

const GOOD: &str = "#ad My winter routine with @glowco";

fn request_changes() -> Command {
    Command::RequestChanges(pb::RequestChangesRequest {
        deliverable_id: "reel-1".into(),
        reason: "Show the label".into(),
        ..Default::default()
    })
}

fn approve() -> Command {
    Command::ApproveDraft(pb::ApproveDraftRequest { deliverable_id: "reel-1".into(), ..Default::default() })
}

fn publish() -> pb::RecordPublicationRequest {
    pb::RecordPublicationRequest {
        deliverable_id: "reel-1".into(),
        published_uri: "https://tiktok.example/1".into(),
        ..Default::default()
    }
}

/// With a draft of `reel-1` in review.
fn in_review() -> Given<Participation> {
    joined().at(SUBMITTED).when(submit(GOOD)).happens()
}

/// With `reel-1` approved.
fn approved() -> Given<Participation> {
    in_review().when(approve()).happens()
}

/// With `reel-1` online.
fn published() -> Given<Participation> {
    approved().when(Command::RecordPublication(publish())).happens()
}
