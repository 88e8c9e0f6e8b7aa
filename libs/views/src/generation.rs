//! One generation of a view: tables that are filled from the start of the log, and the checkpoint that says how far.
//!
//! Invariant: see [`crate::store`]; [`Generation::write`] is the only writer of rows.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _};
use tandem_eventlog::Position;

use crate::column::Value;
use crate::memory::in_memory;
use crate::park::{Blocked, Parked};
use crate::register::{Database, execute, position, position_column};
use crate::retry::Retried;
use crate::schema::{CHUNKS, Chunked, Schema, Statements, Tables};
use crate::store::StoreError;
use crate::working_set::{Change, Group, RowKey, Tag};

/// A generation as the register has it.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) number: i64,
    pub(crate) version: i32,
    pub(crate) columns: String,
    pub(crate) position: Position,
    pub(crate) live: bool,
    /// It has answered, and does no more.
    pub(crate) replaced: bool,
}

#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) view: &'static str,
    pub(crate) version: i32,
    pub(crate) number: i64,
    pub(crate) tables: Tables,
    columns: String,
    statements: Statements,
    pub(crate) database: Database,
}

type Statement = Query<'static, Any, AnyArguments>;

impl Generation {
    pub(crate) fn new<R>(
        view: &'static str,
        registered: &Registered,
        schema: &Schema<R>,
        database: Database,
    ) -> Arc<Self> {
        let Registered { number, version, columns, .. } = registered.clone();
        let tables = Tables::new(view, version, number);
        let statements = Statements::new(schema, &tables, database.dialect);
        Arc::new(Self { view, version, number, tables, columns, statements, database })
    }

    /// Whether this generation has the column: one of an older version may lack it.
    pub(crate) fn has<R>(&self, column: &crate::Column<R>) -> bool {
        let wanted = format!("{column:?}");
        self.columns.split(' ').any(|known| known == wanted)
    }

    pub(crate) fn overtaken(&self, position: Position) -> StoreError {
        StoreError::Overtaken { view: self.view.to_owned(), generation: self.number, position }
    }

    pub(crate) async fn checkpoint(&self) -> Result<Position, StoreError> {
        in_memory!(self.database, memory => memory.checkpoint(self).await);
        let row = sqlx::query("SELECT position FROM view_generations WHERE view = $1 AND generation = $2")
            .bind(self.view)
            .bind(self.number)
            .fetch_optional(&self.database.pool)
            .await?;
        row.map_or(Err(self.overtaken(0)), |row| Ok(position(row.try_get(0)?)))
    }

    /// Aggregates with parked events.
    pub(crate) async fn blocked(&self) -> Result<Blocked, StoreError> {
        in_memory!(self.database, memory => memory.blocked(self).await);
        let sql =
            format!("SELECT subject, MIN(position) FROM {} WHERE error <> '' GROUP BY subject", self.tables.parked());
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.database.pool).await?;
        let mut first = HashMap::new();
        for row in rows {
            first.insert(Arc::from(row.try_get::<String, _>(0)?), position(row.try_get(1)?));
        }
        Ok(Blocked::new(first))
    }

    /// The stored rows among `keys`.
    pub(crate) async fn load<R: Message + Default>(&self, keys: &[RowKey]) -> Result<HashMap<RowKey, R>, StoreError> {
        in_memory!(self.database, memory => memory.load(self, keys).await);
        let mut loaded = HashMap::with_capacity(keys.len());
        let mut connection = self.database.pool.acquire().await?;
        for (sql, keys) in chunks(&self.statements.load, keys) {
            let query = keys.iter().fold(query(sql), bind_key);
            for row in query.fetch_all(&mut *connection).await? {
                let key = RowKey { tenant: row.try_get::<&str, _>(0)?.into(), id: row.try_get::<&str, _>(1)?.into() };
                let body = self.decode(&key.id, row.try_get(2)?)?;
                loaded.insert(key, body);
            }
        }
        Ok(loaded)
    }

    /// Keys of the stored rows of these groups.
    pub(crate) async fn members<R: Message + Default>(
        &self,
        schema: &Schema<R>,
        groups: &[Group],
    ) -> Result<Vec<RowKey>, StoreError> {
        let mut members = Vec::new();
        let Some(column) = schema.grouping() else { return Ok(members) };
        in_memory!(self.database, memory => memory.members(self, column, groups).await);
        let sql = format!("SELECT id FROM {} WHERE tenant = $1 AND c_{} = $2", self.tables.rows(), column.name).into();
        for Group { tenant, value } in groups {
            let rows = query(&sql).bind(&**tenant).bind(value.as_str()).fetch_all(&self.database.pool).await?;
            for row in rows {
                members.push(RowKey { tenant: tenant.clone(), id: row.try_get::<&str, _>(0)?.into() });
            }
        }
        Ok(members)
    }

    pub(crate) fn decode<R: Message + Default>(&self, id: &str, body: &[u8]) -> Result<R, StoreError> {
        R::decode(body).map_err(|source| StoreError::Row { view: self.view.to_owned(), id: id.to_owned(), source })
    }

    /// Writes changed rows and newly parked events, and moves the checkpoint from `from` to `to`: all or nothing.
    pub(crate) async fn write<R: Message>(
        &self,
        schema: &Schema<R>,
        (from, to): (Position, Position),
        changed: &[Change<'_, R>],
        parked: &[Parked],
    ) -> Result<(), StoreError> {
        self.write_retried(schema, (from, to), None, changed, parked).await
    }

    /// The same, when what was parked is tried again: `retried` is no longer parked, unless it is in `parked`.
    pub(crate) async fn write_retried<R: Message>(
        &self,
        schema: &Schema<R>,
        (from, to): (Position, Position),
        retried: Option<&Retried<'_>>,
        changed: &[Change<'_, R>],
        parked: &[Parked],
    ) -> Result<(), StoreError> {
        in_memory!(self.database, memory => memory.write(self, (from, to), retried, changed, parked).await);
        let mut tx = self.database.pool.begin().await?;
        // First, for it takes the write lock: what follows can't be in vain.
        let moved = sqlx::query(
            "UPDATE view_generations SET position = $1 \
             WHERE view = $2 AND generation = $3 AND position = $4 AND live <> 2",
        )
        .bind(position_column(to))
        .bind(self.view)
        .bind(self.number)
        .bind(position_column(from))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if moved != 1 {
            return Err(self.overtaken(from));
        }
        self.write_rows(schema, changed, &mut tx).await?;
        if schema.has_sets {
            self.write_tags(schema, changed, &mut tx).await?;
        }
        if let Some(retried) = retried {
            self.unpark(retried, &mut tx).await?;
        }
        run(&self.statements.park, parked, &mut tx, |query, parked| {
            query
                .bind(position_column(parked.position))
                .bind(parked.subject.as_str())
                .bind(parked.event_type.as_str())
                .bind(parked.error.as_str())
                .bind(parked.time.as_microsecond())
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn write_rows<R: Message>(
        &self,
        schema: &Schema<R>,
        changed: &[Change<'_, R>],
        tx: &mut AnyConnection,
    ) -> Result<(), StoreError> {
        let kept: Vec<_> = changed.iter().filter_map(|(key, entry)| Some((*key, entry.row.as_ref()?))).collect();
        let removed: Vec<RowKey> = changed
            .iter()
            .filter(|(_, entry)| entry.stored && entry.row.is_none())
            .map(|(key, _)| (*key).clone())
            .collect();
        run(&self.statements.upsert, &kept, tx, |query, (key, row)| {
            let query = schema.values(row).fold(bind_key(query, key), bind_value);
            query.bind(row.encode_to_vec())
        })
        .await?;
        run(&self.statements.delete, &removed, tx, bind_key).await
    }

    async fn write_tags<R: Message>(
        &self,
        schema: &Schema<R>,
        changed: &[Change<'_, R>],
        tx: &mut AnyConnection,
    ) -> Result<(), StoreError> {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (key, entry) in changed {
            let tags = schema.tags(entry.row.as_ref());
            let missing = |tag: &&Tag| !entry.stored_tags.contains(tag);
            added.extend(tags.iter().filter(missing).cloned().map(|tag| (*key, tag)));
            let gone = entry.stored_tags.iter().filter(|tag| !tags.contains(tag));
            removed.extend(gone.cloned().map(|tag| (*key, tag)));
        }
        run(&self.statements.remove_tags, &removed, tx, bind_tag).await?;
        run(&self.statements.add_tags, &added, tx, bind_tag).await
    }

    /// Makes what queries want and writing does without.
    pub(crate) async fn finish<R>(&self, schema: &Schema<R>) -> Result<(), StoreError> {
        in_memory!(self.database, _memory => Ok(()));
        let mut connection = self.database.pool.acquire().await?;
        for sql in self.tables.finish(schema, self.database.dialect) {
            execute(&mut connection, sql).await?;
        }
        Ok(())
    }
}

/// Runs a statement over all of `items`, a chunk at a time.
async fn run<T>(
    texts: &Chunked,
    items: &[T],
    connection: &mut AnyConnection,
    bind: impl Fn(Statement, &T) -> Statement,
) -> Result<(), StoreError> {
    for (sql, items) in chunks(texts, items) {
        items.iter().fold(query(sql), &bind).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Splits into as few chunks as there are statement sizes for, each with its statement.
fn chunks<'a, T>(texts: &'a Chunked, mut items: &'a [T]) -> impl Iterator<Item = (&'a Arc<str>, &'a [T])> {
    std::iter::from_fn(move || {
        let fitting = CHUNKS.iter().position(|size| *size <= items.len())?;
        let (chunk, rest) = items.split_at(CHUNKS[fitting]);
        items = rest;
        Some((&texts[fitting], chunk))
    })
}

fn query(sql: &Arc<str>) -> Statement {
    sqlx::query(AssertSqlSafe(sql.clone()))
}

fn bind_key(query: Statement, key: &RowKey) -> Statement {
    query.bind(&*key.tenant).bind(&*key.id)
}

fn bind_tag(query: Statement, (key, tag): &(&RowKey, Tag)) -> Statement {
    bind_key(query, key).bind(tag.field).bind(tag.value.as_str())
}

pub(crate) fn bind_value(query: Statement, value: Value) -> Statement {
    match value {
        Value::Text(text) => query.bind(text),
        Value::Integer(integer) => query.bind(integer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tests::{Sums, added};
    use crate::testing::{StoreKind, TestStore};
    use crate::view::View;
    use crate::working_set::WorkingSet;

    async fn a_writer_that_was_overtaken_writes_nothing(kind: StoreKind) {
        let place = TestStore::new(kind);
        let store = place.open().await.unwrap();
        let database = store.database(Sums::NAME).await.unwrap();
        let schema = Schema::new(Sums::NAME, 1, Sums::columns()).unwrap();
        let registered = database.create(Sums::NAME, 1, &schema).await.unwrap();
        let generation = Generation::new(Sums::NAME, &registered, &schema, database);
        // Both begin at 0; the second knows one event only, and one that can't be folded.
        let (mut first, mut second) =
            [(); 2].map(|()| WorkingSet::new(Arc::new(Sums), schema.clone(), Blocked::default())).into();
        first.apply(first.keyed(vec![added(1, "s1", "5"), added(2, "s1", "6")])).unwrap();
        second.apply(second.keyed(vec![added(1, "s1", "5"), added(2, "s2", "many")])).unwrap();
        let (changed, parked) = first.changes();
        generation.write(&schema, (0, 2), &changed, parked).await.unwrap();
        let before = generation.all_rows::<<Sums as View>::Row>().await.unwrap();
        let (changed, parked) = second.changes();
        let error = generation.write(&schema, (0, 1), &changed, parked).await.unwrap_err();
        assert!(matches!(error, StoreError::Overtaken { position: 0, .. }), "{error}");
        assert_eq!(generation.all_rows().await.unwrap(), before);
        assert_eq!(generation.checkpoint().await.unwrap(), 2);
        assert_eq!(generation.parked(10).await.unwrap().0, 0);
    }

    crate::on_every_store!(a_writer_that_was_overtaken_writes_nothing);
}
