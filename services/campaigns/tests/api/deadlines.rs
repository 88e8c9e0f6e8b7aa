//! Deadlines: by the wall clock they pass by themselves, under a test clock when told.

use std::time::Duration;

use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::{ActOnDueRequest, ActOnDueResponse, ErrorReason};
use tandem_client::proto::contracts::v1 as contracts;
use tandem_client::proto::contracts::v1::clause::Clause;
use tandem_client::proto::google::r#type::Date;
use tandem_client::{Error, Service};
use tandem_proto::time::to_proto;
use tonic::Code;

use crate::contracts::signed;
use crate::world::{Api, MIRA, World, changes, draft, join, refused};

const GOOD: &str = "#ad My winter routine with @glowco";

/// Mira's contract `c1`, whose silence approves, by the law of the United States, with content due by the end of January
/// 2026.
fn put_contract(world: &World) {
    let mut contract = signed("c1", MIRA);
    let terms = contract.terms.as_mut().unwrap();
    for clause in &mut terms.clauses {
        match &mut clause.clause {
            Some(Clause::Review(review)) => review.silence_approves = true,
            Some(Clause::Deliverables(clause)) => {
                for deliverable in &mut clause.deliverables {
                    deliverable.due_date = Some(Date { year: 2026, month: 1, day: 31 });
                }
            }
            _ => {}
        }
    }
    let law = contracts::GoverningLawClause { country_code: "US".into(), subdivision_code: String::new() };
    let clause = Some(Clause::GoverningLaw(law));
    terms.clauses.push(contracts::Clause { clause_id: "law".into(), clause });
    world.contracts.put("acme", contract);
}

fn at(api: &Api, time: &str) -> Api {
    Api(api.0.at(time.parse().unwrap()))
}

async fn act(api: &Api, name: &str, time: &str) -> Result<ActOnDueResponse, Error> {
    let request = ActOnDueRequest { name: name.into(), ..Default::default() };
    Ok(at(api, time).0.timers(Service::Campaigns).act_on_due(request).await?.into_inner())
}

fn next(acted: bool, next: &str) -> ActOnDueResponse {
    ActOnDueResponse { acted, next_due_time: Some(to_proto(next.parse().unwrap())) }
}

#[tokio::test]
async fn a_review_window_is_told_under_the_test_clock() {
    let world = World::start().await;
    put_contract(&world);
    let brand = world.brand();
    let (thursday, mira) = (at(&brand, "2026-01-15T20:00:00Z"), at(&world.creator(MIRA), "2026-01-15T20:00:00Z"));
    thursday.joined().await;
    let submitted = mira.submit_draft(draft("reel-1", GOOD)).await.unwrap();
    mira.submit_draft(draft("reel-2", "My routine, no tag")).await.unwrap();
    // Five business days, one of which would have been Martin Luther King's birthday.
    let due = "2026-01-24T05:00:00Z";
    assert_eq!(submitted.deliverables[0].review_due_time, Some(to_proto(due.parse().unwrap())));

    let name = &submitted.name;
    assert_eq!(act(&brand, name, "2026-01-24T04:59:59Z").await.unwrap(), next(false, due));
    assert_eq!(act(&brand, name, due).await.unwrap(), next(true, "2026-02-01T05:00:00Z"));
    let approved = brand.participation(name).await.unwrap();
    let [first, second] = &approved.deliverables[..] else { panic!("{approved:?}") };
    assert_eq!((first.state(), first.drafts[0].deemed_approved), (pb::DeliverableState::Approved, true));
    // What is not disclosed is overdue instead.
    assert_eq!((second.state(), second.drafts[0].deemed_approved), (pb::DeliverableState::InReview, false));
    assert_eq!(second.drafts[0].review_overdue_time, Some(to_proto(due.parse().unwrap())));

    let late = at(&brand, "2026-01-25T12:00:00Z");
    let message =
        refused(late.request_changes(changes("reel-1")).await, Code::FailedPrecondition, ErrorReason::StateForbids);
    assert!(message.contains("silence approves"), "{message}");

    // The day of publication passes for both.
    let after = act(&brand, name, "2026-02-01T05:00:00Z").await.unwrap();
    assert_eq!(after, ActOnDueResponse { acted: true, next_due_time: None });
    let types: Vec<_> = (world.events("acme", "participation", "p1").await.into_iter())
        .map(|event| event.envelope.event_type.trim_start_matches("tandem.campaigns.v1.").to_owned())
        .collect();
    let expected = [
        "CampaignJoined",
        "DraftSubmitted",
        "DraftSubmitted",
        "DraftApproved",
        "ReviewOverdue",
        "PublicationOverdue",
        "PublicationOverdue",
    ];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn by_the_wall_clock_deadlines_pass_by_themselves_but_not_in_a_story() {
    let world = World::start().await;
    put_contract(&world);
    let brand = world.brand();
    at(&brand, "2026-01-15T20:00:00Z").joined().await;
    // The same contract, joined today: its days are over.
    let joined = brand.create_participation(join("p2", "c1", "MIRA20")).await.unwrap();
    let overdue = async {
        loop {
            let participation = brand.participation(&joined.name).await.unwrap();
            if participation.deliverables.iter().all(|deliverable| deliverable.publication_overdue_time.is_some()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), overdue).await.unwrap();
    let events = world.events("acme", "participation", "p2").await;
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].envelope.actor, "services/campaigns");
    assert_eq!(events[2].envelope.causation_id, events[0].envelope.id);
    assert_eq!(world.events("acme", "participation", "p1").await.len(), 1);
}
