//! Flags of what the law asks for besides, through the API.

use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::clause::Clause as Kind;

use crate::fixtures::{clause, terms};
use crate::world::{World, create};

#[tokio::test]
async fn a_contract_is_flagged_until_its_terms_say_what_the_law_asks_for() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let (country_code, subdivision_code) = ("US".into(), "US-CA".into());
    let mut whole = terms();
    whole.clauses.push(clause("law", Kind::GoverningLaw(pb::GoverningLawClause { country_code, subdivision_code })));
    let mut undated = whole.clone();
    undated.clauses.retain(|clause| !matches!(clause.clause, Some(Kind::PaymentTerms(_))));

    let mut request = create("summer");
    request.contract.as_mut().unwrap().terms = Some(undated);
    let drafted = brand.create_contract(request).await?;
    let [finding] = &drafted.statutory_findings[..] else { panic!("{drafted:?}") };
    assert_eq!(finding.rule, "us-ca-fwpa-payment-date");
    assert!(finding.source.contains("https://leginfo.legislature.ca.gov/"), "{}", finding.source);
    assert_eq!(brand.names("flagged = true", "").await, ["contracts/summer"]);

    brand.propose("contracts/summer").await?;
    assert_eq!(creator.counter("contracts/summer", whole).await?.statutory_findings, []);
    let brand = crate::world::Api(brand.0.with_positions(&creator.0.positions()));
    assert_eq!(brand.names("flagged = true", "").await, [""; 0]);
    Ok(())
}
