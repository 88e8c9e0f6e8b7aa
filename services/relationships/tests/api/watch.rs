//! The log as a stream.

use prost::Message as _;
use tandem_client::Error;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{ContractDeclined, ContractDrafted};
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tandem_proto::time::to_proto;

use crate::world::{PARTNERSHIP, World, time};

#[tokio::test]
async fn what_is_there_comes_first_then_what_happens() -> Result<(), Error> {
    let world = World::start().await;
    let drafted = ContractDrafted { title: "Summer".into(), ..Default::default() };
    let first = world.happens("c1", &drafted).await;
    let mut events = world.maria().watch(WatchEventsRequest::default()).await?;
    let event = events.message().await?.unwrap();
    let expected = WatchEventsResponse {
        position: first.cast_signed(),
        id: event.id.clone(),
        r#type: "tandem.contracts.v1.ContractDrafted".into(),
        source: "/tandem/contracts".into(),
        subject: "contracts/c1".into(),
        time: Some(to_proto(time(1))),
        actor: "users/ada".into(),
        command: "tandem.contracts.v1.ContractService/SignContract".into(),
        reason: "because".into(),
        correlation_id: "correlation-c1".into(),
        causation_id: "cause".into(),
        partnership: PARTNERSHIP.into(),
        data: drafted.encode_to_vec(),
        request_id: format!("request-{}", event.id),
        test_clock: false,
    };
    assert_eq!(event, expected);
    for _ in 0..3 {
        let position = world.happens("c1", &ContractDeclined::default()).await;
        assert_eq!(events.message().await?.unwrap().position.unsigned_abs(), position);
    }
    Ok(())
}

#[tokio::test]
async fn until_now_ends_with_the_last_event_of_now() {
    let world = World::start().await;
    let maria = world.maria();
    assert_eq!(maria.now(WatchEventsRequest::default()).await, [0_i64; 0]);
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(world.happens("c1", &ContractDeclined::default()).await.cast_signed());
    }
    // The end of the log is another tenant's.
    world.happens_in("globex", PARTNERSHIP, "c1", "tandem.contracts.v1.ContractDeclined", vec![]).await;
    assert_eq!(maria.now(WatchEventsRequest::default()).await, all);
    // The last one is filtered out.
    let types = vec!["tandem.contracts.v1.ContractDrafted".into()];
    assert_eq!(maria.now(WatchEventsRequest { types, ..Default::default() }).await, [0_i64; 0]);
}

#[tokio::test]
async fn a_watcher_goes_on_after_any_position() {
    let world = World::start().await;
    let maria = world.maria();
    let mut all = Vec::new();
    for at in 0..6 {
        all.push(world.happens(&format!("c{at}"), &ContractDeclined::default()).await.cast_signed());
    }
    for (at, &after_position) in all.iter().enumerate() {
        assert_eq!(maria.now(WatchEventsRequest { after_position, ..Default::default() }).await, all[at + 1..]);
    }
    let beyond = WatchEventsRequest { after_position: 1_000_000, ..Default::default() };
    assert_eq!(maria.now(beyond).await, [0_i64; 0]);
}

#[tokio::test]
async fn types_and_partnership_are_chosen() {
    let world = World::start().await;
    let drafted = world.happens("c1", &ContractDrafted::default()).await.cast_signed();
    let declined = world.happens("c1", &ContractDeclined::default()).await.cast_signed();
    let name = "tandem.contracts.v1.ContractDeclined";
    let other = "partnerships/glowco~adam";
    let others = world.happens_in("acme", other, "c2", name, vec![]).await.cast_signed();
    let maria = world.maria();
    let chosen = |types: &[&str], partnership: &str| WatchEventsRequest {
        types: types.iter().map(|&name| name.to_owned()).collect(),
        partnership: partnership.into(),
        ..Default::default()
    };
    assert_eq!(maria.now(chosen(&[], "")).await, [drafted, declined, others]);
    assert_eq!(maria.now(chosen(&[name], "")).await, [declined, others]);
    assert_eq!(maria.now(chosen(&[name], PARTNERSHIP)).await, [declined]);
    assert_eq!(
        maria.now(chosen(&[name, "tandem.contracts.v1.ContractDrafted"], PARTNERSHIP)).await,
        [drafted, declined]
    );
    assert_eq!(maria.now(chosen(&[], other)).await, [others]);
}

#[tokio::test]
async fn what_would_never_come_is_refused() {
    let world = World::start().await;
    for (types, partnership, field) in [
        (vec!["tandem.contracts.v1.ContractDeclined".to_owned(), "ContractDeclined".to_owned()], "", "types[1]"),
        (Vec::new(), "glowco~mira", "partnership"),
    ] {
        let request = WatchEventsRequest { types, partnership: partnership.into(), ..Default::default() };
        let error = world.maria().watch(request).await.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::FieldInvalid), "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
    }
}

#[tokio::test]
async fn tenants_see_their_own_events_alone() -> Result<(), Error> {
    let world = World::start().await;
    let mut globex = world.user("globex").watch(WatchEventsRequest::default()).await?;
    for _ in 0..3 {
        world.happens("c1", &ContractDeclined::default()).await;
    }
    let theirs = world.happens_in("globex", PARTNERSHIP, "c1", "tandem.contracts.v1.ContractDeclined", vec![]).await;
    assert_eq!(globex.message().await?.unwrap().position.unsigned_abs(), theirs);
    assert_eq!(world.user("globex").now(WatchEventsRequest::default()).await, [theirs.cast_signed()]);
    Ok(())
}

#[tokio::test]
async fn a_shutdown_ends_the_stream_and_says_how_to_go_on() -> Result<(), Error> {
    let world = World::start().await;
    let first = world.happens("c1", &ContractDeclined::default()).await;
    let mut events = world.maria().watch(WatchEventsRequest::default()).await?;
    assert_eq!(events.message().await?.unwrap().position.unsigned_abs(), first);
    world.service.shut_down();
    let error = Error::from(events.message().await.unwrap_err());
    assert_eq!(error.reason(), Some(ErrorReason::LogUnavailable), "{error}");
    assert!(error.message().contains("Watch again after the position"), "{error}");
    let World { service, nats, .. } = world;
    service.stop().await.unwrap();
    drop(nats);
    Ok(())
}
