//! Given/when/then for folds, and the proof that it does not matter how the events are cut into batches.
//!
//! ```ignore
//! given(Contracts, [event(1, "acme.contracts.contract.c1", &ContractDrafted { .. })])
//!     .assert_row("acme", "c1", Some(Contract { state: "DRAFT".into(), .. }));
//! ```

mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prost::{Message, Name};
use tandem_eventlog::{Envelope, Position, RecordedEvent};

use crate::fold::reads;
use crate::generation::Generation;
use crate::park::{Blocked, Parked};
use crate::schema::Schema;
use crate::view::View;
use crate::working_set::{RowKey, WorkingSet};

pub use store::{StoreKind, TestStore};

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
        test_clock: false,
    };
    RecordedEvent { position, subject: subject.into(), envelope, payload: message.encode_to_vec().into() }
}

/// What a view makes of some events.
#[derive(Debug, PartialEq)]
pub struct Folded<R> {
    rows: BTreeMap<(String, String), R>,
    parked: Vec<Parked>,
    newer: Vec<Parked>,
}

/// Folds the events in memory, in their order; those of kinds that the view does not read are passed over.
pub fn given<V: View>(view: V, events: impl IntoIterator<Item = RecordedEvent>) -> Folded<V::Row> {
    let schema = Schema::new(V::NAME, V::VERSION, V::columns()).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = WorkingSet::new(Arc::new(view), schema, Blocked::default());
    let events = rows.keyed(events.into_iter().filter(reads::<V>).collect());
    rows.set_careful(true);
    rows.apply(events).unwrap_or_else(|error| panic!("{error}"));
    let (changed, parked) = rows.changes();
    let stored =
        |(key, row): (&RowKey, Option<&V::Row>)| Some(((key.tenant.to_string(), key.id.to_string()), row?.clone()));
    let (newer, parked) = parked.iter().cloned().partition(Parked::is_newer);
    Folded {
        rows: changed.iter().filter_map(|(key, entry)| stored((key, entry.row.as_ref()))).collect(),
        parked,
        newer,
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

    /// Events that the view passed over, for a newer version has written them.
    #[must_use]
    pub fn newer(&self) -> &[Parked] {
        &self.newer
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
    assert_batches_do_not_matter_in(StoreKind::Sqlite, view, events).await;
}

/// [`assert_batches_do_not_matter`], in a store of this kind.
pub async fn assert_batches_do_not_matter_in<V: View>(kind: StoreKind, view: impl Fn() -> V, events: &[RecordedEvent])
where
    V::Row: fmt::Debug,
{
    let expected = given(view(), events.to_vec());
    for size in [1, 2, 7, 1000] {
        let stored = store_in_batches(kind, view(), events, size).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(stored, expected, "in batches of {size}");
    }
}

async fn store_in_batches<V: View>(
    kind: StoreKind,
    view: V,
    events: &[RecordedEvent],
    size: usize,
) -> Result<Folded<V::Row>, Box<dyn std::error::Error>> {
    let place = TestStore::new(kind);
    let store = place.open().await?;
    let database = store.database(V::NAME).await?;
    let schema = Schema::new(V::NAME, V::VERSION, V::columns())?;
    let registered = database.create(V::NAME, V::VERSION, &schema).await?;
    let generation = Generation::new(V::NAME, &registered, &schema, database);
    let view = Arc::new(view);
    let mut position = 0;
    let read: Vec<_> = events.iter().filter(|event| reads::<V>(event)).cloned().collect();
    for batch in read.chunks(size) {
        // A new set for each batch: rows come from the store, never from memory.
        let mut rows = WorkingSet::new(view.clone(), schema.clone(), generation.blocked().await?);
        let keyed = rows.keyed(batch.to_vec());
        let members = generation.members(&schema, &rows.groups(&keyed)).await?;
        let missing = rows.missing(&keyed, members);
        let mut loaded = generation.load(&missing).await?;
        for key in missing {
            let row = loaded.remove(&key);
            rows.insert(key, row);
        }
        rows.set_careful(true);
        rows.apply(keyed)?;
        let last = batch.last().map_or(position, |event| event.position);
        let (changed, parked) = rows.changes();
        generation.write(&schema, (position, last), &changed, parked).await?;
        position = last;
    }
    let rows = generation.all_rows().await?;
    let all = usize::MAX >> 1;
    Ok(Folded { rows, parked: generation.parked(all).await?.1, newer: generation.newer(all).await?.1 })
}

#[cfg(test)]
pub(crate) mod tests {
    use tandem_eventlog::Kind;

    use super::*;
    use crate::{Column, FoldError, fold_all};

    #[derive(Clone, PartialEq, Message)]
    pub(crate) struct Added {
        #[prost(string, tag = "1")]
        amount: String,
    }

    impl Name for Added {
        const NAME: &'static str = "Added";
        const PACKAGE: &'static str = "tandem.test.v1";
    }

    #[derive(Clone, PartialEq, Message)]
    pub(crate) struct Sum {
        #[prost(int64, tag = "1")]
        total: i64,
        #[prost(string, repeated, tag = "2")]
        labels: Vec<String>,
    }

    /// Sums up; a sum of zero is no row. Every event also touches the row `all`.
    pub(crate) struct Sums;

    impl View for Sums {
        const NAME: &'static str = "sums";
        const VERSION: i32 = 1;
        const KINDS: &'static [Kind] = &[Kind { context: "tests", aggregate: "sum" }];
        type Row = Sum;

        fn columns() -> Vec<Column<Sum>> {
            vec![
                Column::integer("total", |row: &Sum| row.total).indexed(),
                Column::set("label", |row: &Sum| row.labels.clone()),
            ]
        }

        fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
            Ok(vec![event.tokens()[3].to_owned(), "all".to_owned(), "all".to_owned()])
        }

        fn fold(&self, _key: &str, row: Option<Sum>, event: &RecordedEvent) -> Result<Option<Sum>, FoldError> {
            let Added { amount } = Added::decode(event.payload.clone())?;
            let mut row = row.unwrap_or_default();
            row.total += amount.parse::<i64>().map_err(FoldError::new)?;
            row.labels = vec![format!("parity{}", row.total % 2), amount];
            Ok(Some(row).filter(|row| row.total != 0))
        }
    }

    pub(crate) fn added(position: Position, id: &str, amount: &str) -> RecordedEvent {
        event(position, &format!("acme.tests.sum.{id}"), &Added { amount: amount.into() })
    }

    #[test]
    fn rows_and_parked_events_are_told() {
        let other = event(4, "acme.tests.other.s1", &Added { amount: "9".into() });
        let events = [added(1, "s1", "5"), added(2, "s2", "many"), added(3, "s1", "-5"), other, added(5, "s2", "1")];
        let folded = given(Sums, events);
        assert!(folded.assert_row("acme", "s1", None).rows().is_empty());
        assert_eq!(folded.parked().iter().map(|parked| parked.position).collect::<Vec<_>>(), [2, 5]);
    }

    async fn batches_do_not_matter(kind: StoreKind) {
        let amounts = ["3", "-3", "many", "0", "7", "-1"];
        let events: Vec<_> = (0..400_u64)
            .map(|n| added(n * 2 + 1, &format!("s{}", n * n % 61), amounts[(n * 7 % 97 % 6) as usize]))
            .collect();
        assert!(given(Sums, events.clone()).parked().len() > 10);
        assert_batches_do_not_matter_in(kind, || Sums, &events).await;
    }

    /// An amount goes to the row of its aggregate; one of the aggregate `all` to each row with the same label.
    struct Labelled;

    impl View for Labelled {
        const NAME: &'static str = "labelled";
        const VERSION: i32 = 1;
        const KINDS: &'static [Kind] = &[];
        type Row = Sum;

        fn columns() -> Vec<Column<Sum>> {
            vec![Column::text("label", |row: &Sum| row.labels.concat()).grouping()]
        }

        fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
            Ok(Vec::from_iter(Some(event.tokens()[3].to_owned()).filter(|id| id != "all")))
        }

        fn groups(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
            Ok(Vec::from_iter(event.envelope.reason.split_terminator(' ').map(str::to_owned)))
        }

        fn fold(&self, key: &str, row: Option<Sum>, event: &RecordedEvent) -> Result<Option<Sum>, FoldError> {
            let Added { amount } = Added::decode(event.payload.clone())?;
            // A row that is gone comes back by an event of its own alone.
            if row.is_none() && event.tokens()[3] == "all" {
                return Ok(None);
            }
            let mut row = row.unwrap_or_else(|| Sum { total: 0, labels: vec![key[..2].to_owned()] });
            row.total += amount.parse::<i64>().map_err(FoldError::new)?;
            Ok(Some(row).filter(|row| row.total != 0))
        }
    }

    /// For every row of these labels.
    fn shared(position: Position, tenant: &str, labels: &str, amount: &str) -> RecordedEvent {
        let mut event = event(position, &format!("{tenant}.tests.sum.all"), &Added { amount: amount.into() });
        event.envelope.reason = labels.into();
        event
    }

    #[test]
    fn an_event_touches_a_whole_group_and_nothing_else() {
        let events = [
            added(1, "ax", "1"),
            added(2, "ay", "2"),
            added(3, "bx", "3"),
            shared(4, "acme", "ax bx", "10"),
            shared(5, "globex", "ax", "1000"),
            shared(6, "acme", "ax", "100"),
            added(7, "ax2", "4"),
        ];
        let folded = given(Labelled, events.clone());
        let totals: Vec<_> = folded.rows().iter().map(|((_, id), row)| (&id[..], row.total)).collect();
        assert_eq!(totals, [("ax", 111), ("ax2", 4), ("ay", 2), ("bx", 13)]);
        for (id, total) in [("ax", 111), ("ay", 2), ("bx", 13)] {
            assert_eq!(
                fold_all(&Labelled, id, &events[..4]).unwrap().map(|row| row.total + 100 * i64::from(id == "ax")),
                Some(total)
            );
        }
    }

    async fn batches_do_not_matter_to_groups(kind: StoreKind) {
        let event = |n: u64| match n % 7 {
            0 => shared(
                n,
                "acme",
                ["a0", "a1 b1", "b0 b0", "none"][(n % 4) as usize],
                ["1", "-3", "many"][(n % 3) as usize],
            ),
            _ => added(
                n,
                &format!("{}{}{}", ["a", "b"][(n % 2) as usize], n * n % 3, n % 11),
                ["3", "-3", "2"][(n % 3) as usize],
            ),
        };
        let events: Vec<_> = (1..300).map(event).collect();
        assert_batches_do_not_matter_in(kind, || Labelled, &events).await;
    }

    /// Sees its earlier self in the events of a batch only, as a fold with hidden state would.
    struct Impure(std::sync::atomic::AtomicI64);

    impl View for Impure {
        const NAME: &'static str = "impure";
        const VERSION: i32 = 1;
        const KINDS: &'static [Kind] = &[];
        type Row = Sum;

        fn columns() -> Vec<Column<Sum>> {
            Vec::new()
        }

        fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(vec![event.tokens()[3].to_owned()])
        }

        fn fold(&self, _: &str, _: Option<Sum>, _: &RecordedEvent) -> Result<Option<Sum>, FoldError> {
            Ok(Some(Sum { total: self.0.load(std::sync::atomic::Ordering::Relaxed), labels: Vec::new() }))
        }
    }

    #[tokio::test]
    #[should_panic(expected = "in batches of 1")]
    async fn a_fold_with_hidden_state_is_found_out() {
        let events: Vec<_> = (1..5).map(|n| added(n, &format!("s{n}"), "1")).collect();
        assert_batches_do_not_matter(|| Impure(0.into()), &events).await;
    }

    crate::on_every_store!(batches_do_not_matter, batches_do_not_matter_to_groups);
}
