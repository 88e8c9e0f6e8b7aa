//! Joining: by facts of another service, and two aggregates at once.

use futures::future::join_all;
use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1::ContractState;
use tonic::Code;

use crate::contracts::{Asked, signed};
use crate::world::{MIRA, World, join, order, refused};

#[tokio::test]
async fn the_contract_is_asked_for_in_the_services_own_name() {
    let world = World::start().await;
    world.brand().launched("winter").await;
    let mut request = tonic::Request::new(join("p1", "c1", "MIRA15"));
    request.metadata_mut().insert("tandem-correlation-id", "spring-cleaning".parse().unwrap());
    world.brand().0.participations().create_participation(request).await.unwrap();
    let asked = Asked {
        actor: "services/campaigns".into(),
        tenant: "acme".into(),
        permissions: vec!["contracts.read".into()],
        correlation_id: "spring-cleaning".into(),
    };
    assert_eq!(world.contracts.asked(), [asked]);
    let joined = &world.events("acme", "participation", "p1").await[0].envelope;
    let assigned = &world.events("acme", "tracking_code", "MIRA15").await[0].envelope;
    assert_eq!((&joined.correlation_id[..], &assigned.correlation_id[..]), ("spring-cleaning", "spring-cleaning"));
}

#[tokio::test]
async fn a_code_that_fifty_race_for_goes_to_one() {
    let world = World::start().await;
    // One client, which reads after its own writes.
    let brand = world.brand();
    brand.launched("winter").await;
    let races = (0..50).map(|number| {
        let api = brand.clone();
        async move { api.create_participation(join(&format!("p{number}"), "c1", "MIRA15")).await }
    });
    let outcomes = join_all(races).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for outcome in lost {
        refused(outcome, Code::AlreadyExists, ErrorReason::TrackingCodeTaken);
    }
    // Who lost has not joined.
    let listed = brand.list_participations(pb::ListParticipationsRequest::default()).await.unwrap();
    assert_eq!(listed.participations, [won.into_iter().next().unwrap().unwrap()]);
    assert_eq!(world.events("acme", "tracking_code", "MIRA15").await.len(), 1);
}

#[tokio::test]
async fn fifty_join_with_codes_of_their_own() {
    let world = World::start().await;
    world.brand().launched("winter").await;
    let all = (0..50).map(|number| {
        let api = world.brand();
        async move { api.create_participation(join(&format!("p{number}"), "c1", &format!("CODE{number}"))).await }
    });
    for outcome in join_all(all).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_repeated_request_joins_once() {
    let world = World::start().await;
    world.brand().launched("winter").await;
    let repeats = (0..10).map(|_| {
        let api = world.brand();
        // No id is given: it follows from the request.
        async move {
            api.create_participation(pb::CreateParticipationRequest {
                participation_id: String::new(),
                ..join("p1", "c1", "MIRA15")
            })
            .await
        }
    });
    let outcomes: Vec<_> = join_all(repeats).await.into_iter().map(Result::unwrap).collect();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:#?}");
    let id = outcomes[0].name.strip_prefix("participations/").unwrap();
    assert_eq!(world.events("acme", "participation", id).await.len(), 1);
    assert_eq!(world.events("acme", "tracking_code", "MIRA15").await.len(), 1);
}

#[tokio::test]
async fn a_request_is_repeated_whatever_became_of_the_contract() {
    let world = World::start().await;
    let joined = world.brand().joined().await;
    let ended =
        tandem_client::proto::contracts::v1::Contract { state: ContractState::Withdrawn.into(), ..signed("c1", MIRA) };
    world.contracts.put("acme", ended);
    assert_eq!(world.brand().create_participation(join("p1", "c1", "MIRA15")).await.unwrap(), joined);
    assert_eq!(world.contracts.asked().len(), 1);
    // But not with another body, nor by another request.
    let other = world.brand().create_participation(join("p1", "c1", "OTHER")).await;
    refused(other, Code::InvalidArgument, ErrorReason::RequestIdReused);
    let other = pb::CreateParticipationRequest { request_id: "another".into(), ..join("p1", "c1", "MIRA15") };
    refused(world.brand().create_participation(other).await, Code::AlreadyExists, ErrorReason::ResourceExists);
}

#[tokio::test]
async fn without_the_contracts_service_nobody_joins_and_nothing_is_lost() {
    let world = World::start_without_contracts().await;
    world.brand().launched("winter").await;
    let error = world.brand().create_participation(join("p1", "c1", "MIRA15")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)),
        "{error}"
    );
    assert!(error.retry_delay().is_some());
    assert!(error.message().contains("contracts/c1"), "{error}");
    assert!(world.events("acme", "participation", "p1").await.is_empty());
    assert!(world.events("acme", "tracking_code", "MIRA15").await.is_empty());

    world.start_contracts().await;
    world.brand().create_participation(join("p1", "c1", "MIRA15")).await.unwrap();
}

#[tokio::test]
async fn what_stands_against_joining_is_told() {
    let world = World::start().await;
    let brand = world.brand();
    let nowhere = brand.create_participation(join("p1", "c1", "MIRA15")).await;
    let message = refused(nowhere, Code::NotFound, ErrorReason::ResourceNotFound);
    assert_eq!(message, "campaigns/winter does not exist.");
    brand.launched("winter").await;

    let missing = brand.create_participation(join("p1", "c9", "MIRA15")).await;
    assert_eq!(refused(missing, Code::NotFound, ErrorReason::ResourceNotFound), "contracts/c9 does not exist.");

    let mut open = signed("c3", MIRA);
    open.set_state(ContractState::Accepted);
    world.contracts.put("acme", open);
    let unsigned = brand.create_participation(join("p1", "c3", "MIRA15")).await;
    refused(unsigned, Code::FailedPrecondition, ErrorReason::ContractNotInForce);

    let mut foreign = signed("c4", MIRA);
    foreign.brand = "brands/other".into();
    world.contracts.put("acme", foreign);
    let foreign = brand.create_participation(join("p1", "c4", "MIRA15")).await;
    refused(foreign, Code::FailedPrecondition, ErrorReason::ContractNotInForce);

    let close = pb::CloseCampaignRequest { name: "campaigns/winter".into(), ..Default::default() };
    brand.close_campaign(close).await.unwrap();
    let closed = brand.create_participation(join("p1", "c1", "MIRA15")).await;
    refused(closed, Code::FailedPrecondition, ErrorReason::StateForbids);
    assert!(world.events("acme", "tracking_code", "MIRA15").await.is_empty());
}

#[tokio::test]
async fn tenants_do_not_meet() {
    let world = World::start().await;
    let (acme, rival) = (world.brand(), world.user("bob", "rival"));
    let joined = acme.joined().await;
    refused(rival.participation(&joined.name).await, Code::NotFound, ErrorReason::ResourceNotFound);
    refused(rival.record_order(order("1", "MIRA15")).await, Code::NotFound, ErrorReason::TrackingCodeUnknown);
    // The contract is in the other tenant.
    rival.launched("winter").await;
    let by_contract_of_acme = rival.create_participation(join("p1", "c1", "MIRA15")).await;
    refused(by_contract_of_acme, Code::NotFound, ErrorReason::ResourceNotFound);

    // The same names are other things there.
    world.contracts.put("rival", signed("c1", MIRA));
    rival.create_participation(join("p1", "c1", "MIRA15")).await.unwrap();
    let sold = acme.record_order(order("1", "MIRA15")).await.unwrap();
    let other = pb::RecordOrderRequest { net_amount: crate::world::usd(7), ..order("1", "MIRA15") };
    assert_eq!(rival.record_order(other).await.unwrap().name, sold.name);
    let get = pb::GetConversionRequest { name: sold.name.clone() };
    assert_eq!(acme.get_conversion(get).await.unwrap(), sold);
    for api in [acme, rival] {
        let listed = api.list_conversions(pb::ListConversionsRequest::default()).await.unwrap();
        assert_eq!(listed.total_size, 1);
    }
}
