//! Firing: on time, once, and harmless when there is nothing to do.

use tandem_timers::{AnyTimers as _, Timers};

use crate::world::{TENANT, World, from_now, meta};

#[tokio::test]
async fn an_alarm_goes_off_by_itself_and_says_why() {
    let world = World::new().await;
    let replica = world.replica().await;
    let due = from_now(300);
    world.set("a", Some(due)).await;
    let event = world.goes_off("a").await;
    assert!(event.envelope.time >= due, "{} before {due}", event.envelope.time);
    let set = &world.events("a").await[0];
    let envelope = &event.envelope;
    assert_eq!(envelope.actor, "services/test");
    assert_eq!(envelope.command, "tandem.common.v1.TimerService/ActOnDue");
    assert_eq!((&envelope.causation_id, &envelope.correlation_id[..]), (&set.envelope.id, "correlation"));
    assert!(!envelope.test_clock);
    world.settled().await;
    assert_eq!(world.times("a").await, 1);
    replica.stop().await;
}

#[tokio::test]
async fn what_was_due_before_it_is_armed_fires_at_once() {
    let world = World::new().await;
    world.set("a", Some("2020-01-01T00:00:00Z".parse().unwrap())).await;
    let replica = world.replica().await;
    world.goes_off("a").await;
    replica.stop().await;
}

#[tokio::test]
async fn each_of_many_goes_off_once_over_two_replicas() {
    let world = World::new().await;
    let replicas = [world.replica().await, world.replica().await];
    let ids: Vec<_> = (0..40).map(|n| format!("a{n}")).collect();
    let due = from_now(500);
    for id in &ids {
        world.set(id, Some(due)).await;
    }
    for id in &ids {
        world.goes_off(id).await;
    }
    // Twice more, by a server that has lost count.
    for id in &ids {
        world.fire(id, due, 1).await;
        world.fire(id, due, 1).await;
    }
    world.settled().await;
    for id in &ids {
        assert_eq!(world.times(id).await, 1, "{id}");
    }
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test]
async fn what_was_cancelled_or_moved_does_not_go_off_at_the_old_time() {
    let world = World::new().await;
    let replica = world.replica().await;
    let due = from_now(700);
    for id in ["cancelled", "later", "sooner"] {
        world.set(id, Some(due)).await;
    }
    world.until("armed", 3).await;
    let later = from_now(1500);
    world.set("cancelled", None).await;
    world.set("later", Some(later)).await;
    world.set("sooner", Some(from_now(0))).await;
    assert!(world.goes_off("sooner").await.envelope.time < due);
    assert!(world.goes_off("later").await.envelope.time >= later);
    world.settled().await;
    assert_eq!(world.times("cancelled").await, 0);
    assert_eq!(world.times("later").await, 1);
    assert_eq!(world.times("sooner").await, 1);
    replica.stop().await;
}

#[tokio::test]
async fn one_instant_can_be_due_twice() {
    let world = World::new().await;
    let replica = world.replica().await;
    let due = from_now(0);
    world.set("a", Some(due)).await;
    world.goes_off("a").await;
    world.settled().await;
    world.set("a", Some(due)).await;
    world.settled().await;
    assert_eq!(world.times("a").await, 2);
    replica.stop().await;
}

#[tokio::test]
async fn what_fires_too_early_is_acted_on_when_it_is_time() {
    let world = World::new().await;
    let replica = world.replica().await;
    let due = from_now(600);
    world.set("a", Some(due)).await;
    world.until("armed", 1).await;
    world.fire("a", due, 1).await;
    assert!(world.goes_off("a").await.envelope.time >= due);
    world.settled().await;
    assert_eq!(world.times("a").await, 1);
    replica.stop().await;
}

#[tokio::test]
async fn the_wall_clock_does_not_run_over_a_story_told_under_a_test_clock() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (told, due) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2020-02-01T00:00:00Z".parse().unwrap());
    world.set_by("story", Some(due), &meta(told, true)).await;
    // One that was armed by the wall clock, and then became a story.
    world.set("turned", Some(from_now(400))).await;
    world.until("armed", 1).await;
    world.set_by("turned", Some(due), &meta(told, true)).await;
    world.settled().await;
    assert_eq!((world.times("story").await, world.times("turned").await), (0, 0));

    // By hand, at times of the story.
    let timers = Timers::new(std::sync::Arc::clone(&world.executor));
    let before = timers.act_on_due("story", &meta(told, true)).await.unwrap().unwrap();
    assert_eq!((before.acted, before.next_due), (false, Some(due)));
    let request = meta(due, true);
    let then = timers.act_on_due("story", &request).await.unwrap().unwrap();
    assert_eq!((then.acted, then.next_due, then.position), (true, None, world.events("story").await[1].position));
    let again = timers.act_on_due("story", &request).await.unwrap().unwrap();
    assert_eq!(again, then);
    assert_eq!(timers.act_on_due("nobody", &meta(due, true)).await.unwrap(), None);

    // The first event without the test clock puts it back on the wall clock.
    world.set("turned", Some(due)).await;
    world.goes_off("turned").await;
    replica.stop().await;
    assert_eq!(world.events("story").await[0].tenant(), TENANT);
}

#[tokio::test]
async fn what_is_no_timer_is_put_away_and_holds_up_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.fire_text("a", "not JSON").await;
    world.fire_text("a", r#"{"tenant":"acme"}"#).await;
    // Of nobody: there is nothing to do.
    world.fire("nobody", from_now(0), 0).await;
    world.set("a", Some(from_now(200))).await;
    world.goes_off("a").await;
    world.settled().await;
    assert_eq!((world.times("a").await, world.times("nobody").await), (1, 0));
    replica.stop().await;
}
