//! Lists of partnerships, and the audit trail.

use prost::Message as _;
use tandem_client::Error;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{ContractDeclined, ContractDrafted, ContractProposed};
use tandem_proto::relationships::v1 as pb;
use tandem_proto::time::to_proto;

use crate::world::{Claims, PARTNERSHIP, World, time};

#[tokio::test]
async fn partnerships_are_filtered_and_ordered() -> Result<(), Error> {
    let world = World::start().await;
    let (proposed, kind) = (ContractProposed::default().encode_to_vec(), "tandem.contracts.v1.ContractProposed");
    for (at, partnership) in ["glowco~zoe", "glowco~adam", "other~zoe"].into_iter().enumerate() {
        world
            .happens_in("acme", &format!("partnerships/{partnership}"), &format!("c{at}"), kind, proposed.clone())
            .await;
    }
    world.happens_in("globex", PARTNERSHIP, "c1", kind, proposed).await;
    let last = world.happens("c0", &ContractDrafted::default()).await;
    let maria = world.maria().after(last);
    for (filter, order_by, found) in [
        ("", "", vec!["glowco~adam", "glowco~zoe", "other~zoe"]),
        ("brand = \"brands/glowco\"", "name desc", vec!["glowco~zoe", "glowco~adam"]),
        ("creator = \"creators/zoe\"", "last_event_time", vec!["other~zoe", "glowco~zoe"]),
        ("stage = ONBOARDING", "first_event_time desc", vec!["other~zoe", "glowco~adam", "glowco~zoe"]),
        ("stage = ADVOCACY", "", vec![]),
        ("first_event_time < \"2026-01-01T00:00:03Z\"", "", vec!["glowco~adam", "glowco~zoe"]),
        ("last_event_time > \"2026-01-01T00:00:04Z\"", "", vec!["glowco~zoe"]),
    ] {
        assert_eq!(maria.partnerships(filter, order_by).await?, found, "{filter} {order_by}");
    }
    assert_eq!(world.user("globex").after(last).partnerships("", "").await?, ["glowco~zoe"]);
    let error = maria.partnerships("mood = good", "").await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::FilterInvalid), "{error}");
    Ok(())
}

#[tokio::test]
async fn every_event_has_its_entry_in_the_order_of_the_log() -> Result<(), Error> {
    let world = World::start().await;
    let first = world.happens("c1", &ContractDrafted { title: "Summer".into(), ..Default::default() }).await;
    let second = world.happens_in("acme", "", "c2", "tandem.agencies.v1.AgencyHired", vec![1, 2]).await;
    world.happens_in("globex", PARTNERSHIP, "c1", "tandem.contracts.v1.ContractDeclined", vec![]).await;
    let third = world.happens("c1", &ContractDeclined::default()).await;
    let maria = world.maria().after(third);

    let all = maria.audit("").await?;
    let positions: Vec<_> = all.iter().map(|entry| entry.position.unsigned_abs()).collect();
    assert_eq!(positions, [first, second, third]);
    let expected = pb::AuditEntry {
        position: first.cast_signed(),
        r#type: "tandem.contracts.v1.ContractDrafted".into(),
        resource: "contracts/c1".into(),
        partnership: PARTNERSHIP.into(),
        time: Some(to_proto(time(1))),
        actor: "users/ada".into(),
        command: "tandem.contracts.v1.ContractService/SignContract".into(),
        reason: "because".into(),
        correlation_id: "correlation-c1".into(),
        causation_id: "cause".into(),
        summary: "Contract drafted: Summer".into(),
        partnerships: vec![PARTNERSHIP.into()],
        // Made anew in each test.
        event_id: all[0].event_id.clone(),
        request_id: format!("request-{}", all[0].event_id),
    };
    assert_eq!(all[0], expected);
    assert_eq!(all[1].summary, "AgencyHired (a type that is unknown here)");

    for (filter, found) in [
        (format!("partnership:\"{PARTNERSHIP}\""), vec![first, third]),
        ("resource = \"contracts/c2\"".into(), vec![second]),
        ("type = \"tandem.contracts.v1.ContractDeclined\"".into(), vec![third]),
        ("actor = \"users/ada\" AND time > \"2026-01-01T00:00:01Z\"".into(), vec![second, third]),
        ("command = \"tandem.contracts.v1.ContractService/SignContract\"".into(), vec![first, second, third]),
        ("correlation_id = \"correlation-c1\"".into(), vec![first, third]),
    ] {
        let entries = maria.audit(&filter).await?;
        assert_eq!(entries.iter().map(|entry| entry.position.unsigned_abs()).collect::<Vec<_>>(), found, "{filter}");
    }
    Ok(())
}

#[tokio::test]
async fn creators_do_not_see_what_brands_think_of_them() -> Result<(), Error> {
    let world = World::start().await;
    world.happens("c1", &ContractDrafted::default()).await;
    let permissions = ["relationships.*", "audit.read", "events.read"];
    let claims = Claims::new("users/portal", "acme").with_permissions(permissions).with_creator("creators/zoe");
    let zoe = world.client(claims);
    for error in [
        zoe.partnership(None).await.unwrap_err(),
        zoe.partnership(Some(time(1))).await.unwrap_err(),
        zoe.partnerships("", "").await.unwrap_err(),
        zoe.audit("").await.unwrap_err(),
        zoe.watch(pb::WatchEventsRequest::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.reason(), Some(ErrorReason::NotAParty), "{error}");
    }
    Ok(())
}
