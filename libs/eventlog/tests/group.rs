//! Appends that share batches: each is answered as if it were alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tandem_eventlog::testing::{CONTRACT, part};
use tandem_eventlog::{AppendError, EventLog, Filter, JetStreamLog, JetStreamOptions, Subject};
use tandem_nats_server::NatsServer;

/// Many that wait share a batch, whatever the server takes for one.
async fn log(server: &NatsServer, timeout: Duration) -> Arc<JetStreamLog> {
    let options = JetStreamOptions { group_above: Duration::ZERO, timeout, ..Default::default() };
    Arc::new(JetStreamLog::connect(&server.url(), options).await.unwrap())
}

fn subject(id: &str) -> Subject {
    Subject::new("acme", CONTRACT, id).unwrap()
}

tandem_eventlog::conformance_tests!(conforming());

async fn conforming() -> (JetStreamLog, NatsServer) {
    let server = NatsServer::builder().start().await.unwrap();
    let options =
        JetStreamOptions { ack_wait: Duration::from_secs(1), group_above: Duration::ZERO, ..Default::default() };
    (JetStreamLog::connect(&server.url(), options).await.unwrap(), server)
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_guard_does_not_hold_is_refused_and_all_others_are_written_once() {
    let server = NatsServer::builder().start().await.unwrap();
    let log = log(&server, Duration::from_secs(5)).await;
    for n in (0..300).step_by(7) {
        log.append(vec![part(&subject(&format!("c{n}")), 0, &[&format!("first-{n}")])]).await.unwrap();
    }
    // Every seventh is there already, and each is tried twice at the same moment.
    let tried = (0..600).map(|n| {
        let (log, n) = (Arc::clone(&log), n % 300);
        tokio::spawn(async move { (n, log.append(vec![part(&subject(&format!("c{n}")), 0, &[&n.to_string()])]).await) })
    });
    let mut written = std::collections::BTreeMap::<usize, Vec<u64>>::new();
    for tried in join_all(tried).await {
        match tried.unwrap() {
            (n, Ok(positions)) => written.entry(n).or_default().extend(positions),
            (_, Err(AppendError::Conflict)) => {}
            (n, Err(error)) => panic!("{n}: {error}"),
        }
    }
    for n in 0..300 {
        let events = log.read(&subject(&format!("c{n}")), 0).await.unwrap();
        assert_eq!(events.len(), 1, "c{n}");
        let answered = written.get(&n).cloned().unwrap_or_default();
        let expected = if n % 7 == 0 { Vec::new() } else { vec![events[0].position] };
        assert_eq!(answered, expected, "c{n}");
        if n % 7 != 0 {
            assert_eq!(events[0].payload, n.to_string());
        }
    }
    assert_eq!(log.last_position(&Filter::default()).await.unwrap(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_leaves_the_others_waiting_for_nothing() {
    let server = NatsServer::builder().start().await.unwrap();
    let log = log(&server, Duration::from_secs(5)).await;
    let tried: Vec<_> = (0..200)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(vec![part(&subject(&format!("c{n}")), 0, &["1"])]).await })
        })
        .collect();
    for gone in tried.iter().step_by(3) {
        gone.abort();
    }
    let answers = join_all(tried).await;
    let stayed = answers.into_iter().filter_map(Result::ok).map(Result::unwrap);
    let positions: BTreeSet<_> = stayed.flatten().collect();
    assert!(positions.len() >= 133, "{}", positions.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nobody_is_left_waiting() {
    let mut server = NatsServer::builder().start().await.unwrap();
    let log = log(&server, Duration::from_millis(500)).await;
    let tried: Vec<_> = (0..400)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(vec![part(&subject(&format!("c{n}")), 0, &["1"])]).await })
        })
        .collect();
    server.kill().await.unwrap();
    let answers = join_all(tried).await;
    server.restart().await.unwrap();
    let log = JetStreamLog::connect(&server.url(), JetStreamOptions::default()).await.unwrap();
    for (n, answer) in answers.into_iter().enumerate() {
        let events = log.read(&subject(&format!("c{n}")), 0).await.unwrap();
        match answer.unwrap() {
            Ok(positions) => assert_eq!(positions, [events[0].position], "c{n}"),
            Err(AppendError::Unavailable(_)) => assert!(events.is_empty(), "c{n}"),
            Err(AppendError::Unknown(_)) => {}
            Err(AppendError::Conflict) => panic!("c{n}"),
        }
    }
}
