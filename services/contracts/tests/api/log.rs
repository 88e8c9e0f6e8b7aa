//! What other services find in the log.

use prost::Message as _;
use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::Party;
use tandem_eventlog::{EventLog as _, JetStreamLog, JetStreamOptions, Kind, RecordedEvent, Subject};

use crate::fixtures::{BRAND, CREATOR, terms_for, usd};
use crate::world::{World, document};

async fn events(world: &World, id: &str) -> Vec<RecordedEvent> {
    let nats = async_nats::connect(&world.nats_url).await.unwrap();
    let log = JetStreamLog::open(nats, JetStreamOptions::default()).await.unwrap();
    let kind = Kind { context: "contracts", aggregate: "contract" };
    log.read(&Subject::new("acme", kind, id).unwrap(), 0).await.unwrap()
}

#[tokio::test]
async fn each_decision_is_one_event_by_its_party() -> Result<(), Error> {
    let world = World::start().await;
    let at = "2026-05-02T10:00:00Z";
    let (brand, creator) = (world.brand().at(at), world.creator().at(at));
    let name = &brand.create("summer").await.name;
    brand.propose(name).await?;
    creator.counter(name, terms_for(5000)).await?;
    let hash = brand.accept(name).await?.terms_hash;
    brand.sign(name, &hash).await?;
    creator.sign(name, &hash).await?;

    let events = events(&world, "summer").await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let envelope = &event.envelope;
            assert_eq!((&envelope.resource, &envelope.partnership[..]), (name, "partnerships/glowco~zoe"));
            (envelope.event_type.trim_start_matches("tandem.contracts.v1."), &envelope.actor[..])
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ContractDrafted", "users/ada"),
            ("ContractProposed", "users/ada"),
            ("ContractCountered", CREATOR),
            ("ContractAccepted", "users/ada"),
            ("SignatureAdded", "users/ada"),
            ("ContractSigned", CREATOR),
        ]
    );

    let signed = pb::ContractSigned::decode(&events[5].payload[..]).unwrap();
    assert_eq!((&signed.brand[..], &signed.creator[..], signed.version), (BRAND, CREATOR, 2));
    assert_eq!(signed.committed_amount, usd(5000));
    let signature = signed.signature.unwrap();
    assert_eq!((signature.party(), &signature.signer[..], &signature.terms_hash), (Party::Creator, CREATOR, &hash));
    Ok(())
}

/// One write, so that nobody reads a contract that is late by half.
#[tokio::test]
async fn what_was_due_is_told_before_what_was_done() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", terms_for(5000)).await.name;
    let document = Some(document('a'));
    let request = pb::AttachDocumentRequest { name, document, request_id: "r1".into(), ..Default::default() };
    world.brand().at("2026-10-01T12:00:00Z").attach_document(request).await?;

    let told = events(&world, "summer").await.split_off(5);
    let types = told.iter().map(|event| event.envelope.event_type.trim_start_matches("tandem.contracts.v1."));
    let types: Vec<_> = types.collect();
    assert_eq!(types, ["ContractStarted", "ContractRenewed", "DeadlineWarned", "DocumentAttached"]);
    assert!(told.iter().all(|event| event.envelope.request_id == "r1"));
    let positions: Vec<_> = told.iter().map(|event| event.position - told[0].position).collect();
    assert_eq!(positions, [0, 1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn what_is_refused_or_only_tried_leaves_nothing() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let tried = pb::CreateContractRequest { validate_only: true, ..crate::world::create("summer") };
    brand.create_contract(tried).await.unwrap();
    assert_eq!(events(&world, "summer").await, []);

    let name = &brand.create("summer").await.name;
    creator.accept(name).await.unwrap_err();
    creator.propose(name).await.unwrap_err();
    assert_eq!(events(&world, "summer").await.len(), 1);
}
