//! Generations in memory: rows, parked events, checkpoints.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tandem_eventlog::Position;

use crate::column::Column;
use crate::generation::{Generation, Registered};
use crate::park::{Blocked, Parked};
use crate::retry::Retried;
use crate::store::StoreError;
use crate::working_set::{Change, Group, RowKey};

/// What every access passes, on its way in and on its way out: where a test lets it wait, fail, or never come back.
#[async_trait::async_trait]
pub trait StoreGate: Send + Sync + 'static {
    /// Lets an access pass.
    ///
    /// # Errors
    /// What it fails with. On the way out it has taken place all the same.
    async fn pass(&self) -> Result<(), String>;
}

/// Views of a service in memory. Clones share them, also when their gates differ.
#[derive(Clone, Default)]
pub struct MemoryViews {
    state: Arc<Mutex<State>>,
    gate: Option<Arc<dyn StoreGate>>,
}

/// View, then number of the generation.
type State = BTreeMap<String, BTreeMap<i64, Stored>>;

/// By tenant and id.
type Rows<R> = BTreeMap<(String, String), R>;

#[derive(Debug)]
pub(super) struct Stored {
    registered: Registered,
    pub(super) rows: BTreeMap<(Arc<str>, Arc<str>), Vec<u8>>,
    parked: BTreeMap<Position, Parked>,
}

impl MemoryViews {
    /// The same views, every access to which passes `gate`.
    #[must_use]
    pub fn through(&self, gate: Arc<dyn StoreGate>) -> Self {
        Self { state: Arc::clone(&self.state), gate: Some(gate) }
    }

    /// Position, rows by tenant and id, and parked events of the generation that answers for a view, past the gate; none
    /// if none does yet.
    ///
    /// # Panics
    /// If a row is none of type `R`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that asks for rows of another view's type is wrong")]
    pub fn live<R: Message + Default>(&self, view: &str) -> Option<(Position, Rows<R>, Vec<Parked>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = state.get(view)?.values().find(|stored| stored.registered.live)?;
        let rows = stored.rows.iter().map(|((tenant, id), body)| {
            ((tenant.to_string(), id.to_string()), R::decode(&body[..]).expect("a row of this view"))
        });
        Some((stored.registered.position, rows.collect(), stored.parked.values().cloned().collect()))
    }

    pub(super) async fn access<T>(
        &self,
        take: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.pass().await?;
        let taken = take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))?;
        self.pass().await?;
        Ok(taken)
    }

    pub(super) async fn stored<T>(
        &self,
        generation: &Generation,
        take: impl FnOnce(&mut Stored) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let of = (generation.view, generation.number);
        self.access(|state| match state.get_mut(of.0).and_then(|stored| stored.get_mut(&of.1)) {
            Some(stored) => take(stored),
            None => Err(generation.overtaken(0)),
        })
        .await
    }

    async fn pass(&self) -> Result<(), StoreError> {
        let Some(gate) = &self.gate else { return Ok(()) };
        gate.pass().await.map_err(|why| StoreError::Database(sqlx::Error::Io(std::io::Error::other(why))))
    }

    pub(crate) async fn generations(&self, view: &str) -> Result<Vec<Registered>, StoreError> {
        let all =
            |state: &mut State| state.get(view).into_iter().flatten().map(|(_, s)| s.registered.clone()).collect();
        self.access(|state| Ok(all(state))).await
    }

    pub(crate) async fn create(
        &self,
        view: &str,
        version: i32,
        columns: String,
        known: i64,
    ) -> Result<Registered, StoreError> {
        self.access(|state| {
            let generations = state.entry(view.to_owned()).or_default();
            let number = generations.last_key_value().map_or(known, |(number, _)| known.max(*number)) + 1;
            let registered = Registered { number, version, columns, position: 0, live: false, replaced: false };
            let stored = Stored { registered: registered.clone(), rows: BTreeMap::new(), parked: BTreeMap::new() };
            generations.insert(number, stored);
            Ok(registered)
        })
        .await
    }

    pub(crate) async fn promote(&self, generation: &Generation, position: Position) -> Result<(), StoreError> {
        self.access(|state| {
            let generations = state.entry(generation.view.to_owned()).or_default();
            let at = generations.get(&generation.number).map(|stored| stored.registered.position);
            if at != Some(position) {
                return Err(generation.overtaken(position));
            }
            for (number, stored) in generations {
                let live = *number == generation.number;
                stored.registered.replaced |= stored.registered.live && !live;
                stored.registered.live = live;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn remove(&self, view: &str, number: i64) -> Result<(), StoreError> {
        self.access(|state| {
            state.entry(view.to_owned()).or_default().remove(&number);
            Ok(())
        })
        .await
    }

    pub(crate) async fn checkpoint(&self, generation: &Generation) -> Result<Position, StoreError> {
        self.stored(generation, |stored| Ok(stored.registered.position)).await
    }

    pub(crate) async fn blocked(&self, generation: &Generation) -> Result<Blocked, StoreError> {
        self.stored(generation, |stored| {
            let mut first = HashMap::new();
            for (position, parked) in stored.parked.iter().filter(|(_, parked)| !parked.is_newer()) {
                first.entry(Arc::from(parked.subject.as_str())).or_insert(*position);
            }
            Ok(Blocked::new(first))
        })
        .await
    }

    pub(crate) async fn load<R: Message + Default>(
        &self,
        generation: &Generation,
        keys: &[RowKey],
    ) -> Result<HashMap<RowKey, R>, StoreError> {
        self.stored(generation, |stored| {
            let body = |key: &RowKey| stored.rows.get(&(key.tenant.clone(), key.id.clone()));
            let found = keys.iter().filter_map(|key| Some((key, body(key)?)));
            found.map(|(key, body)| Ok((key.clone(), generation.decode(&key.id, body)?))).collect()
        })
        .await
    }

    pub(crate) async fn members<R: Message + Default>(
        &self,
        generation: &Generation,
        column: &Column<R>,
        groups: &[Group],
    ) -> Result<Vec<RowKey>, StoreError> {
        self.stored(generation, |stored| {
            let mut members = Vec::new();
            for ((tenant, id), body) in &stored.rows {
                let value = column.group(&generation.decode(id, body)?);
                if groups.iter().any(|group| group.tenant == *tenant && Some(&group.value) == value.as_ref()) {
                    members.push(RowKey { tenant: tenant.clone(), id: id.clone() });
                }
            }
            Ok(members)
        })
        .await
    }

    pub(crate) async fn write<R: Message>(
        &self,
        generation: &Generation,
        (from, to): (Position, Position),
        retried: Option<&Retried<'_>>,
        changed: &[Change<'_, R>],
        parked: &[Parked],
    ) -> Result<(), StoreError> {
        self.stored(generation, |stored| {
            if stored.registered.position != from {
                return Err(generation.overtaken(from));
            }
            stored.registered.position = to;
            for (key, entry) in changed {
                let key = (key.tenant.clone(), key.id.clone());
                match &entry.row {
                    Some(row) => _ = stored.rows.insert(key, row.encode_to_vec()),
                    None => _ = stored.rows.remove(&key),
                }
            }
            if let Some(retried) = retried {
                stored.parked.retain(|_, parked| !retried.covers(parked));
            }
            stored.parked.extend(parked.iter().map(|parked| (parked.position, parked.clone())));
            Ok(())
        })
        .await
    }

    pub(crate) async fn get<R: Message + Default>(
        &self,
        generation: &Generation,
        tenant: &str,
        id: &str,
    ) -> Result<Option<R>, StoreError> {
        self.stored(generation, |stored| {
            let body = stored.rows.get(&(tenant.into(), id.into()));
            body.map(|body| generation.decode(id, body)).transpose()
        })
        .await
    }

    pub(crate) async fn rows<R: Message + Default>(
        &self,
        generation: &Generation,
    ) -> Result<BTreeMap<(String, String), R>, StoreError> {
        self.stored(generation, |stored| {
            let row = |((tenant, id), body): (&(Arc<str>, Arc<str>), &Vec<u8>)| {
                Ok(((tenant.to_string(), id.to_string()), generation.decode(id, body)?))
            };
            stored.rows.iter().map(row).collect()
        })
        .await
    }

    pub(crate) async fn row_count(&self, generation: &Generation) -> Result<u64, StoreError> {
        self.stored(generation, |stored| Ok(stored.rows.len() as u64)).await
    }

    /// What is parked, or what was passed over, in the order of the log.
    pub(crate) async fn set_aside(&self, generation: &Generation, newer: bool) -> Result<Vec<Parked>, StoreError> {
        self.stored(generation, |stored| {
            Ok(stored.parked.values().filter(|parked| parked.is_newer() == newer).cloned().collect())
        })
        .await
    }
}

impl fmt::Debug for MemoryViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryViews").finish_non_exhaustive()
    }
}

/// Stands where a database would have its connections, and makes none.
pub(crate) fn unconnected() -> Result<AnyPool, StoreError> {
    // Without a time for connections to age in, nothing looks after them.
    Ok(AnyPoolOptions::new().idle_timeout(None).max_lifetime(None).connect_lazy("sqlite::memory:")?)
}
