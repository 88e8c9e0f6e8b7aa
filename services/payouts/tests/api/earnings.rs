//! Earnings as clients record, get and list them.

use tandem_client::Error;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;

use crate::fixtures::{CREATOR, date, earning, run, usd};
use crate::world::{Claims, World};

#[tokio::test]
async fn an_earning_is_recorded_once() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let first = fred.earn("e1", earning(CREATOR, 500)).await;
    assert_eq!((&first.name[..], first.state()), ("earnings/e1", pb::EarningState::Accrued));
    assert_eq!(fred.get_earning_named("earnings/e1").await, first);
    // Another request, the same earning.
    assert_eq!(fred.earn("e1", earning(CREATOR, 500)).await, first);
    let other = pb::CreateEarningRequest {
        earning: Some(earning(CREATOR, 501)),
        earning_id: "e1".into(),
        request_id: String::new(),
    };
    let error = fred.create_earning(other).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceExists), "{error}");
    assert_eq!(fred.earnings("", "").await, ["e1"]);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_an_earning_is_named() {
    let world = World::start().await;
    for (field, wrong) in [
        ("earning.amount", pb::Earning { amount: usd(0), ..earning(CREATOR, 1) }),
        ("earning.brand", pb::Earning { brand: "glowco".into(), ..earning(CREATOR, 1) }),
        ("earning.due_date", pb::Earning { due_date: Some(date(2026, 13, 1)), ..earning(CREATOR, 1) }),
        ("earning.contract_version", pb::Earning { contract_version: 0, ..earning(CREATOR, 1) }),
    ] {
        let request =
            pb::CreateEarningRequest { earning: Some(wrong), earning_id: "e1".into(), request_id: String::new() };
        let error = world.fred().create_earning(request).await.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::FieldInvalid), "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
    }
    assert_eq!(world.last_earning().await, 0);
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let adam = "creators/adam";
    let later = |minor| pb::Earning { due_date: Some(date(2026, 9, 1)), ..earning(adam, minor) };
    fred.earn("a1", earning(adam, 500)).await;
    fred.earn("a2", later(500)).await;
    fred.earn("a3", earning(adam, -100)).await;
    fred.earn(
        "z1",
        pb::Earning { brand: "brands/other".into(), contract: "contracts/c2".into(), ..earning(CREATOR, 1) },
    )
    .await;
    let mut euro = earning(CREATOR, 700);
    euro.amount.as_mut().unwrap().currency_code = "EUR".into();
    fred.earn("z2", euro).await;
    let taken = fred.create_payout_run(run("r1")).await?;

    for (filter, found) in [
        ("brand = \"brands/other\"", vec!["z1"]),
        ("creator = \"creators/adam\" AND due_date <= \"2026-08-31\"", vec!["a1", "a3"]),
        ("contract = \"contracts/c2\"", vec!["z1"]),
        ("state = SCHEDULED", vec!["a1", "a3"]),
        ("state = ACCRUED", vec!["a2", "z1", "z2"]),
        ("rule = COMMISSION_CLAWBACK", vec!["a3"]),
        ("due_date > \"2026-08-31\"", vec!["a2"]),
        ("currency_code = EUR", vec!["z2"]),
        ("payout_run = \"payoutRuns/r1\"", vec!["a1", "a3"]),
    ] {
        assert_eq!(fred.earnings(filter, "name").await, found, "{filter}");
    }
    assert_eq!(fred.earnings("", "due_date desc, name").await, ["a2", "a1", "a3", "z1", "z2"]);
    assert_eq!(taken.payouts.len(), 1);

    let error = fred.list_earnings(pb::ListEarningsRequest { filter: "salary = 1".into(), ..Default::default() }).await;
    assert_eq!(error.unwrap_err().reason(), Some(ErrorReason::FilterInvalid));
    let first = fred.list_earnings(pb::ListEarningsRequest { page_size: 2, ..Default::default() }).await?;
    assert_eq!((first.earnings.len(), first.total_size), (2, 5));
    let page_token = first.next_page_token;
    let rest = pb::ListEarningsRequest { page_size: 3, page_token, ..Default::default() };
    let rest = fred.list_earnings(rest).await?;
    assert_eq!((rest.earnings.len(), &rest.next_page_token[..]), (3, ""));
    Ok(())
}

#[tokio::test]
async fn creators_see_their_own() {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    fred.earn_all("adam", &[("a1", 500)]).await;
    let claims = Claims::new("users/portal", "acme").with_permissions(["payouts.*"]).with_creator(CREATOR);
    let zoe = world.client(claims).seeing(&world).await;
    assert_eq!(zoe.earnings("", "").await, ["z1"]);
    assert_eq!(zoe.earnings("creator = \"creators/adam\"", "").await, [""; 0]);
    zoe.get_earning_named("earnings/z1").await;
    let refused = [
        zoe.get_earning(pb::GetEarningRequest { name: "earnings/a1".into() }).await.unwrap_err(),
        zoe.create_payout_run(run("r1")).await.unwrap_err(),
        zoe.run("payoutRuns/r1").await.unwrap_err(),
        zoe.list_payout_runs(pb::ListPayoutRunsRequest::default()).await.unwrap_err(),
        zoe.approve("payoutRuns/r1").await.unwrap_err(),
        zoe.cancel("payoutRuns/r1").await.unwrap_err(),
        zoe.submit("payoutRuns/r1").await.unwrap_err(),
        zoe.settle("payoutRuns/r1/payouts/zoe", "B1").await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.reason(), Some(ErrorReason::NotAParty), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::start().await;
    world.fred().earn("e1", earning(CREATOR, 500)).await;
    for tenant in ["acme", "globex"] {
        let name = if tenant == "acme" { "earnings/e2" } else { "earnings/e1" };
        let user = world.user("fred", tenant);
        let error = user.get_earning(pb::GetEarningRequest { name: name.into() }).await.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    }
}
