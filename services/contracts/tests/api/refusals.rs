//! What a client is told when it is refused.

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::fixtures::{terms, terms_for};
use crate::world::{Claims, World, create, sign};

/// The reason in the error's details, and the code that goes with it.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Error>, code: Code, reason: ErrorReason) -> Error {
    let error = answer.unwrap_err();
    assert_eq!((error.code(), error.reason()), (code, Some(reason)), "{error}");
    error
}

/// A transition refused for this reason, said of this contract.
#[track_caller]
fn assert_forbidden(answer: Result<pb::Contract, Error>, name: &str, reason: ErrorReason) {
    let error = assert_refused(answer, Code::FailedPrecondition, reason);
    let details = error.status().get_details_precondition_failure().unwrap();
    let [violation] = &details.violations[..] else { panic!("{details:?}") };
    assert_eq!(format!("ERROR_REASON_{}", violation.r#type), reason.as_str_name());
    assert_eq!(violation.subject, name);
    assert_eq!(violation.description, error.message());
}

#[tokio::test]
async fn all_fields_at_fault_are_named() {
    let world = World::start().await;
    let mut request = create("summer");
    let contract = request.contract.as_mut().unwrap();
    contract.brand = "glowco".into();
    contract.title.clear();
    contract.terms.as_mut().unwrap().clauses.clear();
    let error =
        assert_refused(world.brand().create_contract(request).await, Code::InvalidArgument, ErrorReason::FieldInvalid);
    let fields: Vec<_> = error.violations().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["contract.brand", "contract.title", "contract.terms.clauses"]);
}

#[tokio::test]
async fn terms_that_make_no_sense_are_refused_with_the_path() {
    let world = World::start().await;
    let brand = world.brand();
    let mut wrong = terms();
    if let Some(pb::clause::Clause::Fee(fee)) = &mut wrong.clauses[1].clause {
        fee.instalments.pop();
    }
    let mut request = create("summer");
    request.contract.as_mut().unwrap().terms = Some(wrong.clone());
    let created = brand.create_contract(request).await;
    let error = assert_refused(created, Code::InvalidArgument, ErrorReason::FieldInvalid);
    assert_eq!(error.violations()[0].field, "contract.terms.clauses[1].fee.instalments");
    assert!(error.message().contains("must make up 10000"), "{error}");

    let name = brand.create("summer").await.name;
    brand.propose(&name).await.unwrap();
    let countered = world.creator().counter(&name, wrong).await;
    let error = assert_refused(countered, Code::InvalidArgument, ErrorReason::FieldInvalid);
    assert_eq!(error.violations()[0].field, "terms.clauses[1].fee.instalments");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::start().await;
    for caller in [world.brand(), world.creator()] {
        let name = "contracts/none";
        assert_refused(caller.get(name).await, Code::NotFound, ErrorReason::ResourceNotFound);
        let error = assert_refused(caller.accept(name).await, Code::NotFound, ErrorReason::ResourceNotFound);
        assert_eq!(error.message(), "contracts/none does not exist.");
    }
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let world = World::start().await;
    world.brand().create("summer").await;
    let again = world.brand().create_contract(create("summer")).await;
    assert_refused(again, Code::AlreadyExists, ErrorReason::ResourceExists);
}

#[tokio::test]
async fn a_state_forbids() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let draft = brand.create("summer").await;
    let name = &draft.name;
    assert_forbidden(creator.accept(name).await, name, ErrorReason::StateForbids);
    assert_forbidden(creator.decline(name).await, name, ErrorReason::StateForbids);
    assert_forbidden(creator.counter(name, terms_for(1)).await, name, ErrorReason::StateForbids);
    assert_forbidden(brand.withdraw(name).await, name, ErrorReason::StateForbids);
    assert_forbidden(brand.sign(name, &draft.terms_hash).await, name, ErrorReason::StateForbids);
    brand.propose(name).await.unwrap();
    assert_forbidden(brand.propose(name).await, name, ErrorReason::StateForbids);
}

#[tokio::test]
async fn a_party_waits_for_its_turn() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = &brand.create("summer").await.name;
    assert_forbidden(creator.propose(name).await, name, ErrorReason::NotYourTurn);
    brand.propose(name).await.unwrap();
    assert_forbidden(brand.accept(name).await, name, ErrorReason::NotYourTurn);
    assert_forbidden(brand.decline(name).await, name, ErrorReason::NotYourTurn);
    assert_forbidden(brand.counter(name, terms_for(1)).await, name, ErrorReason::NotYourTurn);
    assert_forbidden(creator.withdraw(name).await, name, ErrorReason::NotYourTurn);
    let error = creator.create_contract(create("mine")).await;
    assert_refused(error, Code::FailedPrecondition, ErrorReason::NotYourTurn);
}

#[tokio::test]
async fn a_signature_is_over_what_was_agreed_and_given_once() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = &brand.create("summer").await.name;
    let first = brand.propose(name).await.unwrap().terms_hash;
    let agreed = creator.counter(name, terms_for(5000)).await.unwrap().terms_hash;
    brand.accept(name).await.unwrap();

    let error = creator.sign(name, &first).await.unwrap_err();
    assert!(error.message().contains(&first) && error.message().contains(&agreed), "{error}");
    assert_forbidden(Err(error), name, ErrorReason::TermsHashMismatch);
    creator.sign(name, &agreed).await.unwrap();
    assert_forbidden(creator.sign(name, &agreed).await, name, ErrorReason::AlreadySigned);

    let unread = brand.sign_contract(pb::SignContractRequest { method: 0, ..sign(name, "read it") }).await;
    let error = assert_refused(unread, Code::InvalidArgument, ErrorReason::FieldInvalid);
    let fields: Vec<_> = error.violations().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["terms_hash", "method"]);
}

#[tokio::test]
async fn who_decided_by_an_older_state_decides_anew() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let draft = brand.create("summer").await;
    let proposed = brand.propose(&draft.name).await.unwrap();
    let accept = |etag: &str| {
        let (name, etag) = (draft.name.clone(), etag.to_owned());
        creator.accept_contract(pb::AcceptContractRequest { name, etag, ..Default::default() })
    };
    assert_refused(accept(&draft.etag).await, Code::Aborted, ErrorReason::EtagMismatch);
    let accepted = accept(&proposed.etag).await.unwrap();
    assert_eq!(accepted.state(), pb::ContractState::Accepted);
}

#[tokio::test]
async fn a_token_permits_what_it_names() {
    let world = World::start().await;
    let name = &world.brand().create("summer").await.name;
    let reader = world.client(Claims::new("users/ida", "acme").with_permissions(["contracts.read"]));
    reader.get(name).await.unwrap();
    assert_refused(reader.propose(name).await, Code::PermissionDenied, ErrorReason::PermissionMissing);
    let list = reader.list_contracts(pb::ListContractsRequest::default()).await;
    assert_refused(list, Code::PermissionDenied, ErrorReason::PermissionMissing);
}
