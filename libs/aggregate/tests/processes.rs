//! Processes that share a consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tandem_aggregate::{Cause, Process, ProcessError, run_processes};
use tandem_eventlog::testing::{CONTRACT, EARNING, part};
use tandem_eventlog::{EventLog, Filter, Kind, MemoryLog, RecordedEvent, Subject};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Tells what it is given, and fails as often as it is told to.
struct Recorder {
    name: &'static str,
    kind: Kind,
    fails: AtomicUsize,
    seen: mpsc::UnboundedSender<(&'static str, String)>,
}

#[async_trait::async_trait]
impl Process for Recorder {
    fn name(&self) -> &str {
        self.name
    }

    fn consumer(&self) -> &str {
        "shared"
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![self.kind], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, _: &Cause) -> Result<(), ProcessError> {
        // Nobody listens once the test is over.
        let _ = self.seen.send((self.name, event.envelope.id.clone()));
        let failed = self.fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if failed { Err(ProcessError("not now".to_owned())) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_given_what_it_wants_and_an_event_comes_again_until_all_have_handled_it() {
    let log = MemoryLog::new();
    let (seen, mut told) = mpsc::unbounded_channel();
    let process = |name, kind, fails| -> Arc<dyn Process> {
        Arc::new(Recorder { name, kind, fails: AtomicUsize::new(fails), seen: seen.clone() })
    };
    let processes = [process("first", CONTRACT, 0), process("second", CONTRACT, 2), process("of earnings", EARNING, 0)];
    for (kind, id) in [(CONTRACT, "c1"), (EARNING, "e1")] {
        log.append(vec![part(&Subject::new("acme", kind, id).unwrap(), 0, &[id])]).await.unwrap();
    }
    let stop = CancellationToken::new();
    let (running, stopping) = (Arc::new(log.clone()), stop.clone());
    let run = tokio::spawn(async move { run_processes("shared", &processes, running, stopping).await });
    let mut times = std::collections::BTreeMap::new();
    for _ in 0..7 {
        *times.entry(told.recv().await.unwrap()).or_insert(0) += 1;
    }
    let expected = [(("first", "c1"), 3), (("of earnings", "e1"), 1), (("second", "c1"), 3)];
    assert_eq!(times, expected.map(|((name, id), times)| ((name, id.to_owned()), times)).into());
    // Long after the last delay nothing has come again.
    assert!(tokio::time::timeout(Duration::from_secs(3600), told.recv()).await.is_err());
    stop.cancel();
    run.await.unwrap();
}

#[test]
fn a_filter_of_several_lets_through_what_any_of_them_does() {
    let of = |kinds: &[Kind], tenant: Option<&str>| Filter { kinds: kinds.to_vec(), tenant: tenant.map(str::to_owned) };
    let kinds = |filters: &[Filter]| {
        let any = Filter::any(filters);
        (any.kinds, any.tenant)
    };
    assert_eq!(kinds(&[of(&[CONTRACT], None), of(&[EARNING, CONTRACT], None)]), (vec![CONTRACT, EARNING], None));
    assert_eq!(kinds(&[of(&[CONTRACT], None), of(&[], None)]), (Vec::new(), None), "all kinds");
    assert_eq!(kinds(&[of(&[CONTRACT], Some("a")), of(&[CONTRACT], Some("b"))]), (vec![CONTRACT], None));
    assert_eq!(kinds(&[of(&[CONTRACT], Some("a")), of(&[EARNING], Some("a"))]).1.as_deref(), Some("a"));
}
