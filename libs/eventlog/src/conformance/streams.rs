//! Checks of following the log and of consuming it.

use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;

use super::{SILENCE, contract, given, next, next_delivery};
use crate::testing::{CONTRACT, EARNING, part};
use crate::{EventLog, Filter, Kind, Subject};

fn only(tenant: &str, kinds: &[Kind]) -> Filter {
    Filter { kinds: kinds.to_vec(), tenant: Some(tenant.to_owned()) }
}

/// A follower sees what is there after its position, then what is added, in order and each once.
pub async fn follows_and_goes_on(log: &dyn EventLog) {
    let subject = contract("follow", "c1");
    let positions = given(log, &subject, &["0", "1", "2"]).await;
    let mut late = log.follow(&only("follow", &[]), positions[0]).await.unwrap();
    let mut all = log.follow(&only("follow", &[]), 0).await.unwrap();
    assert_eq!(next(&mut late).await.envelope.id, "1");
    assert_eq!(next(&mut late).await.envelope.id, "2");
    let mut last = positions[2];
    for n in 3..50 {
        last = log.append(vec![part(&subject, last, &[&n.to_string()])]).await.unwrap()[0];
        assert_eq!(next(&mut late).await.position, last);
    }
    let names: Vec<&str> = vec!["x"; 1000];
    log.append(vec![part(&subject, last, &names)]).await.unwrap();
    let mut seen = 0;
    for n in 0..1050 {
        let event = next(&mut all).await;
        assert!(event.position > seen);
        seen = event.position;
        assert_eq!(event.more, n < 1049);
        assert_eq!(event.envelope.id, if n < 50 { n.to_string() } else { "x".to_owned() });
    }
    assert!(timeout(SILENCE, all.next()).await.is_err());
}

/// A follower sees the kinds and the tenant that it asked for, and no others.
pub async fn follows_what_the_filter_lets_through(log: &dyn EventLog) {
    let earning = |tenant| Subject::new(tenant, EARNING, "e1").unwrap();
    given(log, &contract("filter", "c1"), &["contract"]).await;
    given(log, &contract("filter2", "c1"), &["other contract"]).await;
    given(log, &earning("filter"), &["earning"]).await;
    given(log, &earning("filter2"), &["other earning"]).await;
    for (filter, expected) in [
        (only("filter", &[CONTRACT]), vec!["contract"]),
        (only("filter", &[EARNING, CONTRACT]), vec!["contract", "earning"]),
        (only("filter", &[CONTRACT, CONTRACT]), vec!["contract"]),
        (only("filter2", &[]), vec!["other contract", "other earning"]),
        (Filter { kinds: vec![EARNING], tenant: None }, vec!["earning", "other earning"]),
    ] {
        let mut events = log.follow(&filter, 0).await.unwrap();
        for id in expected {
            assert_eq!(next(&mut events).await.envelope.id, id, "{filter:?}");
        }
        assert!(timeout(SILENCE, events.next()).await.is_err(), "{filter:?}");
    }
}

/// A filter's tenant can't reach into another's events.
pub async fn a_wildcard_is_no_tenant(log: &dyn EventLog) {
    for tenant in ["*", ">", "", "a.*"] {
        assert!(log.last_position(&only(tenant, &[CONTRACT])).await.is_err(), "{tenant:?}");
        assert!(log.follow(&only(tenant, &[CONTRACT]), 0).await.is_err(), "{tenant:?}");
        assert!(log.consume("wildcard", &only(tenant, &[CONTRACT])).await.is_err(), "{tenant:?}");
    }
}

/// An event that is put back comes again and tells how often it did; one that is acknowledged does not.
pub async fn hands_out_until_acknowledged(log: &dyn EventLog) {
    let subject = contract("consume", "c1");
    given(log, &subject, &["1", "2"]).await;
    let mut deliveries = log.consume("until", &only("consume", &[CONTRACT])).await.unwrap();
    let (first, second) = (next_delivery(&mut deliveries).await, next_delivery(&mut deliveries).await);
    assert_eq!((first.event().envelope.id.as_str(), first.attempt()), ("1", 1));
    assert_eq!((second.event().envelope.id.as_str(), second.attempt()), ("2", 1));
    second.ack().await.unwrap();
    let mut delivery = first;
    for attempt in 2..5 {
        delivery.retry(Duration::ZERO).await.unwrap();
        delivery = next_delivery(&mut deliveries).await;
        assert_eq!((delivery.event().envelope.id.as_str(), delivery.attempt()), ("1", attempt));
    }
    delivery.ack().await.unwrap();
    assert!(timeout(SILENCE, deliveries.next()).await.is_err());
}

/// Two readers of one name share its events.
pub async fn hands_out_under_one_name_once(log: &dyn EventLog) {
    let subject = contract("share", "c1");
    let mut left = log.consume("shared", &only("share", &[])).await.unwrap();
    let mut right = log.consume("shared", &only("share", &[])).await.unwrap();
    let mut expected = given(log, &subject, &["1", "2", "3", "4", "5", "6"]).await;
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let delivery = tokio::select! {
            delivery = next_delivery(&mut left) => delivery,
            delivery = next_delivery(&mut right) => delivery,
        };
        delivery.ack().await.unwrap();
        seen.push(delivery.event().position);
    }
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

/// An event that is put back with a delay lets others pass, and comes when the delay is over.
pub async fn puts_back_for_a_while(log: &dyn EventLog) {
    let subject = contract("delay", "c1");
    given(log, &subject, &["1", "2"]).await;
    let mut deliveries = log.consume("delayed", &only("delay", &[])).await.unwrap();
    let delivery = next_delivery(&mut deliveries).await;
    let started = tokio::time::Instant::now();
    delivery.retry(Duration::from_millis(500)).await.unwrap();
    let delivery = next_delivery(&mut deliveries).await;
    assert_eq!(delivery.event().envelope.id, "2");
    delivery.ack().await.unwrap();
    let delivery = next_delivery(&mut deliveries).await;
    assert_eq!((delivery.event().envelope.id.as_str(), delivery.attempt()), ("1", 2));
    assert!(started.elapsed() >= Duration::from_millis(450));
}

/// A consumer that comes back under its name gets what it left unacknowledged and what came meanwhile, no more.
pub async fn goes_on_where_the_consumer_was(log: &dyn EventLog) {
    let subject = contract("resume", "c1");
    let filter = only("resume", &[]);
    let positions = given(log, &subject, &["1", "2"]).await;
    let mut deliveries = log.consume("resumed", &filter).await.unwrap();
    next_delivery(&mut deliveries).await.ack().await.unwrap();
    let left = next_delivery(&mut deliveries).await;
    drop((left, deliveries));
    log.append(vec![part(&subject, positions[1], &["3"])]).await.unwrap();
    let mut deliveries = log.consume("resumed", &filter).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let delivery = next_delivery(&mut deliveries).await;
        delivery.ack().await.unwrap();
        seen.push((delivery.event().envelope.id.clone(), delivery.attempt()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [("2".to_owned(), 2), ("3".to_owned(), 1)]);
    assert!(timeout(SILENCE, deliveries.next()).await.is_err());
}
