//! A contract is drafted from a file, negotiated in two rounds, and signed by both.

use anyhow::{Context as _, ensure};
use tandem_cli::output::table;
use tandem_client::Service;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    AcceptContractRequest, Contract, ContractState, CounterContractRequest, CreateContractRequest,
    ProposeContractRequest, SignContractRequest, SignatureMethod,
};
use tandem_proto::creators::v1::Creator;

use super::heading;
use super::import::example;
use crate::cast::Person;
use crate::world::World;

const FILE: &str = "contract-glowco-summer.yaml";

pub(super) async fn tell(world: &mut World<'_>, creator: &Creator) -> anyhow::Result<Contract> {
    heading(3, "Contract");
    world.at("2026-06-08T10:00:00Z")?;
    let contract = create(world, &draft(&creator.name)?, "glowco-summer").await?;
    println!(
        "Drafted from examples/{FILE}: {} clauses",
        contract.terms.as_ref().map_or(0, |terms| terms.clauses.len())
    );
    let contract = negotiate(world, &contract.name, &Person::Creator(creator.name.clone())).await?;
    sign(world, contract, &Person::Creator(creator.name.clone())).await
}

/// The brand drafts a contract.
pub(super) async fn create(world: &mut World<'_>, draft: &Contract, id: &str) -> anyhow::Result<Contract> {
    world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let request = CreateContractRequest {
                contract: Some(draft.clone()),
                contract_id: id.to_owned(),
                request_id,
                ..CreateContractRequest::default()
            };
            async move { client.contracts().create_contract(request).await }
        })
        .await
}

/// The contract of `examples/`, for this creator.
///
/// # Errors
/// If the file can't be read.
pub fn draft(creator: &str) -> anyhow::Result<Contract> {
    read(FILE, creator)
}

/// A contract of a file of `examples/`, for this creator.
pub(super) fn read(file: &str, creator: &str) -> anyhow::Result<Contract> {
    let text = std::fs::read_to_string(example(file)).with_context(|| file.to_owned())?;
    let mut value: serde_json::Map<_, serde_json::Value> =
        serde_saphyr::from_str(&text).with_context(|| file.to_owned())?;
    // The id to give it is no part of it.
    value.remove("contract_id");
    let contract = tandem_proto::json::read(serde_json::Value::from(value)).with_context(|| file.to_owned())?;
    Ok(Contract { creator: creator.to_owned(), ..contract })
}

async fn negotiate(world: &mut World<'_>, name: &str, creator: &Person) -> anyhow::Result<Contract> {
    let proposed: Contract = world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let request =
                ProposeContractRequest { name: name.to_owned(), request_id, ..ProposeContractRequest::default() };
            async move { client.contracts().propose_contract(request).await }
        })
        .await?;
    ensure!(proposed.state() == ContractState::Proposed, "{:?}", proposed.state());

    world.at("2026-06-10T17:00:00Z")?;
    let mut terms = proposed.terms.clone().context("the offer has terms")?;
    for clause in &mut terms.clauses {
        match &mut clause.clause {
            Some(Kind::Fee(fee)) => fee.amount = crate::money::usd(24_000),
            Some(Kind::Exclusivity(exclusivity)) => exclusivity.days_after_end = 0,
            _ => {}
        }
    }
    let countered: Contract = world
        .write(creator, Service::Contracts, |client, request_id| {
            let request = CounterContractRequest {
                name: name.to_owned(),
                terms: Some(terms.clone()),
                reason: "more usage than usual".to_owned(),
                request_id,
                ..CounterContractRequest::default()
            };
            async move { client.contracts().counter_contract(request).await }
        })
        .await?;
    let round = countered.rounds.last().context("a counter-offer is a round")?;
    let mut shown = table(&["round", "changed clause", "before", "after"]);
    for change in &round.changes {
        let words = |clause: Option<&tandem_proto::contracts::v1::Clause>| match clause.and_then(|c| c.clause.as_ref())
        {
            Some(Kind::Fee(fee)) => crate::money::amount(fee.amount.as_ref()),
            Some(Kind::Exclusivity(exclusivity)) => format!("{} days after the end", exclusivity.days_after_end),
            other => format!("{other:?}"),
        };
        shown.add_row([
            round.number.to_string(),
            change.clause_id.clone(),
            words(change.before.as_ref()),
            words(change.after.as_ref()),
        ]);
    }
    println!("{}", shown.trim_fmt());
    ensure!(round.changes.len() == 2, "not the two changes of the counter-offer: {:?}", round.changes);

    let told = world
        .refused(creator, ErrorReason::NotYourTurn, |client| async move {
            let request = AcceptContractRequest { name: name.to_owned(), ..AcceptContractRequest::default() };
            client.contracts().accept_contract(request).await
        })
        .await?;
    println!("Nobody accepts their own offer: {told}");

    world.at("2026-06-11T09:30:00Z")?;
    world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let request = AcceptContractRequest {
                name: name.to_owned(),
                // Accepts what she has read, not what may have come since.
                etag: countered.etag.clone(),
                request_id,
            };
            async move { client.contracts().accept_contract(request).await }
        })
        .await
}

async fn sign(world: &mut World<'_>, accepted: Contract, creator: &Person) -> anyhow::Result<Contract> {
    let request = |terms_hash: &str, capacity: &str, request_id| SignContractRequest {
        name: accepted.name.clone(),
        terms_hash: terms_hash.to_owned(),
        capacity: capacity.to_owned(),
        method: SignatureMethod::Click.into(),
        request_id,
        ..SignContractRequest::default()
    };
    let first_offer = accepted.rounds.first().context("there is a first round")?.terms_hash.clone();
    let told = world
        .refused(creator, ErrorReason::TermsHashMismatch, |client| async move {
            client.contracts().sign_contract(request(&first_offer, "creator", String::new())).await
        })
        .await?;
    println!("Nobody signs what was not agreed: {told}");

    world.at("2026-06-12T15:00:00Z")?;
    let mut contract = accepted.clone();
    for (person, capacity) in [(creator, "creator"), (&Person::Maria, "Head of Partnerships")] {
        contract = world
            .write(person, Service::Contracts, |client, request_id| {
                let request = request(&accepted.terms_hash, capacity, request_id);
                async move { client.contracts().sign_contract(request).await }
            })
            .await?;
    }
    ensure!(contract.state() == ContractState::Upcoming && contract.signatures.len() == 2, "not signed by both");
    ensure!(contract.signatures.iter().all(|s| s.terms_hash == contract.terms_hash), "a signature is over other terms");
    println!("Signed by both, version {}, over the terms with SHA-256 {}…", contract.round, &contract.terms_hash[..16]);
    Ok(contract)
}
