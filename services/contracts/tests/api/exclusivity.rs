//! Contracts of one creator that exclude each other: told and refused.

mod keeping;
mod overriding;
mod race;

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tandem_client::proto::contracts::v1::clause::Clause as Kind;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::fixtures::{BRAND, CREATOR, terms};
use crate::world::{Api, Claims, World, create};

const RIVAL: &str = "brands/rival";

/// A contract of a brand with a creator, on the terms of the fixtures: for skin care, and exclusively.
fn contract(id: &str, brand: &str, creator: &str) -> pb::CreateContractRequest {
    let mut request = create(id);
    let contract = request.contract.as_mut().unwrap();
    (contract.brand, contract.creator) = (brand.into(), creator.into());
    request
}

/// Agreed on by both, signed by nobody.
async fn agreed(brand: &Api, creator: &Api, request: pb::CreateContractRequest) -> pb::Contract {
    let name = brand.create_contract(request).await.unwrap().name;
    brand.propose(&name).await.unwrap();
    creator.accept(&name).await.unwrap()
}

/// Signed by both.
async fn signed(world: &World, id: &str, brand: &str) -> pb::Contract {
    let contract = agreed(&world.brand(), &world.creator(), contract(id, brand, CREATOR)).await;
    world.brand().sign(&contract.name, &contract.terms_hash).await.unwrap();
    world.creator().sign(&contract.name, &contract.terms_hash).await.unwrap()
}

async fn check(api: &Api, name: &str) -> Result<Vec<pb::ExclusivityConflict>, Error> {
    let request = pb::CheckExclusivityRequest { contract: name.into() };
    Ok(api.0.exclusivity().check_exclusivity(request).await?.into_inner().conflicts)
}

/// What a contract conflicts with.
async fn against(api: &Api, name: &str) -> Vec<String> {
    let mut names: Vec<_> = check(api, name).await.unwrap().into_iter().map(|conflict| conflict.contract).collect();
    names.dedup();
    names
}

/// Refused for contracts of these names.
#[track_caller]
fn assert_conflict(answer: Result<pb::Contract, Error>, contracts: &str) -> String {
    let error = answer.unwrap_err();
    let told = (error.code(), error.reason());
    assert_eq!(told, (Code::FailedPrecondition, Some(ErrorReason::ExclusivityConflict)), "{error}");
    let message = error.message().to_owned();
    let details = tonic::Status::from(error).get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["contracts"], contracts);
    message
}

#[tokio::test]
async fn a_conflict_is_named_before_and_on_signing() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let second = agreed(&brand, &creator, contract("second", RIVAL, CREATOR)).await;
    assert_eq!(against(&brand, &second.name).await, [""; 0]);

    let first = signed(&world, "first", BRAND).await;
    // Each forbids what the other is for.
    let conflicts = check(&brand, &second.name).await.unwrap();
    let clauses: Vec<_> = conflicts.iter().map(|it| (&it.contract, &it.clause_id[..], it.forbidden_by_other)).collect();
    assert_eq!(clauses, [(&first.name, "exclusivity", true), (&first.name, "exclusivity", false)]);
    assert_eq!((&conflicts[0].brand[..], &conflicts[0].category[..]), (BRAND, "skin-care"));
    // What it has reserved itself does not stand against it.
    assert_eq!(against(&brand, &first.name).await, [""; 0]);

    let refused = assert_conflict(brand.sign(&second.name, &second.terms_hash).await, "contracts/first");
    assert!(refused.contains(&conflicts[0].explanation), "{refused}");
    assert!(refused.contains("exclusivity_override_reason"), "{refused}");
    // The creator may know what they have signed themselves.
    assert_eq!(against(&creator, &second.name).await, ["contracts/first"]);
    assert_conflict(creator.sign(&second.name, &second.terms_hash).await, "contracts/first");
    let unsigned = brand.get(&second.name).await.unwrap();
    assert_eq!((unsigned.state(), unsigned.signatures.len()), (State::Accepted, 0));
}

#[tokio::test]
async fn the_second_signature_is_refused_for_what_came_after_the_first() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let second = agreed(&brand, &creator, contract("second", RIVAL, CREATOR)).await;
    brand.sign(&second.name, &second.terms_hash).await.unwrap();
    signed(&world, "first", BRAND).await;
    assert_conflict(creator.sign(&second.name, &second.terms_hash).await, "contracts/first");
    assert_eq!(brand.get(&second.name).await.unwrap().state(), State::Accepted);
}

#[tokio::test]
async fn contracts_of_one_brand_and_of_other_creators_do_not_conflict() {
    let world = World::start().await;
    signed(&world, "first", BRAND).await;
    let again = signed(&world, "again", BRAND).await;
    assert_eq!(again.exclusivity_override, None);
    let max = world.creator_named("creators/max");
    let other = agreed(&world.brand(), &max, contract("other", RIVAL, "creators/max")).await;
    assert_eq!(against(&world.brand(), &other.name).await, [""; 0]);
}

#[tokio::test]
async fn another_tenant_is_not_affected() {
    let world = World::start().await;
    signed(&world, "first", BRAND).await;
    let theirs = world.user("bob", "initech");
    let claims = Claims::new("users/portal", "initech").with_permissions(["contracts.*"]);
    let zoe = world.client(claims.with_creator(CREATOR));
    let second = agreed(&theirs, &zoe, contract("second", RIVAL, CREATOR)).await;
    assert_eq!(against(&theirs, &second.name).await, [""; 0]);
    theirs.sign(&second.name, &second.terms_hash).await.unwrap();
    zoe.sign(&second.name, &second.terms_hash).await.unwrap();
    let unknown = check(&theirs, "contracts/first").await.unwrap_err();
    assert_eq!(unknown.reason(), Some(ErrorReason::ResourceNotFound));
}

#[tokio::test]
async fn a_creator_asks_about_their_own_contracts_while_they_are_not_over() {
    let world = World::start().await;
    let draft = world.brand().create("draft").await;
    assert_eq!(check(&world.creator(), &draft.name).await.unwrap(), []);
    let stranger = check(&world.creator_named("creators/max"), &draft.name).await.unwrap_err();
    assert_eq!(stranger.reason(), Some(ErrorReason::NotAParty));
    world.brand().propose(&draft.name).await.unwrap();
    world.creator().decline(&draft.name).await.unwrap();
    let over = check(&world.brand(), &draft.name).await.unwrap_err();
    assert_eq!(over.reason(), Some(ErrorReason::StateForbids));
    assert!(over.message().starts_with("contracts/draft is DECLINED, "), "{over}");
}

#[tokio::test]
async fn terms_name_categories_that_there_are() {
    let world = World::start().await;
    let brand = world.brand();
    let listed = brand.0.exclusivity().list_categories(pb::ListCategoriesRequest {}).await.unwrap().into_inner();
    let skin_care = listed.categories.iter().find(|category| category.id == "skin-care").unwrap();
    assert_eq!((&skin_care.parent[..], &skin_care.title[..]), ("beauty", "Skin care"));

    let mut request = create("misspelt");
    let mut terms = terms();
    for clause in &mut terms.clauses {
        match &mut clause.clause {
            Some(Kind::Deliverables(clause)) => clause.categories = vec!["skin-care".into(), "xyzzy".into()],
            Some(Kind::Exclusivity(clause)) => clause.categories = vec!["skincare".into()],
            _ => {}
        }
    }
    request.contract.as_mut().unwrap().terms = Some(terms);
    let refused = brand.create_contract(request).await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::FieldInvalid));
    let wrong: Vec<_> = refused.violations().into_iter().map(|violation| violation.field).collect();
    let at = "contract.terms.clauses";
    let places = [format!("{at}[0].deliverables.categories[1]"), format!("{at}[6].exclusivity.categories[0]")];
    assert_eq!(wrong, places);
    assert!(refused.message().contains("take skin-care"), "{refused}");
}
