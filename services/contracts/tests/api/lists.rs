//! Lists: filter, order, pages, and reading one's own writes.

use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tonic::{Code, Request};

use crate::fixtures::date;
use crate::world::{Api, World, create};

/// Three drafts, of which the later ends earlier; the last is proposed.
async fn three(brand: &Api) {
    for (id, brand_name, creator, month) in
        [("a", "glowco", "zoe", 12), ("b", "glowco", "max", 11), ("c", "nordlys", "zoe", 10)]
    {
        let mut request = create(id);
        let contract = request.contract.as_mut().unwrap();
        contract.brand = format!("brands/{brand_name}");
        contract.creator = format!("creators/{creator}");
        contract.title = format!("Season {id}");
        contract.terms.as_mut().unwrap().end_date = date(2026, month, 1);
        brand.create_contract(request).await.unwrap();
    }
    brand.propose("contracts/c").await.unwrap();
}

#[tokio::test]
async fn contracts_are_found_by_each_field() {
    let world = World::start().await;
    let brand = world.brand();
    three(&brand).await;
    for (filter, found) in [
        ("", &["contracts/a", "contracts/b", "contracts/c"][..]),
        (r#"brand = "brands/glowco""#, &["contracts/a", "contracts/b"]),
        (r#"creator = "creators/zoe" AND state = DRAFT"#, &["contracts/a"]),
        ("state = PROPOSED", &["contracts/c"]),
        ("state = CONTRACT_STATE_PROPOSED", &["contracts/c"]),
        ("state = draft", &["contracts/a", "contracts/b"]),
        (r#"title = "Season b""#, &["contracts/b"]),
        ("end_date < 2026-12-01", &["contracts/b", "contracts/c"]),
        ("start_date = 2026-06-01 AND NOT state = DRAFT", &["contracts/c"]),
        (r#"name = "contracts/b" OR state = PROPOSED"#, &["contracts/b", "contracts/c"]),
        ("create_time > 2020-01-01T00:00:00Z AND update_time < 2020-01-01T00:00:00Z", &[]),
    ] {
        assert_eq!(brand.names(filter, "").await, found, "{filter}");
    }
}

#[tokio::test]
async fn contracts_are_listed_in_each_order() {
    let world = World::start().await;
    let brand = world.brand();
    three(&brand).await;
    for (order_by, ids) in [
        ("end_date", "cba"),
        ("end_date desc", "abc"),
        ("start_date, name desc", "cba"),
        ("create_time", "abc"),
        ("update_time desc", "cba"),
        ("name", "abc"),
    ] {
        let names = brand.names("", order_by).await;
        assert_eq!(names, ids.chars().map(|id| format!("contracts/{id}")).collect::<Vec<_>>(), "{order_by}");
    }
}

#[tokio::test]
async fn a_listed_contract_is_what_get_answers() {
    let world = World::start().await;
    let brand = world.brand();
    three(&brand).await;
    let listed = brand.list_contracts(pb::ListContractsRequest::default()).await.unwrap();
    for contract in listed.contracts {
        assert_eq!(brand.get(&contract.name).await.unwrap(), contract);
    }
}

#[tokio::test]
async fn pages_follow_one_another() {
    let world = World::start().await;
    let brand = world.brand();
    three(&brand).await;
    let page = |page_token: String| {
        let order_by = "end_date".into();
        brand.list_contracts(pb::ListContractsRequest { page_size: 2, page_token, order_by, ..Default::default() })
    };
    let names = |page: &pb::ListContractsResponse| -> Vec<String> {
        page.contracts.iter().map(|contract| contract.name.clone()).collect()
    };
    let first = page(String::new()).await.unwrap();
    assert_eq!((names(&first), first.total_size), (vec!["contracts/c".into(), "contracts/b".into()], 3));
    let last = page(first.next_page_token.clone()).await.unwrap();
    assert_eq!((names(&last), &last.next_page_token[..], last.total_size), (vec!["contracts/a".into()], "", 3));

    // A token is for its own query.
    let page_token = first.next_page_token;
    let other = pb::ListContractsRequest { page_size: 2, page_token, ..Default::default() };
    let error = brand.list_contracts(other).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::PageTokenInvalid)));
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused() {
    let world = World::start().await;
    let brand = world.brand();
    let ask = |filter: &str, order_by: &str, page_size| {
        let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
        brand.list_contracts(pb::ListContractsRequest { filter, order_by, page_size, ..Default::default() })
    };
    for (answer, field, reason) in [
        (ask("colour = red", "", 0).await, "filter", ErrorReason::FilterInvalid),
        (ask("state = SIGNATURE", "", 0).await, "filter", ErrorReason::FilterInvalid),
        (ask("", "colour", 0).await, "order_by", ErrorReason::FilterInvalid),
        (ask("", "", 1001).await, "page_size", ErrorReason::FieldInvalid),
    ] {
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(reason)), "{error}");
        assert_eq!(error.violations()[0].field, field);
    }
}

#[tokio::test]
async fn one_reads_what_one_has_written() {
    let world = World::start().await;
    let brand = world.brand();
    for number in 0..50 {
        let name = brand.create(&format!("c{number}")).await.name;
        // The client carries the position of its write.
        assert_eq!(brand.names(&format!("name = \"{name}\""), "").await, [name]);
    }
}

#[tokio::test]
async fn a_position_can_be_handed_to_another_reader() {
    let world = World::start().await;
    let mut contracts = world.brand().0.contracts();
    let written = contracts.create_contract(create("summer")).await.unwrap();
    let position = written.metadata().get("tandem-position").unwrap().clone();
    assert!(position.to_str().unwrap().starts_with("contracts.contract:"), "{position:?}");

    let mut request = Request::new(pb::ListContractsRequest::default());
    request.metadata_mut().insert("tandem-read-after", position);
    let listed = world.user("bob", "acme").0.contracts().list_contracts(request).await.unwrap();
    assert_eq!(listed.into_inner().contracts, [written.into_inner()]);
}
