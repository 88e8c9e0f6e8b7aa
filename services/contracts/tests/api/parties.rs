//! Who reaches which contracts: creators their own, tenants theirs.

use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tonic::Code;

use crate::fixtures::{CREATOR, terms, terms_for};
use crate::world::{Claims, World, create};

#[tokio::test]
async fn a_creator_reaches_their_own_contracts_only() {
    let world = World::start().await;
    let (brand, zoe, max) = (world.brand(), world.creator(), world.creator_named("creators/max"));
    let name = &brand.create("summer").await.name;
    let hash = brand.propose(name).await.unwrap().terms_hash;

    for answer in [
        max.get(name).await,
        max.propose(name).await,
        max.counter(name, terms_for(1)).await,
        // Not even that something is wrong with it.
        max.counter(name, pb::Terms { time_zone: "Mars".into(), ..terms() }).await,
        max.accept(name).await,
        max.decline(name).await,
        max.withdraw(name).await,
        max.sign(name, &hash).await,
        max.create_contract(create("mine")).await,
    ] {
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::PermissionDenied, Some(ErrorReason::NotAParty)), "{error}");
    }
    assert_eq!(zoe.get(name).await.unwrap().state(), State::Proposed);
    assert_eq!(zoe.names("", "").await, [name.as_str()]);
    assert_eq!(max.names("", "").await, [""; 0]);
    assert_eq!(max.names("creator = \"creators/zoe\"", "").await, [""; 0]);
}

#[tokio::test]
async fn nothing_crosses_tenants() {
    let world = World::start().await;
    let (ours, theirs) = (world.user("ada", "acme"), world.user("bob", "initech"));
    let contract = ours.create("summer").await;
    let name = &contract.name;
    ours.propose(name).await.unwrap();

    for answer in [theirs.get(name).await, theirs.propose(name).await, theirs.withdraw(name).await] {
        assert_eq!(answer.unwrap_err().reason(), Some(ErrorReason::ResourceNotFound));
    }
    // The same id is another contract there, and the position of one's own write is no key to it.
    let same = theirs.create("summer").await;
    assert_eq!((&same.name, same.state()), (name, State::Draft));
    assert_eq!(ours.get(name).await.unwrap().state(), State::Proposed);
    assert_eq!(theirs.names("state = PROPOSED", "").await, [""; 0]);
    assert_eq!(ours.names("", "").await, [name.as_str()]);
}

#[tokio::test]
async fn a_creator_of_the_same_name_in_another_tenant_is_another() {
    let world = World::start().await;
    let name = &world.brand().create("summer").await.name;
    let claims = Claims::new("users/portal", "initech").with_permissions(["contracts.*"]);
    let elsewhere = world.client(claims.with_creator(CREATOR));
    assert_eq!(elsewhere.get(name).await.unwrap_err().reason(), Some(ErrorReason::ResourceNotFound));
    assert_eq!(elsewhere.names("", "").await, [""; 0]);
}
