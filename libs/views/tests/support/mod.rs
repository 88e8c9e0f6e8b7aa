//! A view of accounts whose rows remember which events they were folded from, and what tests do with it.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use prost::{Message, Name};
use tandem_eventlog::{
    Append, AppendError, DeliveryStream, EventLog, EventStream, Filter, Kind, MemoryLog, NewEvent, Position, ReadError,
    RecordedEvent, Subject, testing,
};
use tandem_views::testing::{StoreKind, TestStore};
use tandem_views::{Column, FoldError, ListQuery, View, ViewHandle, ViewStore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub const ACCOUNT: Kind = Kind { context: "payouts", aggregate: "account" };
pub const OTHER: Kind = Kind { context: "payouts", aggregate: "other" };

/// The event.
#[derive(Clone, PartialEq, Message)]
pub struct Changed {
    /// `BROKEN` can't be folded by the first version, `CLOSED` removes the row.
    #[prost(string, tag = "1")]
    pub state: String,
    #[prost(int64, tag = "2")]
    pub amount: i64,
    #[prost(string, repeated, tag = "3")]
    pub labels: Vec<String>,
    #[prost(int64, tag = "4")]
    pub due: i64,
    /// Another account that the event touches.
    #[prost(string, tag = "5")]
    pub also: String,
}

impl Name for Changed {
    const NAME: &'static str = "Changed";
    const PACKAGE: &'static str = "tandem.test.v1";
}

/// The row.
#[derive(Clone, PartialEq, Message)]
pub struct Account {
    #[prost(string, tag = "1")]
    pub state: String,
    #[prost(int64, tag = "2")]
    pub amount: i64,
    #[prost(string, repeated, tag = "3")]
    pub labels: Vec<String>,
    #[prost(message, optional, tag = "4")]
    pub due_time: Option<prost_types::Timestamp>,
    /// Events that it was folded from: shows one that is missing or came twice.
    #[prost(uint64, repeated, tag = "5")]
    pub positions: Vec<Position>,
}

/// Version 1 can't fold `BROKEN`; version 2 can, and has a column more.
pub struct Accounts<const VERSION: i32>;

impl<const VERSION: i32> View for Accounts<VERSION> {
    const NAME: &'static str = "accounts";
    const VERSION: i32 = VERSION;
    const KINDS: &'static [Kind] = &[ACCOUNT];
    type Row = Account;

    fn columns() -> Vec<Column<Account>> {
        let mut columns = vec![
            Column::text("state", |row: &Account| row.state.clone()).indexed(),
            Column::integer("amount", |row: &Account| row.amount),
            Column::set("label", |row: &Account| row.labels.clone()),
            Column::time("due_time", |row: &Account| row.due_time),
            Column::flag("overdrawn", |row: &Account| row.amount < 0),
        ];
        if VERSION > 1 {
            columns.push(Column::integer("event_count", |row: &Account| row.positions.len() as i64));
        }
        columns
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        let changed = Changed::decode(event.payload.clone())?;
        let mut keys = vec![event.tokens()[3].to_owned()];
        keys.extend(Some(changed.also).filter(|also| !also.is_empty()));
        Ok(keys)
    }

    fn fold(&self, key: &str, row: Option<Account>, event: &RecordedEvent) -> Result<Option<Account>, FoldError> {
        let changed = Changed::decode(event.payload.clone())?;
        // Of the rows that it touches only the last, so that the others must be left as they were.
        if VERSION == 1 && changed.state == "BROKEN" && (changed.also.is_empty() || changed.also == key) {
            return Err(FoldError::new("state BROKEN is unknown"));
        }
        if changed.state == "CLOSED" {
            return Ok(None);
        }
        let mut row = row.unwrap_or_default();
        row.state = changed.state;
        row.amount += changed.amount;
        row.labels = changed.labels;
        row.due_time =
            Some(changed.due).filter(|due| *due != 0).map(|seconds| prost_types::Timestamp { seconds, nanos: 0 });
        row.positions.push(event.position);
        Ok(Some(row))
    }
}

pub fn changed(state: &str, amount: i64) -> Changed {
    Changed { state: state.into(), amount, ..Changed::default() }
}

pub async fn append(log: &dyn EventLog, tenant: &str, id: &str, event: &Changed) -> Position {
    append_raw(log, tenant, ACCOUNT, id, event.encode_to_vec()).await
}

pub async fn append_raw(log: &dyn EventLog, tenant: &str, kind: Kind, id: &str, payload: Vec<u8>) -> Position {
    let subject = Subject::new(tenant, kind, id).unwrap();
    let expected = log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
    let mut envelope = testing::envelope(&format!("{tenant}-{id}-{expected}"));
    envelope.event_type = Changed::full_name();
    let event = NewEvent { subject, envelope, payload: Bytes::from(payload) };
    log.append(vec![Append { expected, events: vec![event] }]).await.unwrap()[0]
}

/// A store, a log, and views on both that can be stopped and started again.
pub struct World {
    pub place: TestStore,
    pub log: MemoryLog,
    pub shutdown: CancellationToken,
}

impl World {
    pub fn new(kind: StoreKind) -> Self {
        Self { place: TestStore::new(kind), log: MemoryLog::new(), shutdown: CancellationToken::new() }
    }

    pub async fn store(&self) -> ViewStore {
        self.place.open().await.unwrap()
    }

    pub async fn start<V: View>(&self, view: V) -> ViewHandle<V> {
        self.start_on(view, Arc::new(self.log.clone())).await
    }

    pub async fn start_on<V: View>(&self, view: V, log: Arc<dyn EventLog>) -> ViewHandle<V> {
        tandem_views::start(view, &self.store().await, log, self.shutdown.clone()).await.unwrap()
    }

    /// Stops all views of this world; new ones may be started.
    pub async fn stop<V: View>(&mut self, handle: ViewHandle<V>) {
        use tandem_views::AnyView;
        std::mem::take(&mut self.shutdown).cancel();
        handle.stopped().await;
    }

    async fn database(&self) -> sqlx::AnyConnection {
        use sqlx::Connection;
        sqlx::any::install_default_drivers();
        let url = self.place.url().await;
        let url = match self.place.kind {
            StoreKind::Sqlite => format!("{url}/accounts.sqlite"),
            StoreKind::Postgres => format!("{url}&options[search_path]={}", self.place.schema),
        };
        sqlx::AnyConnection::connect(&url).await.unwrap()
    }

    /// Changes the view's database behind its back.
    pub async fn sql(&self, statement: &str) {
        let mut database = self.database().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut database).await.unwrap();
    }

    /// All of a table, each row as text.
    pub async fn dump(&self, table: &str, order: &str) -> Vec<String> {
        let row = match self.place.kind {
            StoreKind::Sqlite => {
                let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
                self.texts(columns).await.join(" || ' ' || ")
            }
            StoreKind::Postgres => format!("CAST({table} AS TEXT)"),
        };
        self.texts(format!("SELECT {row} FROM {table} ORDER BY {order}")).await
    }

    /// Names of the tables of generations.
    pub async fn tables(&self) -> Vec<String> {
        let tables = match self.place.kind {
            StoreKind::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'".to_owned(),
            StoreKind::Postgres => {
                format!(
                    "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = '{}'",
                    self.place.schema
                )
            }
        };
        self.texts(format!("SELECT name FROM ({tables}) AS tables WHERE name LIKE 'accounts%' ORDER BY name")).await
    }

    async fn texts(&self, sql: String) -> Vec<String> {
        use sqlx::Row;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.database().await).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until the view has read the whole log.
    pub async fn caught_up<V: View>(&self, handle: &ViewHandle<V>) {
        let filter = Filter { kinds: V::KINDS.to_vec(), tenant: None };
        let last = self.log.last_position(&filter).await.unwrap();
        handle.wait_for_position(last, soon()).await.unwrap();
    }
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// All rows of a tenant, over all pages.
pub async fn rows<V: View>(handle: &ViewHandle<V>, tenant: &str) -> BTreeMap<String, V::Row> {
    let mut rows = BTreeMap::new();
    let mut page_token = String::new();
    loop {
        let query = ListQuery { page_size: 1000, page_token: &page_token, ..ListQuery::default() };
        let page = handle.list(tenant, &query).await.unwrap();
        rows.extend(page.rows);
        if page.next_page_token.is_empty() {
            return rows;
        }
        page_token = page.next_page_token;
    }
}

/// What the rows shall be: the events folded by the same fold, one row at a time.
pub fn expected<V: View>(view: &V, log: &MemoryLog, tenant: &str) -> BTreeMap<String, V::Row> {
    let events: Vec<_> = log.events().into_iter().filter(|event| event.tenant() == tenant).collect();
    let own = |event: &&RecordedEvent| V::KINDS.iter().any(|kind| event.subject.contains(&kind.to_string()));
    let ids: std::collections::BTreeSet<String> =
        events.iter().filter(own).flat_map(|event| view.keys(event).unwrap()).collect();
    ids.into_iter().filter_map(|id| Some((id.clone(), tandem_views::fold_all(view, &id, &events).unwrap()?))).collect()
}

/// Events over some accounts of two tenants, with removals and events that touch two rows; the same for the same seed.
pub async fn fill(log: &dyn EventLog, seed: u64, count: u64) {
    for n in 0..count {
        let random = (seed + n).wrapping_mul(6_364_136_223_846_793_005).rotate_left(23);
        let tenant = if random & 1 == 0 { "acme" } else { "zeta" };
        let id = format!("a{}", (random >> 1) % 17);
        let state = if random.is_multiple_of(29) { "CLOSED" } else { ["OPEN", "HELD"][(random >> 9) as usize % 2] };
        let labels = (0..(random >> 12) % 3).map(|label| format!("l{label}")).collect();
        let also = if random.is_multiple_of(7) { format!("a{}", (random >> 20) % 17) } else { String::new() };
        let event =
            Changed { labels, due: (random >> 30) as i64 % 3, also, ..changed(state, (random >> 40) as i64 % 100) };
        append(log, tenant, &id, &event).await;
    }
}

/// A log that can't be reached.
pub struct DeafLog;

#[async_trait::async_trait]
impl EventLog for DeafLog {
    async fn append(&self, _: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        Err(AppendError::Unavailable("the log is away".into()))
    }
    async fn read(&self, _: &Subject, _: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        Err(ReadError("the log is away".into()))
    }
    async fn get(&self, _: Position) -> Result<Option<RecordedEvent>, ReadError> {
        Err(ReadError("the log is away".into()))
    }
    async fn last_position(&self, _: &Filter) -> Result<Position, ReadError> {
        Err(ReadError("the log is away".into()))
    }
    async fn follow(&self, _: &Filter, _: Position) -> Result<EventStream, ReadError> {
        Err(ReadError("the log is away".into()))
    }
    async fn consume(&self, _: &str, _: &Filter) -> Result<DeliveryStream, ReadError> {
        Err(ReadError("the log is away".into()))
    }
}

/// A log that can be closed: who follows it from then on waits until it is opened.
pub struct GatedLog {
    log: MemoryLog,
    gate: tokio::sync::watch::Sender<bool>,
    asked: tokio::sync::Notify,
    last_asked: AtomicUsize,
}

impl GatedLog {
    pub fn new(log: MemoryLog) -> Self {
        let (gate, asked) = (tokio::sync::watch::Sender::new(true), tokio::sync::Notify::new());
        Self { log, gate, asked, last_asked: AtomicUsize::new(0) }
    }

    pub fn close(&self) {
        self.gate.send_replace(false);
    }

    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    /// How often it was asked where it ends.
    pub fn times_last_asked(&self) -> usize {
        self.last_asked.load(Ordering::Relaxed)
    }

    /// Waits until somebody wants to follow the closed log.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}

#[async_trait::async_trait]
impl EventLog for GatedLog {
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        self.log.append(parts).await
    }
    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.log.read(subject, after).await
    }
    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        self.log.get(position).await
    }
    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        self.last_asked.fetch_add(1, Ordering::Relaxed);
        self.log.last_position(filter).await
    }
    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
        let mut gate = self.gate.subscribe();
        if !*gate.borrow() {
            self.asked.notify_one();
        }
        gate.wait_for(|open| *open).await.map_err(|_| ReadError("the log is gone".into()))?;
        self.log.follow(filter, after).await
    }
    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
        self.log.consume(name, filter).await
    }
}
