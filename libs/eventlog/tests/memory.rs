//! The in-memory log: it conforms, and its faults do what they say.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::Duration;

use futures::StreamExt;
use tandem_eventlog::testing::{CONTRACT, part};
use tandem_eventlog::{AppendError, EventLog, Fault, Filter, MemoryLog, Subject};

async fn log() -> (MemoryLog, ()) {
    (MemoryLog::with_ack_wait(Duration::from_secs(1)), ())
}

tandem_eventlog::conformance_tests!(log());

fn subject() -> Subject {
    Subject::new("acme", CONTRACT, "c1").unwrap()
}

#[tokio::test]
async fn a_lost_reply_was_written_and_a_lost_request_was_not() {
    let log = MemoryLog::new();
    log.inject(Fault::LostReply);
    log.inject(Fault::LostRequest);
    let written = log.append(vec![part(&subject(), 0, &["1"])]).await;
    assert!(matches!(written, Err(AppendError::Unknown(_))), "{written:?}");
    let lost = log.append(vec![part(&subject(), 1, &["2"])]).await;
    assert!(matches!(lost, Err(AppendError::Unknown(_))), "{lost:?}");
    assert_eq!(log.events().len(), 1);
    assert_eq!(log.append(vec![part(&subject(), 1, &["2"])]).await.unwrap(), [2]);
}

#[tokio::test]
async fn a_lost_reply_to_a_conflict_is_a_conflict() {
    let log = MemoryLog::new();
    log.inject(Fault::LostReply);
    let refused = log.append(vec![part(&subject(), 7, &["1"])]).await;
    assert!(matches!(refused, Err(AppendError::Conflict)), "{refused:?}");
}

#[tokio::test]
async fn refusals_write_nothing() {
    let log = MemoryLog::new();
    log.inject(Fault::Conflict);
    log.inject(Fault::Unavailable);
    assert!(matches!(log.append(vec![part(&subject(), 0, &["1"])]).await, Err(AppendError::Conflict)));
    assert!(matches!(log.append(vec![part(&subject(), 0, &["1"])]).await, Err(AppendError::Unavailable(_))));
    assert!(log.events().is_empty());
}

#[tokio::test]
async fn a_delayed_append_can_be_overtaken() {
    let log = MemoryLog::new();
    log.inject(Fault::Delay(Duration::from_millis(50)));
    let slow = log.append(vec![part(&subject(), 0, &["slow"])]);
    let fast = log.append(vec![part(&subject(), 0, &["fast"])]);
    let (slow, fast) = tokio::join!(slow, fast);
    assert!(matches!(slow, Err(AppendError::Conflict)), "{slow:?}");
    assert_eq!(fast.unwrap(), [1]);
}

#[tokio::test]
async fn a_stale_read_lacks_the_last_event_once() {
    let log = MemoryLog::new();
    log.append(vec![part(&subject(), 0, &["1", "2"])]).await.unwrap();
    log.inject(Fault::StaleRead);
    assert_eq!(log.read(&subject(), 0).await.unwrap().len(), 2, "it is exact");
    assert_eq!(log.read_from_any(&subject(), 0).await.unwrap().len(), 1);
    assert_eq!(log.read_from_any(&subject(), 0).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_was_cut_off_knows_what_was_before_and_takes_nothing_to_the_others() {
    let log = MemoryLog::new();
    log.append(vec![part(&subject(), 0, &["1", "2"])]).await.unwrap();
    let cut_off = log.cut_off_at(1);
    assert_eq!(cut_off.read(&subject(), 0).await.unwrap(), log.read(&subject(), 0).await.unwrap()[..1]);
    cut_off.append(vec![part(&subject(), 1, &["other"])]).await.unwrap();
    assert_eq!(log.events().len(), 2);
}

#[tokio::test]
async fn a_duplicate_delivery_comes_after_the_acknowledgement() {
    let log = MemoryLog::new();
    log.append(vec![part(&subject(), 0, &["1", "2"])]).await.unwrap();
    log.inject(Fault::DuplicateDelivery);
    let mut deliveries = log.consume("twice", &Filter::default()).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let delivery = deliveries.next().await.unwrap().unwrap();
        delivery.ack().await.unwrap();
        seen.push((delivery.event().position, delivery.attempt()));
    }
    assert_eq!(seen, [(1, 1), (1, 2), (2, 1)]);
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let log = MemoryLog::with_ack_wait(Duration::from_millis(20));
    log.append(vec![part(&subject(), 0, &["1"])]).await.unwrap();
    let mut deliveries = log.consume("again", &Filter::default()).await.unwrap();
    assert_eq!(deliveries.next().await.unwrap().unwrap().attempt(), 1);
    assert_eq!(deliveries.next().await.unwrap().unwrap().attempt(), 2);
}
