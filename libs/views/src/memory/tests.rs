//! Memory answers as SQLite does.

use std::sync::Arc;
use std::time::Duration;

use tandem_eventlog::{Append, MemoryLog, NewEvent, RecordedEvent, Subject, testing::envelope};
use tandem_eventlog::{EventLog as _, Kind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{MemoryViews, StoreGate};
use crate::testing::given;
use crate::testing::tests::added;
use crate::{Column, FoldError, ListQuery, View, ViewHandle, ViewStore};

#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "2")]
    amount: i64,
    #[prost(string, repeated, tag = "3")]
    labels: Vec<String>,
    #[prost(message, optional, tag = "4")]
    due: Option<prost_types::Timestamp>,
}

/// Rows of many shapes out of the positions of events.
struct Shapes;

impl View for Shapes {
    const NAME: &'static str = "shapes";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[];
    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::text("name", |row: &Row| row.name.clone()).grouping(),
            Column::integer("amount", |row: &Row| row.amount),
            Column::set("label", |row: &Row| row.labels.clone()),
            Column::time("due", |row: &Row| row.due),
            Column::flag("even", |row: &Row| row.amount % 2 == 0),
        ]
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn groups(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(Vec::from_iter((event.position.is_multiple_of(5)).then(|| "B".to_owned())))
    }

    fn fold(&self, key: &str, row: Option<Row>, event: &RecordedEvent) -> Result<Option<Row>, FoldError> {
        let n = event.position;
        if n.is_multiple_of(17) {
            return Err(FoldError::new("an event that can't be folded"));
        }
        let name =
            row.as_ref().map_or_else(|| ["B", "a", "ä", ""][(n % 4) as usize].to_owned(), |row| row.name.clone());
        let amount = row.map_or(0, |row| row.amount) + i64::try_from(n % 7).unwrap_or(0) - 2;
        let labels = (0..n % 3).map(|label| format!("l{label}")).collect();
        let due = (!n.is_multiple_of(3))
            .then(|| prost_types::Timestamp { seconds: i64::try_from(n % 4).unwrap_or(0), nanos: 0 });
        Ok(Some(Row { name, amount, labels, due }).filter(|_| !n.is_multiple_of(11) || key.is_empty()))
    }
}

async fn log() -> MemoryLog {
    let log = MemoryLog::new();
    for n in 1..=200_u64 {
        let subject =
            Subject::new("acme", Kind { context: "tests", aggregate: "sum" }, &format!("s{}", n * n % 43)).unwrap();
        let expected = log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
        let payload = added(n, subject.id(), "1").payload;
        let event = NewEvent { subject, envelope: envelope(&n.to_string()), payload };
        log.append(vec![Append { expected, events: vec![event] }]).await.unwrap();
    }
    log
}

async fn followed(store: &ViewStore, log: &MemoryLog) -> ViewHandle<Shapes> {
    let view = crate::start(Shapes, store, Arc::new(log.clone()), CancellationToken::new()).await.unwrap();
    view.wait_for_position(200, Instant::now() + Duration::from_secs(60)).await.unwrap();
    view
}

#[tokio::test]
async fn every_query_is_answered_as_by_sqlite() {
    let (log, directory, views) = (log().await, tempfile::tempdir().unwrap(), MemoryViews::default());
    let sqlite = ViewStore::open(&format!("sqlite:{}", directory.path().display())).await.unwrap();
    let (sqlite, memory) = (followed(&sqlite, &log).await, followed(&ViewStore::in_memory(views.clone()), &log).await);
    for filter in [
        "",
        "name = B",
        "name != \"\" AND amount >= 1",
        "name > a OR label:l1",
        "NOT label:* AND even = true",
        "due < \"1970-01-01T00:00:02Z\" AND (NOT even = false OR amount < 0)",
        "NOT due:*",
        "due >= \"1970-01-01T00:00:01Z\"",
        "id <= s3",
        "nonsense = 1",
    ] {
        for order_by in ["", "name, amount desc", "due desc, even", "amount"] {
            let (mut page_token, mut pages) = (String::new(), 0);
            loop {
                let query = ListQuery { filter, order_by, page_size: 5, page_token: &page_token, fixed: vec![] };
                let (expected, page) = (sqlite.list("acme", &query).await, memory.list("acme", &query).await);
                let next = page.as_ref().map(|page| page.next_page_token.clone()).unwrap_or_default();
                match (expected, page) {
                    (Ok(expected), Ok(page)) => assert_eq!(page, expected, "{filter} by {order_by}"),
                    (Err(expected), Err(error)) => assert_eq!(error.to_string(), expected.to_string()),
                    (expected, page) => panic!("{filter}: {expected:?}, {page:?}"),
                }
                page_token = next;
                pages += 1;
                if page_token.is_empty() {
                    break;
                }
            }
            assert!(!filter.is_empty() || pages > 2, "{pages}");
        }
    }
    let fixed = |value: &str| vec![("name", value.to_owned()), ("label", "l0".to_owned())];
    let query = ListQuery { fixed: fixed("a"), ..ListQuery::default() };
    assert_eq!(memory.list("acme", &query).await.unwrap(), sqlite.list("acme", &query).await.unwrap());
    assert_eq!(memory.list("globex", &ListQuery::default()).await.unwrap().total_size, 0);
    let folded = given(Shapes, log.events());
    let (position, rows, parked) = views.live::<Row>("shapes").unwrap();
    assert_eq!((position, &rows, &parked[..]), (200, folded.rows(), folded.parked()));
    assert!(rows.len() > 10 && parked.len() > 3);
}

/// Fails so many times on the way in and out.
struct Failing(std::sync::atomic::AtomicU32);

#[async_trait::async_trait]
impl StoreGate for Failing {
    async fn pass(&self) -> Result<(), String> {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if n % 3 == 1 && n < 12 { Err("the disk is away".to_owned()) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_between_is_done_again_and_not_twice() {
    let (log, views) = (log().await, MemoryViews::default());
    let failing = ViewStore::in_memory(views.through(Arc::new(Failing(0.into()))));
    drop(followed(&failing, &log).await);
    let folded = given(Shapes, log.events());
    let (_, rows, parked) = views.live::<Row>("shapes").unwrap();
    assert_eq!((&rows, &parked[..]), (folded.rows(), folded.parked()));
}
