//! Templates through the API, and contracts that are drafted from them.

use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::{Claims, Error};
use tonic::Code;

use crate::fixtures::{BRAND, terms_for};
use crate::world::{Api, World, create};

const TEMPLATE: &str = "contractTemplates/ambassadors";

fn version_for(fee: i64) -> pb::PublishContractTemplateRequest {
    let template = pb::ContractTemplate {
        brand: BRAND.into(),
        title: "Ambassadors".into(),
        clauses: terms_for(fee).clauses,
        ..Default::default()
    };
    pb::PublishContractTemplateRequest {
        contract_template: Some(template),
        contract_template_id: "ambassadors".into(),
        ..Default::default()
    }
}

/// A draft for the fee of the fixtures, 4000, from a version of the template.
fn from(id: &str, template: &str, template_version: i32) -> pb::CreateContractRequest {
    let mut request = create(id);
    let contract = request.contract.as_mut().unwrap();
    (contract.template, contract.template_version) = (template.into(), template_version);
    request
}

async fn template(api: &Api, version: i32) -> Result<pb::ContractTemplate, Error> {
    api.get_contract_template(pb::GetContractTemplateRequest { name: TEMPLATE.into(), version }).await
}

async fn retire(api: &Api) -> Result<pb::ContractTemplate, Error> {
    let name = TEMPLATE.into();
    api.retire_contract_template(pb::RetireContractTemplateRequest { name, ..Default::default() }).await
}

async fn listed(api: &Api, filter: &str) -> Vec<pb::ContractTemplate> {
    let filter = filter.into();
    let request = pb::ListContractTemplatesRequest { filter, order_by: "name".into(), ..Default::default() };
    api.list_contract_templates(request).await.unwrap().contract_templates
}

#[tokio::test]
async fn a_template_is_published_in_versions_listed_and_retired() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let first = brand.publish_contract_template(version_for(100)).await?;
    assert_eq!((&first.name[..], first.version, first.state()), (TEMPLATE, 1, pb::ContractTemplateState::Published));
    // Twice changes nothing, with or without a request id.
    assert_eq!(brand.publish_contract_template(version_for(100)).await?, first);

    let second = brand.publish_contract_template(version_for(200)).await?;
    assert_eq!((second.version, second.earlier_versions.len()), (2, 1));
    assert_eq!(template(&brand, 0).await?, second);
    let then = template(&brand, 1).await?;
    assert_eq!((then.version, &then.clauses), (1, &terms_for(100).clauses));
    assert_eq!(template(&brand, 3).await.unwrap_err().violations()[0].field, "version");

    assert_eq!(listed(&brand, "state = PUBLISHED").await, [second]);
    let retired = retire(&brand).await?;
    assert_eq!(listed(&brand, "").await.first(), Some(&retired));
    assert_eq!(retire(&brand).await?, retired);
    let error = brand.publish_contract_template(version_for(300)).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, Some(ErrorReason::StateForbids)));
    Ok(())
}

#[tokio::test]
async fn two_who_publish_at_once_make_two_versions_unless_they_decided_by_the_same() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let first = brand.publish_contract_template(version_for(100)).await?;
    let next = |fee| pb::PublishContractTemplateRequest { etag: first.etag.clone(), ..version_for(fee) };
    let (one, other) =
        tokio::join!(brand.publish_contract_template(next(200)), brand.publish_contract_template(next(300)));
    let error = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(error.iter().map(Error::reason).collect::<Vec<_>>(), [Some(ErrorReason::EtagMismatch)]);
    assert_eq!(template(&brand, 0).await?.version, 2);
    Ok(())
}

#[tokio::test]
async fn a_contract_shows_its_template_version_and_deviations() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    brand.publish_contract_template(version_for(4000)).await?;
    brand.publish_contract_template(version_for(3000)).await?;

    let drafted = brand.create_contract(from("old", TEMPLATE, 1)).await?;
    assert_eq!((drafted.template_version, drafted.deviations.len()), (1, 0));
    let drafted = brand.create_contract(from("new", TEMPLATE, 0)).await?;
    assert_eq!((&drafted.template[..], drafted.template_version), (TEMPLATE, 2));
    let [fee] = &drafted.deviations[..] else { panic!("{drafted:?}") };
    assert_eq!(
        (fee.before.as_ref(), fee.after.as_ref()),
        (terms_for(3000).clauses.get(1), terms_for(4000).clauses.get(1))
    );

    // What is agreed in the end is what the template says.
    brand.propose("contracts/new").await?;
    assert_eq!(creator.counter("contracts/new", terms_for(3000)).await?.deviations, []);
    assert_eq!(brand.names(&format!("template = \"{TEMPLATE}\""), "name").await, ["contracts/new", "contracts/old"]);
    Ok(())
}

#[tokio::test]
async fn a_repeated_draft_is_answered_whatever_became_of_its_template() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    brand.publish_contract_template(version_for(4000)).await?;
    let request = || pb::CreateContractRequest { request_id: "draft-1".into(), ..from("summer", TEMPLATE, 0) };
    let drafted = brand.create_contract(request()).await?;
    brand.publish_contract_template(version_for(3000)).await?;
    retire(&brand).await?;
    assert_eq!(brand.create_contract(request()).await?, drafted);

    let error = brand.create_contract(from("autumn", TEMPLATE, 1)).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids));
    Ok(())
}

#[tokio::test]
async fn a_template_that_can_not_be_used_is_named_with_the_remedy() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    brand.publish_contract_template(version_for(4000)).await?;

    let error = brand.create_contract(from("a", "contractTemplates/nowhere", 0)).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::NotFound, Some(ErrorReason::ResourceNotFound)));
    let error = brand.create_contract(from("a", "", 1)).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "contract.template_version");
    let error = brand.create_contract(from("a", TEMPLATE, 2)).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "contract.template_version");
    let mut of_another = from("a", TEMPLATE, 0);
    of_another.contract.as_mut().unwrap().brand = "brands/nordlys".into();
    let error = brand.create_contract(of_another).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "contract.template");
    let other_tenant = world.user("eve", "globex").create_contract(from("a", TEMPLATE, 0)).await.unwrap_err();
    assert_eq!(other_tenant.reason(), Some(ErrorReason::ResourceNotFound));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_template_is_told_by_field() {
    let world = World::start().await;
    let mut request = version_for(100);
    let given = request.contract_template.as_mut().unwrap();
    given.clauses[3].clause_id = "fee".into();
    let error = world.brand().publish_contract_template(request).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "contract_template.clauses[3].clause_id");
}

#[tokio::test]
async fn the_library_is_the_brands_own() -> Result<(), Error> {
    let world = World::start().await;
    world.brand().publish_contract_template(version_for(100)).await?;
    let error = template(&world.creator(), 0).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::PermissionDenied, Some(ErrorReason::NotAParty)));
    assert_eq!(listed(&world.user("eve", "globex"), "").await, []);
    let reader = world.client(Claims::new("users/ben", "acme").with_permissions(["templates.read"]));
    assert_eq!(template(&reader, 0).await?.version, 1);
    let error = retire(&reader).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::PermissionMissing));
    Ok(())
}
