//! The register: what is in it, how it came there, and that it comes there once.

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::UsageRightState as State;

use super::stage::{END, PUBLISHED, REEL, Stage, terms_with};
use crate::fixtures::{BRAND, CREATOR, terms};
use crate::world::instant;

#[tokio::test]
async fn a_publication_begins_a_right_that_says_where_it_comes_from() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    let cause = stage.published(&contract).await;
    let right = stage.right("ads").await;
    let expected = pb::UsageRight {
        name: right.name.clone(),
        contract,
        contract_version: 1,
        clause_id: "ads".into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        participation: "participations/p1".into(),
        deliverable: REEL.into(),
        kind: pb::UsageKind::PaidAmplification.into(),
        channels: vec!["instagram".into(), "brand-site".into()],
        territories: vec!["US".into(), "CA".into()],
        start_time: instant(PUBLISHED),
        end_time: instant(END),
        state: State::Active.into(),
        create_time: instant(PUBLISHED),
        update_time: instant(PUBLISHED),
        etag: right.etag.clone(),
        time_zone: "America/New_York".into(),
        ..Default::default()
    };
    assert_eq!(right, expected);
    assert_eq!(stage.brand().get(&right.name).await?, right);

    let history = stage.history(&right.name).await;
    let [(event, granted)] = &history[..] else { panic!("{history:?}") };
    let envelope = &granted.envelope;
    assert_eq!(
        (&event[..], &envelope.actor[..], &envelope.resource),
        ("UsageRightGranted", "services/contracts", &right.name)
    );
    assert_eq!(envelope.causation_id, cause.envelope.id);
    assert_eq!(envelope.correlation_id, cause.envelope.correlation_id);
    assert_eq!(envelope.partnership, "partnerships/glowco~zoe");
    Ok(())
}

#[tokio::test]
async fn events_handed_out_again_change_nothing() {
    let mut stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    stage.publish("acme", "participations/p2/deliverables/reel-1", &contract, PUBLISHED).await;
    let (before, last) = (stage.rights().await, stage.last().await);
    assert_eq!(before.len(), 2);
    stage.world.stop().await;
    stage.forget_what_was_handled().await;
    stage.world.restart().await;
    assert_eq!(stage.rights().await, before);
    assert_eq!(stage.last().await, last);
}

#[tokio::test]
async fn what_is_published_while_the_service_is_down_is_granted_when_it_is_back() {
    let mut stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.world.stop().await;
    stage.published(&contract).await;
    stage.world.restart().await;
    assert_eq!(stage.right("ads").await.create_time, instant(PUBLISHED));
}

#[tokio::test]
async fn a_publication_may_come_before_the_contract_that_it_is_under() {
    let stage = Stage::start().await;
    stage.published("contracts/late").await;
    // Handed out again until the contract is there.
    stage.signed("late", terms()).await;
    assert_eq!(stage.right("ads").await.contract, "contracts/late");
}

#[tokio::test]
async fn tenants_are_apart() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    let name = stage.right("ads").await.name;
    let other = stage.user("globex").seeing(&stage).await;
    assert_eq!(other.list("", "").await?.total_size, 0);
    assert_eq!(other.get(&name).await.unwrap_err().reason(), Some(ErrorReason::ResourceNotFound));
    Ok(())
}

#[tokio::test]
async fn its_end_is_announced_and_comes_as_time_passes() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    let name = stage.right("ads").await.name;
    let brand = stage.brand();
    for (time, acted, state, warned) in [
        ("2026-12-04T04:59:59Z", false, State::Active, &[][..]),
        ("2026-12-04T05:00:00Z", true, State::Active, &[30]),
        ("2026-12-27T05:00:00Z", true, State::Active, &[30, 7]),
        ("2026-12-27T05:00:00Z", false, State::Active, &[30, 7]),
        ("2027-01-03T04:59:59Z", false, State::Active, &[30, 7]),
        (END, true, State::Expired, &[30, 7]),
        ("2027-02-01T00:00:00Z", false, State::Expired, &[30, 7]),
    ] {
        assert_eq!(brand.at(time).act_on_due(&name).await, acted, "{time}");
        let right = brand.get(&name).await?;
        assert_eq!((right.state(), &right.warned_days[..]), (state, warned), "{time}");
    }
    let told: Vec<_> = stage.history(&name).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(told, ["UsageRightGranted", "UsageRightExpiring", "UsageRightExpiring", "UsageRightExpired"]);
    Ok(())
}

#[tokio::test]
async fn what_is_over_by_the_clock_expires_by_itself() {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms_with(|clause| (clause.months, clause.days) = (0, 1))).await;
    // Long ago, and no test clock says so.
    stage.tell("acme", REEL, &contract, "2024-02-28T12:00:00Z", false).await;
    let name = stage.right("ads").await.name;
    let expired = async {
        while stage.brand().get(&name).await.unwrap().state() != State::Expired {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), expired).await.unwrap();
    // With the leap day.
    assert_eq!(stage.brand().get(&name).await.unwrap().end_time, instant("2024-03-01T05:00:00Z"));
}
