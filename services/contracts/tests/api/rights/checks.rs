//! CheckRights: yes or no, by whom, until when, and why.

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::UsageKind;
use tonic::Code;

use super::stage::{END, PUBLISHED, REEL, Stage, ad, terms_with};
use crate::fixtures::{CREATOR, terms};
use crate::world::instant;

#[tokio::test]
async fn it_flips_at_the_instant_at_which_paid_amplification_ends() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    let right = stage.right("ads").await;
    let brand = stage.brand();

    // Now, by the caller's clock.
    let last = brand.at("2027-01-03T04:59:59.999999999Z").check(ad()).await?;
    assert_eq!((last.allowed, last.end_time, last.contract_version), (true, instant(END), 1));
    assert_eq!((&last.contract, &last.clause_id[..], &last.usage_right), (&contract, "ads", &right.name));
    assert!(last.explanation.ends_with("until the end of 2027-01-02 (America/New_York)."), "{last:?}");
    // No timer has told the right that it is over.
    let over = brand.at(END).check(ad()).await?;
    assert_eq!((over.allowed, over.end_time, over.contract_version), (false, None, 0));
    assert_eq!((&over.contract, &over.clause_id[..], &over.usage_right), (&contract, "ads", &right.name));
    assert!(over.explanation.contains("ended with the end of 2027-01-02"), "{over:?}");
    assert_eq!(brand.get(&right.name).await?.state(), pb::UsageRightState::Active);

    // At an instant of the caller's choice.
    for (use_time, allowed) in
        [("2026-07-03T00:59:59Z", false), (PUBLISHED, true), ("2027-01-03T04:59:59Z", true), (END, false)]
    {
        let answer = brand.check(pb::CheckRightsRequest { use_time: instant(use_time), ..ad() }).await?;
        assert_eq!(answer.allowed, allowed, "{use_time}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_publication_that_the_caller_has_seen_is_in_the_answer() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    for number in 0..20 {
        let deliverable = format!("participations/p1/deliverables/reel-{number}");
        let told = stage.publish("acme", &deliverable, &contract, PUBLISHED).await;
        let seen = format!("campaigns.participation:{}", told.position).parse().unwrap();
        let brand = super::stage::Rights(stage.brand().at(PUBLISHED).0.with_positions(&seen));
        assert!(brand.check(pb::CheckRightsRequest { deliverable, ..ad() }).await?.allowed);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_published_is_not_found_and_it_is_said_what_to_do() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    stage.all_handled().await;
    let deliverable = "participations/p1/deliverables/reel-2".to_owned();
    let unknown = || pb::CheckRightsRequest { deliverable: deliverable.clone(), ..ad() };
    let error = stage.brand().check(unknown()).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::NotFound, Some(ErrorReason::ResourceNotFound)));
    let said = error.message();
    assert!(said.starts_with("participations/p1/deliverables/reel-2 is not published"), "{said}");
    assert!(said.contains("RecordPublication"), "{said}");

    // What another tenant has published is not published here.
    let error = stage.user("globex").check(ad()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound));
    Ok(())
}

#[tokio::test]
async fn what_is_asked_badly_is_refused_by_field() {
    let stage = Stage::start().await;
    let brand = stage.brand();
    for (request, field) in [
        (pb::CheckRightsRequest { deliverable: "reel-1".into(), ..ad() }, "deliverable"),
        (pb::CheckRightsRequest { kind: 0, ..ad() }, "kind"),
        (pb::CheckRightsRequest { channel: String::new(), ..ad() }, "channel"),
        (pb::CheckRightsRequest { territory: "Germany".into(), ..ad() }, "territory"),
        (
            pb::CheckRightsRequest { use_time: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }), ..ad() },
            "use_time",
        ),
    ] {
        let error = brand.check(request).await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::FieldInvalid)), "{error}");
        assert_eq!(error.violations()[0].field, field);
    }
}

#[tokio::test]
async fn kinds_channels_and_territories_are_told_apart() -> Result<(), Error> {
    let stage = Stage::start().await;
    let full = terms_with(|clause| clause.kind = UsageKind::FullCommercial.into());
    let contract = stage.signed("summer", full).await;
    stage.published(&contract).await;
    stage.all_handled().await;
    let brand = stage.brand().at(PUBLISHED);
    for (kind, channel, territory, allowed) in [
        (UsageKind::FullCommercial, "instagram", "US", true),
        (UsageKind::Organic, "brand-site", "CA", true),
        (UsageKind::PaidAmplification, "instagram", "US", true),
        (UsageKind::PaidAmplification, "tiktok", "US", false),
        (UsageKind::PaidAmplification, "instagram", "DE", false),
        (UsageKind::PaidAmplification, "instagram", "WORLD", false),
        (UsageKind::AiTraining, "instagram", "US", false),
        (UsageKind::Likeness, "instagram", "US", false),
    ] {
        let (channel, territory) = (channel.to_owned(), territory.to_owned());
        let request = pb::CheckRightsRequest { kind: kind.into(), channel, territory, ..ad() };
        let answer = brand.check(request.clone()).await?;
        assert_eq!(answer.allowed, allowed, "{request:?}: {answer:?}");
        assert!(!answer.explanation.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_creator_sees_their_own_rights_and_no_others() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    let name = stage.right("ads").await.name;
    let zoe = stage.creator(CREATOR).seeing(&stage).await;
    assert!(zoe.at(PUBLISHED).check(ad()).await?.allowed);
    assert_eq!(zoe.get(&name).await?.deliverable, REEL);
    assert_eq!(zoe.list("", "").await?.total_size, 1);

    let max = stage.creator("creators/max").seeing(&stage).await;
    for error in [max.check(ad()).await.unwrap_err(), max.get(&name).await.unwrap_err()] {
        assert_eq!((error.code(), error.reason()), (Code::PermissionDenied, Some(ErrorReason::NotAParty)));
    }
    assert_eq!(max.list("", "").await?.total_size, 0);
    // Whatever they ask for.
    assert_eq!(max.list(r#"creator = "creators/zoe""#, "").await?.total_size, 0);
    let within =
        pb::ListExpiringRightsRequest { within_days: 3660, as_of_time: instant(PUBLISHED), ..Default::default() };
    assert_eq!(zoe.expiring(within.clone()).await?.total_size, 1);
    assert_eq!(max.expiring(within).await?.total_size, 0);
    Ok(())
}
