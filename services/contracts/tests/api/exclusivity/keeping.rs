//! What becomes of a signed contract makes room for others, or is on record.

use futures::StreamExt as _;
use prost::Message as _;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::clause::Clause as Kind;
use tandem_eventlog::{EventLog as _, Filter, JetStreamLog, JetStreamOptions, Kind as Aggregate, RecordedEvent};

use super::{RIVAL, against, agreed, assert_conflict, contract, signed};
use crate::fixtures::{CREATOR, changeable_terms, date};
use crate::world::{Api, World};

/// The first `count` events of the tenant's books, as soon as they are there.
async fn books(world: &World, count: usize) -> Vec<RecordedEvent> {
    let nats = async_nats::connect(&world.nats_url).await.unwrap();
    let log = JetStreamLog::open(nats, JetStreamOptions::default()).await.unwrap();
    let kinds = vec![Aggregate { context: "contracts", aggregate: "exclusivity" }];
    let filter = Filter { kinds, tenant: Some("acme".into()) };
    let events = log.follow(&filter, 0).await.unwrap();
    events.filter_map(async |followed| followed.ok().map(|followed| followed.event)).take(count).collect().await
}

/// Terms for fashion rather than skin care.
fn for_fashion(mut terms: pb::Terms) -> pb::Terms {
    for clause in &mut terms.clauses {
        if let Some(Kind::Exclusivity(clause)) = &mut clause.clause {
            clause.categories = vec!["fashion".into()];
        }
    }
    terms
}

#[tokio::test]
async fn an_early_end_makes_room_for_others() {
    let world = World::start().await;
    let first = world.signed("first", changeable_terms()).await;
    // From the day on which the window of the other will be over.
    let mut request = contract("second", RIVAL, CREATOR);
    let terms = request.contract.as_mut().unwrap().terms.as_mut().unwrap();
    (terms.start_date, terms.end_date) = (date(2026, 7, 30), date(2026, 8, 31));
    for clause in &mut terms.clauses {
        if let Some(Kind::Deliverables(clause)) = &mut clause.clause {
            clause.deliverables[0].due_date = date(2026, 8, 1);
        }
    }
    let at = |api: Api| api.at("2026-06-15T12:00:00Z");
    let second = agreed(&at(world.brand()), &at(world.creator()), request).await;
    assert_conflict(at(world.brand()).sign(&second.name, &second.terms_hash).await, "contracts/first");

    // The creator gives notice: it ends with the 29th of June, and its exclusivity 30 days later.
    let request = pb::TerminateContractRequest {
        name: first.name.clone(),
        kind: pb::TerminationKind::Convenience.into(),
        reason: "Plans have changed.".into(),
        progress: pb::WorkProgress::Signed.into(),
        ..Default::default()
    };
    at(world.creator()).terminate_contract(request).await.unwrap();
    let events = books(&world, 2).await;
    let released = pb::ExclusivityReleased::decode(&events[1].payload[..]).unwrap();
    assert_eq!((&released.contract, released.end_date), (&first.name, date(2026, 7, 29)));
    assert_eq!(released.commitment.unwrap().end_date, date(2026, 6, 29));
    assert_eq!(events[1].envelope.actor, "services/contracts");
    at(world.brand()).sign(&second.name, &second.terms_hash).await.unwrap();
    at(world.creator()).sign(&second.name, &second.terms_hash).await.unwrap();
}

#[tokio::test]
async fn an_amendment_into_a_conflict_is_on_record() {
    let world = World::start().await;
    let first = world.signed("first", for_fashion(changeable_terms())).await;
    let second = signed(&world, "second", RIVAL).await;
    assert_eq!(second.exclusivity_override, None);
    let (brand, creator) = (world.brand().at("2026-06-15T12:00:00Z"), world.creator().at("2026-06-15T12:00:00Z"));
    let proposal = pb::ProposeAmendmentRequest {
        name: first.name.clone(),
        terms: Some(changeable_terms()),
        effective_date: date(2026, 7, 1),
        reason: "Another product.".into(),
        ..Default::default()
    };
    let amendment = brand.propose_amendment(proposal).await.unwrap().amendments.remove(0);
    let acceptance = pb::AcceptAmendmentRequest {
        name: first.name.clone(),
        number: amendment.number,
        terms_hash: amendment.terms_hash,
        ..Default::default()
    };
    creator.accept_amendment(acceptance).await.unwrap();
    let events = books(&world, 3).await;
    let reserved = pb::ExclusivityReserved::decode(&events[2].payload[..]).unwrap();
    assert_eq!(reserved.overridden_contracts, ["contracts/second"]);
    let windows: Vec<_> = (reserved.commitment.unwrap().windows.into_iter())
        .map(|window| (window.categories.concat(), window.start_date, window.end_date))
        .collect();
    assert_eq!(
        windows,
        [("fashion".to_owned(), date(2026, 6, 1), date(2026, 6, 30)), ("skin-care".to_owned(), date(2026, 7, 1), None),]
    );
    assert_eq!(against(&brand, &second.name).await, [first.name]);
}
