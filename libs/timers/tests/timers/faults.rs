//! A log that loses replies, refuses appends, and is read from replicas that lag.

use std::sync::Arc;

use tandem_eventlog::{Fault, MemoryLog};
use tandem_nats_server::NatsServer;

use crate::world::{World, from_now};

async fn world() -> (World, MemoryLog) {
    let nats = NatsServer::builder().start().await.unwrap();
    let client = async_nats::connect(nats.url()).await.unwrap();
    let log = MemoryLog::new();
    (World::over(nats, client, Arc::new(log.clone())), log)
}

#[tokio::test]
async fn whatever_the_log_does_an_alarm_goes_off_once() {
    for fault in [Fault::LostReply, Fault::LostRequest, Fault::Conflict, Fault::Unavailable] {
        let (world, log) = world().await;
        let replica = world.replica().await;
        world.set("a", Some(from_now(300))).await;
        world.until("armed", 1).await;
        log.inject(fault);
        world.goes_off("a").await;
        world.until("fired", 0).await;
        assert_eq!(world.times("a").await, 1, "{fault:?}");
        replica.stop().await;
    }
}

#[tokio::test]
async fn a_replica_that_lags_hides_no_timer() {
    let (world, log) = world().await;
    let due = from_now(500);
    world.set("a", Some(due)).await;
    // One for the arming, which would see no alarm; one for the acting, which would see none that is set.
    log.inject(Fault::StaleRead);
    let replica = world.replica().await;
    world.until("armed", 1).await;
    log.inject(Fault::StaleRead);
    world.goes_off("a").await;
    world.until("fired", 0).await;
    assert_eq!(world.times("a").await, 1);
    replica.stop().await;
}

#[tokio::test]
async fn an_event_that_comes_twice_arms_one_timer() {
    let (world, log) = world().await;
    log.inject(Fault::DuplicateDelivery);
    world.set("a", Some(from_now(400))).await;
    let replica = world.replica().await;
    world.goes_off("a").await;
    world.until("armed", 0).await;
    world.until("fired", 0).await;
    assert_eq!(world.times("a").await, 1);
    replica.stop().await;
}
