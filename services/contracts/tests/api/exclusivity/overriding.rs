//! Signed in spite of a conflict, and again.

use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tonic::Code;

use super::{RIVAL, against, agreed, assert_conflict, contract, signed};
use crate::fixtures::{BRAND, CREATOR};
use crate::world::{Claims, World, sign};

fn sign_in_spite(contract: &pb::Contract) -> pb::SignContractRequest {
    let reason = "The rival has agreed by letter.".to_owned();
    pb::SignContractRequest { exclusivity_override_reason: reason, ..sign(&contract.name, &contract.terms_hash) }
}

#[tokio::test]
async fn who_may_override_signs_in_spite_of_it_and_the_contract_says_so() {
    let mut world = World::start().await;
    signed(&world, "first", BRAND).await;
    let second = agreed(&world.brand(), &world.creator(), contract("second", RIVAL, CREATOR)).await;

    let may = ["contracts.read", "contracts.sign"];
    let clerk = world.client(Claims::new("users/ida", "acme").with_permissions(may));
    let refused = clerk.sign_contract(sign_in_spite(&second)).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::PermissionDenied, Some(ErrorReason::PermissionMissing)));
    assert!(refused.message().contains("contracts.override"), "{refused}");

    let one = world.brand().sign_contract(sign_in_spite(&second)).await.unwrap();
    let decided = pb::ExclusivityOverride {
        contracts: vec!["contracts/first".into()],
        reason: "The rival has agreed by letter.".into(),
        decided_by: "users/ada".into(),
    };
    assert_eq!(one.exclusivity_override, Some(decided.clone()));
    // What was decided with the first signature holds for the second, by whoever has no say in it.
    let claims = Claims::new("users/portal", "acme").with_permissions(may).with_creator(CREATOR);
    let both = world.client(claims).sign(&second.name, &second.terms_hash).await.unwrap();
    assert_ne!(both.state(), State::Accepted);
    assert_eq!((both.signatures.len(), both.exclusivity_override), (2, Some(decided)));

    // A third one conflicts with both, also after a restart.
    world.restart().await;
    let third = agreed(&world.brand(), &world.creator(), contract("third", "brands/third", CREATOR)).await;
    let mut found = against(&world.brand(), &third.name).await;
    found.dedup();
    assert_eq!(found, ["contracts/first", "contracts/second"]);
}

#[tokio::test]
async fn an_override_covers_what_it_named_and_nothing_later() {
    let world = World::start().await;
    signed(&world, "first", BRAND).await;
    let second = agreed(&world.brand(), &world.creator(), contract("second", RIVAL, CREATOR)).await;
    let third = agreed(&world.brand(), &world.creator(), contract("third", "brands/third", CREATOR)).await;
    for contract in [&second, &third] {
        world.brand().sign_contract(sign_in_spite(contract)).await.unwrap();
    }
    world.creator().sign(&second.name, &second.terms_hash).await.unwrap();
    let refused = world.creator().sign(&third.name, &third.terms_hash).await;
    assert_conflict(refused, "contracts/first,contracts/second");
}

#[tokio::test]
async fn a_repeated_signature_is_answered_as_the_first_time() {
    let mut world = World::start().await;
    let first = agreed(&world.brand(), &world.creator(), contract("first", BRAND, CREATOR)).await;
    let request = |id: &str| pb::SignContractRequest { request_id: id.into(), ..sign(&first.name, &first.terms_hash) };
    let one = world.brand().sign_contract(request("r1")).await.unwrap();
    let both = world.creator().sign_contract(request("r2")).await.unwrap();
    // Another conflicts with it by now, and is signed in spite of it.
    let second = agreed(&world.brand(), &world.creator(), contract("second", RIVAL, CREATOR)).await;
    world.brand().sign_contract(sign_in_spite(&second)).await.unwrap();
    world.creator().sign(&second.name, &second.terms_hash).await.unwrap();
    assert_eq!(world.brand().sign_contract(request("r1")).await.unwrap(), one);
    assert_eq!(world.creator().sign_contract(request("r2")).await.unwrap(), both);
    world.restart().await;
    assert_eq!(world.creator().sign_contract(request("r2")).await.unwrap(), both);
    assert_eq!(against(&world.brand(), &first.name).await, ["contracts/second"]);
}
