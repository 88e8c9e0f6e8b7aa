//! What a process can't handle: told, tried again, and in nobody's way.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;
use std::time::Duration;

use tandem_aggregate::{Cause, FailingDelivery, Process, ProcessError, Watched, run_processes};
use tandem_eventlog::{Append, EventLog as _, Filter, Kind, MemoryLog, NewEvent, RecordedEvent, Subject};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };

/// Tells which event it is handed, and how often; fails at what is to fail.
struct Reaction(mpsc::UnboundedSender<String>);

#[async_trait::async_trait]
impl Process for Reaction {
    fn name(&self) -> &str {
        "test-reaction"
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![KIND], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, _: &Cause) -> Result<(), ProcessError> {
        let id = event.tokens()[3].to_owned();
        self.0.send(id.clone()).unwrap();
        match &id[..] {
            "fails" => Err(ProcessError("not to be had".to_owned())),
            "panics" => panic!("asked for"),
            _ => Ok(()),
        }
    }
}

async fn happens(log: &MemoryLog, id: &str) {
    let subject = Subject::new("acme", KIND, id).unwrap();
    let time = jiff::Timestamp::UNIX_EPOCH;
    let envelope = tandem_aggregate::testing::envelope("tandem.campaigns.v1.CampaignClosed", time, "users/ada");
    let event = NewEvent { subject, envelope, payload: bytes::Bytes::new() };
    log.append(vec![Append { expected: 0, events: vec![event] }]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_told_and_tried_again_and_in_nobodys_way() {
    let log = MemoryLog::new();
    for id in ["fails", "panics", "sound"] {
        happens(&log, id).await;
    }
    let (sender, mut handed) = mpsc::unbounded_channel();
    let (process, stop) = (Watched::new(Reaction(sender)), CancellationToken::new());
    let failing = process.failing();
    let (processes, stopping): ([Arc<dyn Process>; 1], _) = ([Arc::new(process)], stop.clone());
    let running =
        tokio::spawn(async move { run_processes("test-reaction", &processes, Arc::new(log), stopping).await });

    // Time passes by itself when all wait: an hour of it.
    let begin = tokio::time::Instant::now();
    let mut count = std::collections::HashMap::<String, u64>::new();
    while begin.elapsed() < Duration::from_secs(3600) {
        *count.entry(handed.recv().await.unwrap()).or_default() += 1;
    }
    assert_eq!(count["sound"], 1);
    for id in ["fails", "panics"] {
        assert!((100..140).contains(&count[id]), "{id}: every half a minute, in the end: {}", count[id]);
    }
    let list = failing.list();
    let told: Vec<_> = list
        .iter()
        .map(|FailingDelivery { position, subject, error, .. }| (*position, &subject[..], &error[..]))
        .collect();
    assert_eq!(
        told,
        [
            (1, "acme.campaigns.campaign.fails", "not to be had"),
            (2, "acme.campaigns.campaign.panics", "the handler panicked")
        ]
    );
    assert!(list[0].attempts >= 100 && list[0].last_time >= list[0].first_time, "{list:?}");

    // A process that is there no more says nothing of what others may have handled since.
    stop.cancel();
    running.await.unwrap();
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(failing.list(), []);
}
