//! Lists of rights: filter, order, pages, and what ends soon.

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tonic::Code;

use super::stage::{END, PUBLISHED, Stage, terms_with_organic};
use crate::world::instant;

/// Three publications on three days, each with a right to organic use and one to ads.
async fn three() -> Stage {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms_with_organic()).await;
    for (id, at) in [("a", PUBLISHED), ("b", "2026-07-05T12:00:00Z"), ("c", "2026-07-06T12:00:00Z")] {
        stage.publish("acme", &format!("participations/{id}/deliverables/reel-1"), &contract, at).await;
    }
    assert_eq!(stage.rights().await.len(), 6);
    stage
}

/// Participation and first letter of the clause of each.
fn short(rights: &[pb::UsageRight]) -> String {
    let short = |right: &pb::UsageRight| {
        format!("{}{}", right.participation.trim_start_matches("participations/"), &right.clause_id[..1])
    };
    rights.iter().map(short).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn rights_are_found_by_each_field_and_in_each_order() -> Result<(), Error> {
    let stage = three().await;
    let brand = stage.brand().seeing(&stage).await;
    for (filter, order_by, found) in [
        ("kind = ORGANIC", "start_time", "ao bo co"),
        ("kind = ORGANIC", "start_time desc", "co bo ao"),
        ("kind = PAID_AMPLIFICATION AND end_time > 2027-01-04T00:00:00Z", "end_time", "ba ca"),
        (r#"participation = "participations/b" AND kind = ORGANIC"#, "", "bo"),
        (r#"deliverable = "participations/c/deliverables/reel-1" AND kind = ORGANIC"#, "name", "co"),
        (r#"contract = "contracts/summer" AND brand = "brands/glowco" AND kind = ORGANIC"#, "end_time", "ao bo co"),
        (
            r#"creator = "creators/zoe" AND state = ACTIVE AND start_time < 2026-07-04T00:00:00Z AND kind = ORGANIC"#,
            "",
            "ao",
        ),
        ("state = EXPIRED", "", ""),
    ] {
        let listed = brand.list(filter, order_by).await?;
        assert_eq!(short(&listed.usage_rights), found, "{filter}");
        assert_eq!(usize::try_from(listed.total_size).unwrap(), listed.usage_rights.len());
    }
    let error = brand.list("colour = red", "").await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::FilterInvalid)));
    Ok(())
}

#[tokio::test]
async fn what_ends_soon_is_listed_the_first_to_end_first() -> Result<(), Error> {
    let stage = three().await;
    let brand = stage.brand().seeing(&stage).await;
    let ends = |as_of: &str, within_days| {
        let request = pb::ListExpiringRightsRequest { as_of_time: instant(as_of), within_days, ..Default::default() };
        let brand = brand.clone();
        async move { brand.expiring(request).await.map(|listed| listed.total_size) }
    };
    // 30 days unless told otherwise, and the last instant counts.
    assert_eq!(ends("2026-12-04T04:59:59Z", 0).await?, 0);
    assert_eq!(ends("2026-12-04T05:00:00Z", 0).await?, 2);
    assert_eq!(ends("2026-12-27T04:59:59Z", 7).await?, 0);
    assert_eq!(ends("2026-12-27T05:00:00Z", 7).await?, 2);
    // What is over is not in force, whether a timer has told it or not.
    assert_eq!(ends("2027-01-03T04:59:59Z", 0).await?, 6);
    assert_eq!(ends(END, 0).await?, 4);
    // Nor is what has not begun.
    assert_eq!(ends("2026-07-04T00:00:00Z", 3660).await?, 2);

    let request = pb::ListExpiringRightsRequest { within_days: 30, ..Default::default() };
    let listed = brand.at("2026-12-30T00:00:00Z").expiring(request.clone()).await?;
    let days: Vec<_> = listed.usage_rights.iter().map(|right| right.end_time.unwrap().seconds).collect();
    assert!(days.is_sorted() && days.len() == 6, "{days:?}");
    let other = pb::ListExpiringRightsRequest { brand: "brands/nordlys".into(), ..request.clone() };
    assert_eq!(brand.at("2026-12-30T00:00:00Z").expiring(other).await?.total_size, 0);
    let own = pb::ListExpiringRightsRequest { brand: "brands/glowco".into(), ..request };
    assert_eq!(brand.at("2026-12-30T00:00:00Z").expiring(own).await?.total_size, 6);
    Ok(())
}

#[tokio::test]
async fn pages_of_what_ends_soon_go_by_the_instant_of_the_first() -> Result<(), Error> {
    let stage = three().await;
    let brand = stage.brand().seeing(&stage).await;
    let (mut found, mut page_token) = (Vec::new(), String::new());
    // Between the pages the first rights end.
    for at in ["2027-01-01T00:00:00Z", "2027-01-04T00:00:00Z", "2027-01-05T00:00:00Z"] {
        let request = pb::ListExpiringRightsRequest { page_size: 2, page_token, ..Default::default() };
        let page = brand.at(at).expiring(request).await?;
        assert_eq!(page.total_size, 6);
        found.extend(page.usage_rights);
        page_token = page.next_page_token;
    }
    assert_eq!((found.len(), &page_token[..]), (6, ""));
    for page_token in ["x", "1.x", "x.y"] {
        let request = pb::ListExpiringRightsRequest { page_token: page_token.into(), ..Default::default() };
        let error = brand.expiring(request).await.unwrap_err();
        assert_eq!(
            (error.code(), error.reason()),
            (Code::InvalidArgument, Some(ErrorReason::PageTokenInvalid)),
            "{error}"
        );
    }
    Ok(())
}
