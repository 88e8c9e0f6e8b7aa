//! What operations sees of a signature: one trace over all services and processes, and measurements; and that nothing
//! depends on anybody looking.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use tandem_cli::platform::{Options, Platform, beside_this_program};
use tandem_client::{ClientBuilder, Service};
use tandem_demo::{Faults, Person, World, draft};
use tandem_proto::contracts::v1::{
    AcceptContractRequest, Contract, CreateContractRequest, ListContractsRequest, ProposeContractRequest,
    SignContractRequest, SignatureMethod,
};
use tandem_proto::payouts::v1::{Earning, ListEarningsRequest};
use tandem_proto::relationships::v1::{ListAuditEntriesRequest, ListPartnershipsRequest};
use tandem_service::testing::Collector;
use tonic::Request;

const CREATOR: &str = "creators/c1";
const PARTNERSHIP: &str = "partnerships/glowco~c1";

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The span of the client that signs.
const CLIENT: &str = "00f067aa0ba902b7";

async fn start(data: &Path, otlp_endpoint: &str) -> Platform {
    let creators = beside_this_program("tandem-creators").unwrap();
    let options = Options { otlp_endpoint: Some(otlp_endpoint.to_owned()), ..Options::ephemeral(data) };
    Platform::start_processes(options, creators.parent().unwrap()).await.unwrap()
}

/// The creator accepts what Maria offers; both sign. Answers what the signature has earned.
async fn agree(client: ClientBuilder) -> anyhow::Result<Vec<Earning>> {
    let mut world = World::new(client, Faults::None)?;
    let creator = Person::Creator(CREATOR.to_owned());
    world.at("2026-06-08T10:00:00Z")?;
    let drafted = draft(CREATOR)?;
    let contract: Contract = world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let contract = Some(drafted.clone());
            let request = CreateContractRequest { contract, request_id, ..CreateContractRequest::default() };
            async move { client.contracts().create_contract(request).await }
        })
        .await?;
    let name = contract.name;
    let _: Contract = world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let request =
                ProposeContractRequest { name: name.clone(), request_id, ..ProposeContractRequest::default() };
            async move { client.contracts().propose_contract(request).await }
        })
        .await?;
    let accepted: Contract = world
        .write(&creator, Service::Contracts, |client, request_id| {
            let request = AcceptContractRequest { name: name.clone(), request_id, ..AcceptContractRequest::default() };
            async move { client.contracts().accept_contract(request).await }
        })
        .await?;
    sign(&mut world, &creator, &accepted, None).await?;
    // What a view takes together with earlier events belongs to the trace of the first of them.
    views_have_read(&world).await?;
    sign(&mut world, &Person::Maria, &accepted, Some(format!("00-{TRACE}-{CLIENT}-01"))).await?;

    world.events("tandem.payouts.v1.EarningAccrued", PARTNERSHIP, 1).await?;
    views_have_read(&world).await?;
    let earnings = world.client(&Person::Fred).earnings().list_earnings(ListEarningsRequest::default()).await?;
    Ok(earnings.into_inner().earnings)
}

async fn sign(
    world: &mut World<'_>,
    person: &Person,
    accepted: &Contract,
    traceparent: Option<String>,
) -> anyhow::Result<Contract> {
    world
        .write(person, Service::Contracts, |client, request_id| {
            let mut request = Request::new(SignContractRequest {
                name: accepted.name.clone(),
                terms_hash: accepted.terms_hash.clone(),
                capacity: "themselves".to_owned(),
                method: SignatureMethod::Click.into(),
                request_id,
                ..SignContractRequest::default()
            });
            if let Some(traceparent) = &traceparent {
                request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
            }
            async move { client.contracts().sign_contract(request).await }
        })
        .await
}

/// Lists of what was written so far are answered, so the views have read it.
async fn views_have_read(world: &World<'_>) -> anyhow::Result<()> {
    let client = world.client(&Person::Maria);
    client.contracts().list_contracts(ListContractsRequest::default()).await?;
    client.relationships().list_partnerships(ListPartnershipsRequest::default()).await?;
    client.relationships().list_audit_entries(ListAuditEntriesRequest::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_all_that_a_signature_leads_to() {
    const SIGN: (&str, &str) = ("contracts", "tandem.contracts.v1.ContractService/SignContract");
    const ACCRUE: (&str, &str) = ("payouts", "process payouts-accrual");
    const GET_TERMS: (&str, &str) = ("contracts", "tandem.contracts.v1.ContractService/GetTerms");
    const CREATE_EARNING: (&str, &str) = ("payouts", "tandem.payouts.v1.EarningService/CreateEarning");
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start().unwrap();
    let platform = start(folder.path(), &collector.endpoint).await;
    let earnings = agree(platform.client_builder()).await.unwrap();
    assert_eq!(earnings.len(), 1, "half of the fee: {earnings:?}");
    // Services send what is left before they end.
    platform.stop().await.unwrap();

    let trace = collector.trace(TRACE);
    for path in [
        [SIGN].as_slice(),
        &[SIGN, ("contracts", "append")],
        &[SIGN, ("contracts", "view")],
        &[SIGN, ("relationships", "view")],
        &[SIGN, ACCRUE],
        &[SIGN, ACCRUE, GET_TERMS],
        &[SIGN, ACCRUE, CREATE_EARNING],
        &[SIGN, ACCRUE, CREATE_EARNING, ("payouts", "append")],
        &[SIGN, ACCRUE, CREATE_EARNING, ("payouts", "view")],
        &[SIGN, ACCRUE, CREATE_EARNING, ("relationships", "view")],
    ] {
        assert!(trace.find(CLIENT, path).is_some(), "{path:?} is not in\n{trace}");
    }
    let orphans = trace.orphans(CLIENT);
    assert!(orphans.is_empty(), "these follow from nothing: {orphans:?}");

    let metrics = collector.metrics();
    for service in Service::ALL {
        for metric in ["tandem.view.lag", "tandem.view.parked"] {
            assert!(metrics.contains(&(service.name().to_owned(), metric.to_owned())), "no {metric} of {service}");
        }
    }
    for service in [Service::Contracts, Service::Payouts, Service::Relationships] {
        let requests = (service.name().to_owned(), "rpc.server.duration".to_owned());
        assert!(metrics.contains(&requests), "{requests:?} is not in {metrics:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_a_collector_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    // A port that no ephemeral one is taken from, and that nothing has been served on for decades (tcpmux).
    let platform = start(folder.path(), "http://127.0.0.1:1").await;
    let earnings = agree(platform.client_builder()).await.unwrap();
    assert_eq!(earnings.len(), 1, "half of the fee: {earnings:?}");
    platform.stop().await.unwrap();

    for service in [Service::Contracts, Service::Payouts, Service::Relationships] {
        let log = std::fs::read_to_string(folder.path().join(format!("logs/{service}.log"))).unwrap();
        for what in ["traces", "metrics"] {
            let said = log.matches(&format!("the collector takes no {what}")).count();
            assert_eq!(said, 1, "told once, not more, that {what} are lost:\n{log}");
        }
    }
}
