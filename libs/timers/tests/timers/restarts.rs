//! What goes away and comes back: the service, and the server.

use crate::world::{World, from_now};

#[tokio::test]
async fn what_fires_while_the_service_is_away_is_done_when_it_is_back() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.set("a", Some(from_now(800))).await;
    world.until("armed", 1).await;
    replica.stop().await;
    world.until("fired", 1).await;
    assert_eq!(world.times("a").await, 0);
    let replica = world.replica().await;
    world.goes_off("a").await;
    world.settled().await;
    assert_eq!(world.times("a").await, 1);
    replica.stop().await;
}

#[tokio::test]
async fn a_timer_outlives_a_crash_of_the_server() {
    let mut world = World::new().await;
    let replica = world.replica().await;
    let during = from_now(300);
    world.set("during", Some(during)).await;
    world.set("after", Some(from_now(3000))).await;
    world.until("armed", 2).await;
    world.nats.kill().await.unwrap();
    // It is down when the first is due.
    tokio::time::sleep(std::time::Duration::try_from(during.duration_since(from_now(0))).unwrap_or_default()).await;
    world.nats.restart().await.unwrap();
    world.goes_off("during").await;
    world.goes_off("after").await;
    world.settled().await;
    assert_eq!((world.times("during").await, world.times("after").await), (1, 1));
    replica.stop().await;
}
