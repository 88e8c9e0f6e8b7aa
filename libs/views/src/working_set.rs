//! The rows that a batch touches, in memory: events are folded here, and what changed is written from here.
//!
//! Invariant: an event changes all of the rows that it touches or, if one of them can't take it, none. If that can't be
//! kept, for a row went with the fold that failed, all of them are given up ([`Spoiled`]).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use prost::Message;
use tandem_eventlog::RecordedEvent;

use crate::fold::{self, FoldError};
use crate::park::{Blocked, Parked};
use crate::schema::Schema;
use crate::view::View;

/// Times that a row is larger in memory than it is encoded: a short text is three words and an allocation, a field that is
/// not set still has its place.
const EXPANSION: usize = 4;
/// Bytes of a row beside itself: its keys on the heap, its place in tables that have room to grow.
const PLACE: usize = 256;
/// Bytes of a parked event, whose error is a sentence.
const PARKED: usize = 512;

/// Address of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) tenant: Arc<str>,
    pub(crate) id: Arc<str>,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) tenant: Arc<str>,
    pub(crate) value: String,
}

/// A member of a set column of some row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

pub(crate) struct Entry<R> {
    /// The row as the events so far leave it.
    pub(crate) row: Option<R>,
    /// Whether the store has a row of this key.
    pub(crate) stored: bool,
    /// The tags that the store has for it, sorted.
    pub(crate) stored_tags: Vec<Tag>,
    dirty: bool,
    /// About how much memory it takes.
    bytes: usize,
}

/// A row to be written.
pub(crate) type Change<'a, R> = (&'a RowKey, &'a Entry<R>);

/// An event with the rows that it touches.
pub(crate) struct Keyed {
    event: RecordedEvent,
    touched: Result<Touched, FoldError>,
}

/// Rows by their keys, and all of these groups.
struct Touched {
    keys: Vec<RowKey>,
    groups: Vec<Group>,
}

/// A row went with the event that it could not take. The working set is of no more use: what it has not written is to be
/// folded anew, by one that is careful.
#[derive(Debug, thiserror::Error)]
#[error("a row went with the event that it could not take")]
pub(crate) struct Spoiled;

/// Why an event was not folded.
enum Unfolded {
    /// It can't be. Nothing changed.
    Unfit(FoldError),
    Spoiled,
}

impl From<FoldError> for Unfolded {
    fn from(error: FoldError) -> Self {
        Self::Unfit(error)
    }
}

pub(crate) struct WorkingSet<V: View> {
    view: Arc<V>,
    schema: Arc<Schema<V::Row>>,
    rows: HashMap<RowKey, Entry<V::Row>>,
    /// About how much memory they take.
    bytes: usize,
    /// Ids of the rows here, by their groups.
    members: HashMap<Group, BTreeSet<Arc<str>>>,
    dirty: Vec<RowKey>,
    blocked: Blocked,
    parked: Vec<Parked>,
    /// Whether a row is copied before an event is folded into it. A copy costs about as much as the fold, and only what
    /// can't be folded needs it.
    careful: bool,
}

impl<V: View> WorkingSet<V> {
    pub(crate) fn new(view: Arc<V>, schema: Arc<Schema<V::Row>>, blocked: Blocked) -> Self {
        let (rows, members) = (HashMap::new(), HashMap::new());
        Self { view, schema, rows, bytes: 0, members, dirty: Vec::new(), blocked, parked: Vec::new(), careful: false }
    }

    /// Whether to lose nothing by an event that can't be folded; answers whether it was so.
    pub(crate) fn set_careful(&mut self, careful: bool) -> bool {
        std::mem::replace(&mut self.careful, careful)
    }

    /// Lets the events of an aggregate be tried again.
    pub(crate) fn release(&mut self, subject: &str) {
        self.blocked.release(subject);
    }

    /// Finds out which rows the events touch.
    pub(crate) fn keyed(&self, events: Vec<RecordedEvent>) -> Vec<Keyed> {
        let touched = |event: &RecordedEvent| {
            let (mut ids, groups) = fold::touched(&*self.view, event)?;
            ids.sort_unstable();
            ids.dedup();
            let tenant: Arc<str> = event.tenant().into();
            let keys = ids.into_iter().map(|id| RowKey { tenant: tenant.clone(), id: id.into() }).collect();
            let groups = groups.into_iter().map(|value| Group { tenant: tenant.clone(), value }).collect();
            Ok(Touched { keys, groups })
        };
        events.into_iter().map(|event| Keyed { touched: touched(&event), event }).collect()
    }

    /// Groups that the events touch, each once, sorted: the store may have rows of theirs.
    pub(crate) fn groups(&self, events: &[Keyed]) -> Vec<Group> {
        let touched = events.iter().filter_map(|keyed| keyed.touched.as_ref().ok());
        let groups: BTreeSet<Group> = touched.flat_map(|touched| touched.groups.iter().cloned()).collect();
        groups.into_iter().collect()
    }

    /// Rows to be loaded before the events can be applied, each once, sorted; `members` are those that the store has of
    /// their groups.
    pub(crate) fn missing(&self, events: &[Keyed], members: Vec<RowKey>) -> Vec<RowKey> {
        let touched = events.iter().filter_map(|keyed| keyed.touched.as_ref().ok());
        let keys = touched.flat_map(|touched| touched.keys.iter().cloned()).chain(members);
        let missing: BTreeSet<RowKey> = keys.filter(|key| !self.rows.contains_key(key)).collect();
        missing.into_iter().collect()
    }

    /// Takes in a row as the store has it.
    pub(crate) fn insert(&mut self, key: RowKey, row: Option<V::Row>) {
        let stored_tags = self.schema.tags(row.as_ref());
        self.join(&key, row.as_ref());
        let bytes = weight(row.as_ref());
        let entry = Entry { stored: row.is_some(), row, stored_tags, dirty: false, bytes };
        let replaced = self.rows.insert(key, entry).map_or(0, |entry| entry.bytes);
        self.bytes = self.bytes + bytes - replaced;
    }

    /// Folds the events in their order. A row that was not inserted counts as not stored.
    ///
    /// # Errors
    /// Never if it is careful.
    pub(crate) fn apply(&mut self, events: Vec<Keyed>) -> Result<(), Spoiled> {
        for Keyed { event, touched } in events {
            if let Some(parked) = self.blocked.park_if_waiting(&event) {
                self.parked.push(parked);
                continue;
            }
            match touched.map_err(Unfolded::from).and_then(|touched| self.fold(&event, touched)) {
                Ok(()) => {}
                Err(Unfolded::Unfit(error)) => self.set_aside(&event, &error),
                Err(Unfolded::Spoiled) => return Err(Spoiled),
            }
        }
        Ok(())
    }

    fn set_aside(&mut self, event: &RecordedEvent, error: &FoldError) {
        let (position, subject) = (event.position, &event.subject);
        if error.is_newer() {
            tracing::warn!(view = V::NAME, position, %subject, %error, "event passed over");
            self.parked.push(Parked::newer(event));
        } else {
            tracing::warn!(view = V::NAME, position, %subject, %error, "event parked");
            self.parked.push(self.blocked.park(event, error));
        }
    }

    fn fold(&mut self, event: &RecordedEvent, Touched { mut keys, groups }: Touched) -> Result<(), Unfolded> {
        if !groups.is_empty() {
            keys.extend(groups.iter().flat_map(|group| self.members(group)));
            keys.sort_unstable();
            keys.dedup();
        }
        match <[RowKey; 1]>::try_from(keys) {
            Ok([key]) if !self.careful => self.fold_in_place(event, key),
            Ok(keys) => Ok(self.fold_copies(event, keys.into())?),
            Err(keys) => Ok(self.fold_copies(event, keys)?),
        }
    }

    /// Of the one row that the event touches.
    fn fold_in_place(&mut self, event: &RecordedEvent, key: RowKey) -> Result<(), Unfolded> {
        let before = self.rows.get_mut(&key).and_then(|entry| entry.row.take());
        let existed = before.is_some();
        match fold::fold(&*self.view, &key.id, before, event) {
            Ok(None) if !existed => {}
            Ok(after) => self.put(key, after, growth(event)),
            Err(_) if existed => return Err(Unfolded::Spoiled),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn fold_copies(&mut self, event: &RecordedEvent, keys: Vec<RowKey>) -> Result<(), FoldError> {
        let mut folded = Vec::with_capacity(keys.len());
        for key in keys {
            let before = self.rows.get(&key).and_then(|entry| entry.row.as_ref());
            let after = fold::fold(&*self.view, &key.id, before.cloned(), event)?;
            if after.as_ref() != before {
                folded.push((key, after));
            }
        }
        for (key, row) in folded {
            self.put(key, row, growth(event));
        }
        Ok(())
    }

    /// The row as it is now, which is to be written. Until it is it counts as larger by `growth` than it was.
    fn put(&mut self, key: RowKey, row: Option<V::Row>, growth: usize) {
        self.join(&key, row.as_ref());
        let entry = self.rows.entry(key.clone()).or_insert_with(Entry::absent);
        let growth = if entry.bytes == 0 { weight::<V::Row>(None) + growth } else { growth };
        self.bytes += growth;
        entry.bytes += growth;
        entry.row = row;
        if !std::mem::replace(&mut entry.dirty, true) {
            self.dirty.push(key);
        }
    }

    fn members(&self, group: &Group) -> impl Iterator<Item = RowKey> {
        let ids = self.members.get(group).into_iter().flatten();
        ids.map(|id| RowKey { tenant: group.tenant.clone(), id: id.clone() })
    }

    /// Keeps in mind to which group a row belongs.
    fn join(&mut self, key: &RowKey, row: Option<&V::Row>) {
        let group = self.schema.grouping().zip(row).and_then(|(column, row)| column.group(row));
        if let Some(value) = group {
            self.members.entry(Group { tenant: key.tenant.clone(), value }).or_default().insert(key.id.clone());
        }
    }

    /// What changed since [`Self::written`], sorted by key.
    pub(crate) fn changes(&mut self) -> (Vec<Change<'_, V::Row>>, &[Parked]) {
        self.dirty.sort_unstable();
        let rows = &self.rows;
        (self.dirty.iter().filter_map(|key| rows.get_key_value(key)).collect(), &self.parked)
    }

    /// About how much memory the rows take, and the events parked since [`Self::written`].
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + PARKED * self.parked.len()
    }

    /// The store now has what [`Self::changes`] gave. Rows stay for later events, unless they take more than `keep` bytes;
    /// answers whether they stay.
    pub(crate) fn written(&mut self, keep: usize) -> bool {
        self.parked.clear();
        for key in &self.dirty {
            if let Some(entry) = self.rows.get_mut(key) {
                let bytes = weight(entry.row.as_ref());
                self.bytes = self.bytes + bytes - std::mem::replace(&mut entry.bytes, bytes);
            }
        }
        if self.bytes > keep {
            self.bytes = 0;
            // Their tables go, too, for they would stay as large as they ever were.
            self.rows = HashMap::new();
            self.members = HashMap::new();
            self.dirty = Vec::new();
            return false;
        }
        for key in self.dirty.drain(..) {
            if let Some(entry) = self.rows.get_mut(&key) {
                entry.dirty = false;
                entry.stored = entry.row.is_some();
                entry.stored_tags = self.schema.tags(entry.row.as_ref());
            }
        }
        true
    }
}

impl<R> Entry<R> {
    fn absent() -> Self {
        Self { row: None, stored: false, stored_tags: Vec::new(), dirty: false, bytes: 0 }
    }
}

/// About how much memory an event adds to a row: what it says, which is counted again when the row is written.
fn growth(event: &RecordedEvent) -> usize {
    EXPANSION * event.payload.len()
}

/// About how much memory a row takes, rather too much than too little.
fn weight<R: Message>(row: Option<&R>) -> usize {
    PLACE + size_of::<Entry<R>>() + row.map_or(0, |row| EXPANSION * row.encoded_len())
}
