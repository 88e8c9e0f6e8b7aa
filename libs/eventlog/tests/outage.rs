//! The log while its server is killed, restarted, or silent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tandem_eventlog::testing::{CONTRACT, part};
use tandem_eventlog::{AppendError, EventLog, Filter, JetStreamLog, JetStreamOptions, Position, Subject};
use tandem_nats_server::{Cluster, NatsServer};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

async fn start() -> (NatsServer, JetStreamLog) {
    let server = NatsServer::builder().start().await.unwrap();
    let options =
        JetStreamOptions { ack_wait: Duration::from_secs(1), timeout: Duration::from_secs(1), ..Default::default() };
    let log = JetStreamLog::connect(&server.url(), options).await.unwrap();
    (server, log)
}

fn subject(id: &str) -> Subject {
    Subject::new("acme", CONTRACT, id).unwrap()
}

/// Appends event `id`, as one who decides would: in doubt it reads again and looks for its own event.
async fn append_surely(log: &JetStreamLog, subject: &Subject, expected: Position, id: &str) -> Position {
    let mut expected = expected;
    loop {
        match log.append(vec![part(subject, expected, &[id])]).await {
            Ok(positions) => return positions[0],
            Err(AppendError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(AppendError::Unknown(_) | AppendError::Conflict) => {
                let Ok(events) = log.read(subject, 0).await else { continue };
                if let Some(own) = events.iter().find(|event| event.envelope.id == id) {
                    return own.position;
                }
                expected = events.last().map_or(0, |event| event.position);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_costs_no_event() {
    const EVENTS: usize = 3000;
    let (mut server, log) = start().await;
    let mut followed = log.follow(&Filter::default(), 0).await.unwrap();
    let mut consumed = log.consume("outage", &Filter::default()).await.unwrap();

    let writer = tokio::spawn({
        let log = log.clone();
        async move {
            let subject = subject("c1");
            let mut last = 0;
            for n in 0..EVENTS {
                last = append_surely(&log, &subject, last, &n.to_string()).await;
            }
            last
        }
    });
    let consumer = tokio::spawn(async move {
        let mut acknowledged = BTreeSet::new();
        while acknowledged.len() < EVENTS {
            let delivery = consumed.next().await.unwrap().unwrap();
            // One whose acknowledgement fails comes again.
            if delivery.ack().await.is_ok() {
                acknowledged.insert(delivery.event().position);
            }
        }
        acknowledged
    });

    let mut positions = Vec::new();
    for n in 0..EVENTS {
        let event = timeout(PATIENCE, followed.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(event.envelope.id, n.to_string());
        positions.push(event.position);
        if n % 1000 == 500 {
            server.kill().await.unwrap();
            server.restart().await.unwrap();
        }
    }
    assert!(positions.is_sorted_by(|a, b| a < b));
    assert_eq!(timeout(PATIENCE, writer).await.unwrap().unwrap(), positions[EVENTS - 1]);
    let acknowledged = timeout(PATIENCE, consumer).await.unwrap().unwrap();
    assert_eq!(acknowledged.into_iter().collect::<Vec<_>>(), positions);
    let history = log.read(&subject("c1"), 0).await.unwrap();
    assert_eq!(history.iter().map(|event| event.position).collect::<Vec<_>>(), positions);
}

#[tokio::test]
async fn without_a_server_an_append_fails_soon_and_later_ones_succeed() {
    let (mut server, log) = start().await;
    server.kill().await.unwrap();
    for ids in [&["1"][..], &["1", "2"]] {
        let started = Instant::now();
        let failed = log.append(vec![part(&subject("c1"), 0, ids)]).await;
        assert!(matches!(failed, Err(AppendError::Unknown(_) | AppendError::Unavailable(_))), "{failed:?}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    // Who asks while it is known that nobody is there is told so at once: nothing is held back to be sent later.
    let started = Instant::now();
    for _ in 0..100 {
        assert!(log.read(&subject("c1"), 0).await.is_err());
        assert!(log.get(1).await.is_err());
        assert!(log.last_position(&Filter::default()).await.is_err());
        assert!(log.follow(&Filter::default(), 0).await.is_err());
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    server.restart().await.unwrap();
    timeout(PATIENCE, append_surely(&log, &subject("c2"), 0, "1")).await.unwrap();
}

#[tokio::test]
async fn an_append_without_an_answer_is_unknown_and_may_be_written() {
    let (server, log) = start().await;
    let pid = Pid::from_raw(server.pid().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    // The signal is only sent by then: threads that have not seen it yet would still answer.
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
    let silent = log.append(vec![part(&subject("c1"), 0, &["1"])]).await;
    assert!(matches!(silent, Err(AppendError::Unknown(_))), "{silent:?}");
    assert!(log.read(&subject("c1"), 0).await.is_err());
    // Without its first message a batch is not begun, let alone committed.
    let silent = log.append(vec![part(&subject("c2"), 0, &["1", "2"])]).await;
    assert!(matches!(silent, Err(AppendError::Unavailable(_))), "{silent:?}");
    kill_process(pid, Signal::CONT).unwrap();

    let mut events = log.follow(&Filter::default(), 0).await.unwrap();
    let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(append_surely(&log, &subject("c1"), 0, "1").await, event.position);
    assert!(log.read(&subject("c2"), 0).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lags_or_hangs_is_not_believed() {
    const ASKED: usize = 60;
    let mut cluster = Cluster::start(3, NatsServer::builder()).await.unwrap();
    let servers: Vec<String> = cluster.url().split(',').map(str::to_owned).collect();
    let client = async_nats::connect(&servers[..]).await.unwrap();
    let context = async_nats::jetstream::new(client.clone());
    let options = JetStreamOptions { replicas: 3, ..Default::default() };
    let deadline = Instant::now() + PATIENCE;
    let log = loop {
        match JetStreamLog::open(client.clone(), options.clone()).await {
            Ok(log) => break log,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    let first = append_surely(&log, &subject("c1"), 0, "1").await;
    let followers = async || {
        let info = context.get_stream("tandem").await.unwrap().cached_info().cluster.clone().unwrap();
        let connected = client.server_info().server_name;
        let others = info.replicas.into_iter().filter(|replica| replica.name != connected && replica.current);
        others.map(|replica| replica.name.trim_start_matches('n').parse::<usize>().unwrap() - 1).collect::<Vec<_>>()
    };
    let lagging = loop {
        assert!(Instant::now() < deadline, "no replica has caught up");
        if let Some(follower) = followers().await.first() {
            break *follower;
        }
    };
    cluster.members()[lagging].pause().unwrap();
    let second = timeout(PATIENCE, append_surely(&log, &subject("c1"), first, "2")).await.unwrap();
    // Some of these are with the one that hangs, and are answered with what it knew as soon as it goes on.
    let reads: Vec<_> = (0..ASKED)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { log.read(&subject("c1"), 0).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.members()[lagging].resume().unwrap();
    for read in reads {
        let positions: Vec<_> = read.await.unwrap().unwrap().iter().map(|event| event.position).collect();
        assert_eq!(positions, [first, second]);
    }
}
