//! Aggregates kept in memory: of all kinds of a service, within one bound on their bytes.
//!
//! Invariant: what is kept never weighs more than the bound, however many aggregates there are and however long they live.

use std::any::Any;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tandem_eventlog::Subject;

use crate::{Aggregate, Loaded};

/// Bytes of an entry beside the aggregate: its key on the heap, its place in the table.
const ENTRY: usize = 256;
/// What an aggregate is taken to weigh as a rule: the table is made for so many.
const USUAL: usize = 2048;

/// Aggregates lately used. Cheap to clone; clones share the bound.
#[derive(Clone)]
pub struct AggregateCache(Arc<Cache<Subject, Kept, Bytes>>);

/// A [`Loaded`] of the kind that its subject names.
#[derive(Clone)]
struct Kept {
    loaded: Arc<dyn Any + Send + Sync>,
    bytes: u64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Subject, Kept> for Bytes {
    fn weight(&self, _: &Subject, kept: &Kept) -> u64 {
        kept.bytes
    }
}

impl AggregateCache {
    /// Keeps up to so many bytes, by an estimate that is rather too high. What is larger by itself is not kept.
    #[must_use]
    pub fn with_bytes(bytes: usize) -> Self {
        // By default what is new is soon put out again unless it is asked for at once; here it is what will be asked for.
        #[expect(clippy::expect_used, reason = "both capacities are given, and a half is a share")]
        let options = OptionsBuilder::new()
            .estimated_items_capacity(bytes / USUAL)
            .weight_capacity(bytes as u64)
            .hot_allocation(0.5)
            .build()
            .expect("options of a cache");
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self(Arc::new(Cache::with_options(options, Bytes, hash, lifecycle)))
    }

    /// What is kept weighs so many bytes, by the same estimate.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }

    /// How many aggregates are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Positions that an executor may keep beside: each takes about a twentieth of what it is kept for.
    pub(crate) fn positions(&self) -> usize {
        usize::try_from(self.0.capacity()).unwrap_or(usize::MAX) / (2 * USUAL) + 1
    }

    pub(crate) fn get<A: Aggregate>(&self, subject: &Subject) -> Option<Arc<Loaded<A>>> {
        // A kind is one type's: of another it could only be if two aggregates claimed the same subjects.
        self.0.get(subject)?.loaded.downcast().ok()
    }

    pub(crate) fn insert<A: Aggregate>(&self, subject: Subject, loaded: Arc<Loaded<A>>) {
        let bytes = (ENTRY + loaded.bytes()) as u64;
        self.0.insert(subject, Kept { loaded, bytes });
    }
}
