//! Given/when/then for folds, and the proof that it does not matter how the events are cut into batches.
//!
//! ```ignore
//! given(Contracts, [event(1, "acme.contracts.contract.c1", &ContractDrafted { .. })])
//!     .assert_row("acme", "c1", Some(Contract { state: "DRAFT".into(), .. }));
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prost::{Message, Name};
use tandem_eventlog::{Envelope, Position, RecordedEvent};

use crate::generation::Generation;
use crate::park::{Blocked, Parked};
use crate::schema::Schema;
use crate::store::ViewStore;
use crate::view::View;
use crate::working_set::{RowKey, WorkingSet};

/// An event as the log would give it: of the message's type, decided `position` seconds after 1970. Set other parts of
/// the envelope on the result.
#[must_use]
pub fn event<M: Message + Name>(position: Position, subject: &str, message: &M) -> RecordedEvent {
    let mut tokens = subject.split('.').skip(1);
    let (context, id) = (tokens.next().unwrap_or_default(), tokens.nth(1).unwrap_or_default());
    let envelope = Envelope {
        id: format!("event-{position}"),
        event_type: M::full_name(),
        resource: format!("{context}/{id}"),
        time: Timestamp::from_second(i64::try_from(position).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX),
        actor: "users/ada".into(),
        command: String::new(),
        reason: String::new(),
        request_id: format!("request-{position}"),
        request_hash: String::new(),
        correlation_id: String::new(),
        causation_id: String::new(),
        partnership: String::new(),
        traceparent: String::new(),
    };
    RecordedEvent { position, subject: subject.into(), envelope, payload: message.encode_to_vec().into() }
}

/// What a view makes of some events.
#[derive(Debug, PartialEq)]
pub struct Folded<R> {
    rows: BTreeMap<(String, String), R>,
    parked: Vec<Parked>,
}

/// Folds the events in memory, in their order.
pub fn given<V: View>(view: V, events: impl IntoIterator<Item = RecordedEvent>) -> Folded<V::Row> {
    let schema = Schema::new(V::NAME, V::VERSION, V::columns()).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = WorkingSet::new(Arc::new(view), schema, Blocked::default());
    let events = rows.keyed(events.into_iter().collect());
    rows.apply(events);
    let (changed, parked) = rows.changes();
    let stored =
        |(key, row): (&RowKey, Option<&V::Row>)| Some(((key.tenant.to_string(), key.id.to_string()), row?.clone()));
    Folded {
        rows: changed.iter().filter_map(|(key, entry)| stored((key, entry.row.as_ref()))).collect(),
        parked: parked.to_vec(),
    }
}

impl<R: PartialEq + fmt::Debug> Folded<R> {
    /// The row, if there is one.
    #[must_use]
    pub fn row(&self, tenant: &str, key: &str) -> Option<&R> {
        self.rows.get(&(tenant.to_owned(), key.to_owned()))
    }

    /// All rows, by tenant and key.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<(String, String), R> {
        &self.rows
    }

    /// Events that the view could not take.
    #[must_use]
    pub fn parked(&self) -> &[Parked] {
        &self.parked
    }

    /// Panics unless the row is this one, or there is none.
    #[track_caller]
    pub fn assert_row(&self, tenant: &str, key: &str, expected: Option<&R>) -> &Self {
        assert_eq!(self.row(tenant, key), expected, "row {key:?} of tenant {tenant:?}");
        self
    }
}

/// Panics unless events in batches of 1, 2, 7 and 1000, written to a store after each, leave the rows and parked events
/// that they leave when folded at once in memory. `view` makes a view for each run.
pub async fn assert_batches_do_not_matter<V: View>(view: impl Fn() -> V, events: &[RecordedEvent])
where
    V::Row: fmt::Debug,
{
    let expected = given(view(), events.to_vec());
    for size in [1, 2, 7, 1000] {
        let stored = store_in_batches(view(), events, size).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(stored, expected, "in batches of {size}");
    }
}

async fn store_in_batches<V: View>(
    view: V,
    events: &[RecordedEvent],
    size: usize,
) -> Result<Folded<V::Row>, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = ViewStore::open(&format!("sqlite:{}", directory.path().display())).await?;
    let database = store.database(V::NAME).await?;
    let schema = Schema::new(V::NAME, V::VERSION, V::columns())?;
    let registered = database.create(V::NAME, V::VERSION, &schema).await?;
    let generation = Generation::new(V::NAME, &registered, &schema, database);
    let view = Arc::new(view);
    let mut position = 0;
    for batch in events.chunks(size) {
        // A new set for each batch: rows come from the store, never from memory.
        let mut rows = WorkingSet::new(view.clone(), schema.clone(), generation.blocked().await?);
        let keyed = rows.keyed(batch.to_vec());
        let missing = rows.missing(&keyed);
        let mut loaded = generation.load(&missing).await?;
        for key in missing {
            let row = loaded.remove(&key);
            rows.insert(key, row);
        }
        rows.apply(keyed);
        let last = batch.last().map_or(position, |event| event.position);
        let (changed, parked) = rows.changes();
        generation.write(&schema, (position, last), &changed, parked).await?;
        position = last;
    }
    let rows = generation.all_rows().await?;
    Ok(Folded { rows, parked: generation.parked(usize::MAX >> 1).await?.1 })
}
