//! Requests that come again: their reply was lost, or their sender died and began anew.

use std::time::Duration;

use async_nats::jetstream;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tonic::Code;

use crate::fixtures::terms_for;
use crate::world::{World, create};

fn propose(name: &str, request_id: &str) -> pb::ProposeContractRequest {
    pb::ProposeContractRequest { name: name.into(), request_id: request_id.into(), ..Default::default() }
}

#[tokio::test]
async fn a_creation_without_an_id_is_one_contract() {
    let world = World::start().await;
    let brand = world.brand();
    let request = pb::CreateContractRequest { request_id: "r1".into(), ..create("") };
    let first = brand.create_contract(request.clone()).await.unwrap();
    assert_eq!(brand.create_contract(request.clone()).await.unwrap(), first);
    let other = pb::CreateContractRequest { request_id: "r2".into(), ..request.clone() };
    assert_ne!(brand.create_contract(other).await.unwrap().name, first.name);
    // The id is not the same elsewhere, so that it tells nothing.
    let elsewhere = world.user("bob", "initech").create_contract(request).await.unwrap();
    assert_ne!(elsewhere.name, first.name);
    assert_eq!(brand.names("", "").await.len(), 2);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time() {
    let mut world = World::start().await;
    let name = world.brand().create("summer").await.name;
    let first = world.brand().propose_contract(propose(&name, "r1")).await.unwrap();
    let countered = world.creator().counter(&name, terms_for(5000)).await.unwrap();

    // However late, and whatever has happened since, here and to the process.
    assert_eq!(world.brand().propose_contract(propose(&name, "r1")).await.unwrap(), first);
    world.restart().await;
    assert_eq!(world.brand().propose_contract(propose(&name, "r1")).await.unwrap(), first);
    assert_eq!(world.brand().get(&name).await.unwrap(), countered);
}

/// The server forgets after two minutes which messages it has taken, here at once: nothing relies on its memory.
#[tokio::test]
async fn a_request_is_known_when_the_server_has_forgotten_it() {
    const WINDOW: Duration = Duration::from_millis(100);
    let mut world = World::start().await;
    let context = jetstream::new(async_nats::connect(&world.nats_url).await.unwrap());
    let mut config = context.get_stream("tandem").await.unwrap().cached_info().config.clone();
    config.duplicate_window = WINDOW;
    context.update_stream(config).await.unwrap();
    let create = pb::CreateContractRequest { request_id: "r0".into(), ..create("summer") };
    let created = world.brand().create_contract(create.clone()).await.unwrap();
    let proposed = world.brand().propose_contract(propose(&created.name, "r1")).await.unwrap();
    tokio::time::sleep(WINDOW * 3).await;
    world.nats.as_mut().unwrap().restart().await.unwrap();
    world.restart().await;

    let context = jetstream::new(async_nats::connect(&world.nats_url).await.unwrap());
    let end = async || context.get_stream("tandem").await.unwrap().cached_info().state.last_sequence;
    let before = end().await;
    assert_eq!(world.brand().create_contract(create).await.unwrap(), created);
    assert_eq!(world.brand().propose_contract(propose(&created.name, "r1")).await.unwrap(), proposed);
    let expire_time = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    let other = pb::ProposeContractRequest { expire_time, ..propose(&created.name, "r1") };
    let error = world.brand().propose_contract(other).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)));
    assert_eq!(end().await, before, "nothing was appended");
}

#[tokio::test]
async fn a_request_id_is_for_one_request() {
    let world = World::start().await;
    let brand = world.brand();
    let name = brand.create_contract(pb::CreateContractRequest { request_id: "r1".into(), ..create("summer") });
    let name = name.await.unwrap().name;

    let mut other = pb::CreateContractRequest { request_id: "r1".into(), ..create("summer") };
    other.contract.as_mut().unwrap().title = "Winter".into();
    for answer in [brand.create_contract(other).await, brand.propose_contract(propose(&name, "r1")).await] {
        let error = answer.unwrap_err();
        let told = (error.code(), error.reason());
        assert_eq!(told, (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)), "{error}");
    }
    assert_eq!(brand.get(&name).await.unwrap().state(), State::Draft);
}

#[tokio::test]
async fn a_repeated_signature_is_one_signature() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = brand.create("summer").await.name;
    brand.propose(&name).await.unwrap();
    let hash = creator.accept(&name).await.unwrap().terms_hash;
    let sign = pb::SignContractRequest { request_id: "r1".into(), ..crate::world::sign(&name, &hash) };
    // All at once: retries of a client that lost patience.
    let answers = futures::future::join_all((0..8).map(|_| creator.sign_contract(sign.clone()))).await;
    let first = answers[0].as_ref().unwrap();
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap(), first);
    }
    assert_eq!(creator.get(&name).await.unwrap(), *first);
    assert_eq!(first.signatures.len(), 1);
}

#[tokio::test]
async fn a_request_outlives_an_outage_of_the_log() {
    let mut world = World::start().await;
    let brand = world.brand();
    let name = brand.create("summer").await.name;

    let mut nats = world.nats.take().unwrap();
    nats.kill().await.unwrap();
    // The client repeats it until the log is back.
    let (proposed, ()) = tokio::join!(brand.propose(&name), async { nats.restart().await.unwrap() });
    assert_eq!(proposed.unwrap().round, 1);
    assert_eq!(brand.get(&name).await.unwrap().rounds.len(), 1);
}
