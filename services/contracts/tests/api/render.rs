//! Contracts for people, over the API.

use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1::{RenderContractRequest, RenderContractResponse, RenderFormat};

use crate::fixtures::terms_for;
use crate::world::{Api, World};

async fn render(api: &Api, format: RenderFormat, round: i32) -> Result<RenderContractResponse, tandem_client::Error> {
    let request = RenderContractRequest { name: "contracts/summer".into(), format: format.into(), round };
    Ok(api.0.contracts().render_contract(request).await?.into_inner())
}

#[tokio::test]
async fn a_contract_is_rendered_for_its_parties_and_for_nobody_else() {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = brand.create("summer").await.name;
    brand.propose(&name).await.unwrap();
    creator.counter(&name, terms_for(5000)).await.unwrap();

    let page = render(&creator, RenderFormat::Html, 0).await.unwrap();
    assert_eq!(page.media_type, "text/html");
    assert!(page.content.starts_with("<!doctype html>") && page.content.contains("USD 5,000.00"), "{}", page.content);
    let text = render(&brand, RenderFormat::Unspecified, 0).await.unwrap();
    assert_eq!(text.media_type, "text/markdown");
    assert!(text.content.contains("| fee | amount | USD 4,000.00 | USD 5,000.00 |"), "{}", text.content);
    let first = render(&brand, RenderFormat::Markdown, 1).await.unwrap().content;
    assert!(first.contains("of round 1 of 2") && first.contains("fixed fee of USD 4,000.00"), "{first}");

    let none = render(&brand, RenderFormat::Markdown, 3).await.unwrap_err();
    assert_eq!(none.reason(), Some(ErrorReason::FieldInvalid));
    assert_eq!(none.violations()[0].field, "round");
    let other = render(&world.creator_named("creators/other"), RenderFormat::Markdown, 0).await.unwrap_err();
    assert_eq!(other.reason(), Some(ErrorReason::NotAParty));
}
