//! Partnerships now and as they were.

use prost::{Message as _, Name as _};
use tandem_client::{Error, Service};
use tandem_proto::common::v1::{ErrorReason, ListViewsRequest};
use tandem_proto::contracts::v1::{ContractDrafted, ContractProposed, ContractSigned};
use tandem_proto::google::r#type::Money;
use tandem_proto::payouts::v1::PayoutRunApproved;

use crate::world::{PARTNERSHIP, World, time};

fn signed(units: i64) -> ContractSigned {
    let committed_amount = Some(Money { currency_code: "USD".into(), units, nanos: 0 });
    ContractSigned { version: 1, committed_amount, ..Default::default() }
}

#[tokio::test]
async fn a_partnership_is_seen_as_of_any_time() -> Result<(), Error> {
    let world = World::start().await;
    let maria = world.maria();
    let mut shown = Vec::new();
    for round in 0..5 {
        let id = format!("c{round}");
        world.happens(&id, &ContractDrafted::default()).await;
        world.happens(&id, &ContractProposed::default()).await;
        let position = world.happens(&id, &signed(100)).await;
        // Of others, which have no part in it.
        world
            .happens_in("globex", PARTNERSHIP, "c1", "tandem.contracts.v1.ContractSigned", signed(7).encode_to_vec())
            .await;
        let other = "partnerships/glowco~adam";
        world.happens_in("acme", other, "adam", "tandem.contracts.v1.ContractSigned", signed(7).encode_to_vec()).await;
        shown.push(maria.after(position).partnership(None).await?);
    }
    // Without a position: all that the log has is there.
    for (round, now) in (0_i64..).zip(&shown) {
        assert_eq!(now.event_count, 3 * (round + 1));
        let signed_at = 5 * round + 3;
        assert_eq!(world.maria().partnership(Some(time(signed_at))).await?, *now);
        // Just before it was signed, and long before the next event.
        let nearly = time(signed_at) - jiff::SignedDuration::from_nanos(1);
        let before = world.maria().partnership(Some(nearly)).await?;
        assert_eq!(before.event_count, now.event_count - 1);
        assert_eq!(i64::from(before.onboarding.unwrap().signed_count), round);
    }
    let future = time(1_000_000);
    assert_eq!(world.maria().partnership(Some(future)).await?, shown[4]);
    Ok(())
}

#[tokio::test]
async fn a_payout_run_is_in_the_timelines_of_all_whom_it_pays_and_in_no_fold() -> Result<(), Error> {
    let world = World::start().await;
    let first = world.happens("c1", &signed(100)).await;
    let approved = PayoutRunApproved {
        approver: "users/frida".into(),
        partnerships: vec!["partnerships/glowco~adam".into(), PARTNERSHIP.into()],
    };
    let name = PayoutRunApproved::full_name();
    let run = world.happens_in("acme", "", "r1", &name, approved.encode_to_vec()).await;
    let last = world.happens("c2", &signed(100)).await;
    let maria = world.maria().after(last);

    for (partnership, found) in [(PARTNERSHIP, vec![first, run, last]), ("partnerships/glowco~adam", vec![run])] {
        let entries = maria.audit(&format!("partnership:\"{partnership}\"")).await?;
        assert_eq!(entries.iter().map(|entry| entry.position.unsigned_abs()).collect::<Vec<_>>(), found);
    }
    let entry = &maria.audit(&format!("type = \"{name}\"")).await?[0];
    assert_eq!((&entry.partnership[..], &entry.summary[..]), ("", "Payout run approved by users/frida"));

    let now = maria.partnership(None).await?;
    assert_eq!(now.event_count, 2);
    assert_eq!(maria.partnership(Some(time(100))).await?, now);
    Ok(())
}

#[tokio::test]
async fn before_its_first_event_there_is_no_partnership() {
    let world = World::start().await;
    let error = world.maria().partnership(Some(time(5))).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    let position = world.happens("c1", &ContractDrafted::default()).await;
    let early = time(1) - jiff::SignedDuration::from_nanos(1);
    let error = world.maria().partnership(Some(early)).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    assert_eq!(world.maria().partnership(Some(time(1))).await.unwrap().event_count, 1);

    let stranger = world.user("globex").after(position);
    for as_of in [None, Some(time(1))] {
        let error = stranger.partnership(as_of).await.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    }
}

#[tokio::test]
async fn a_long_partnership_is_seen_whole() -> Result<(), Error> {
    let world = World::start().await;
    // More than a page of the trail.
    for at in 0..1100 {
        world.happens(&format!("c{at}"), &signed(1)).await;
    }
    let row = world.maria().partnership(Some(time(1100))).await?;
    assert_eq!((row.event_count, row.onboarding.unwrap().signed_count), (1100, 1100));
    assert_eq!(world.maria().partnership(Some(time(1050))).await?.event_count, 1050);
    Ok(())
}

#[tokio::test]
async fn an_event_that_this_version_does_not_know_is_in_the_trail_and_marked_in_the_view() -> Result<(), Error> {
    let world = World::start().await;
    world.happens("c1", &ContractDrafted::default()).await;
    let unknown = world.happens_in("acme", PARTNERSHIP, "c1", "tandem.contracts.v1.ContractReopened", vec![]).await;
    let last = world.happens("c2", &signed(10)).await;
    let maria = world.maria().after(last);

    let entries = maria.audit(&format!("partnership:\"{PARTNERSHIP}\"")).await?;
    let summaries: Vec<_> = entries.iter().map(|entry| &entry.summary[..]).collect();
    assert_eq!(summaries[1], "ContractReopened (a type that is unknown here)");
    assert_eq!(entries[1].actor, entries[0].actor, "its envelope is there");
    assert_eq!(entries.len(), 3);

    let now = maria.partnership(None).await?;
    assert_eq!(now.event_count, 2);
    assert_eq!(maria.partnership(Some(time(100))).await?, now);
    let views = maria.0.views(Service::Relationships).list_views(ListViewsRequest {}).await?.into_inner().views;
    let view = |name| views.iter().find(|view| view.name == name).unwrap();
    let partnerships = view("views/partnerships");
    assert_eq!((partnerships.parked_count, partnerships.newer_count), (0, 1));
    let newer = &partnerships.newer_events[0];
    assert_eq!(newer.position.unsigned_abs(), unknown);
    assert_eq!(newer.r#type, "tandem.contracts.v1.ContractReopened");
    assert_eq!(view("views/audit").newer_count, 0);
    Ok(())
}

#[tokio::test]
async fn a_time_that_is_none_is_named() {
    let world = World::start().await;
    let as_of = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
    let request = tandem_proto::relationships::v1::GetPartnershipRequest { name: PARTNERSHIP.into(), as_of };
    let error: Error = world.maria().0.relationships().get_partnership(request).await.unwrap_err().into();
    assert_eq!(error.violations()[0].field, "as_of", "{error}");
}
