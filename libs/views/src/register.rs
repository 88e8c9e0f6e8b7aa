//! The register of a view's generations, and the database that it is in.
//!
//! Invariant: at most one generation of a view is live, and it is replaced only by one that is still where it is said to
//! be; from then on it is not written. What the register says outlives a crash of the database, and a number is not given
//! twice.

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Row as _, Transaction};
use tandem_eventlog::Position;

use crate::dialect::Dialect;
use crate::generation::{Generation, Registered};
use crate::lease;
#[cfg(any(test, feature = "testing"))]
use crate::memory::MemoryViews;
use crate::memory::in_memory;
use crate::postgres::Postgres;
use crate::schema::{Schema, Tables};
use crate::store::StoreError;

/// Held while tables of the register are made; any number that nobody else locks.
const REGISTER_LOCK: i64 = 0x7461_6e64_656d;

/// The database of one view.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: AnyPool,
    pub(crate) dialect: Dialect,
    /// If replicas share the database.
    pub(crate) shared: Option<Postgres>,
    /// Where the view is instead, in tests; the pool then never connects.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) memory: Option<MemoryViews>,
}

impl Database {
    /// For leases and checkpoints, if replicas share the database.
    pub(crate) fn steering(&self) -> Option<&AnyPool> {
        self.shared.as_ref().map(|shared| &shared.steering)
    }

    /// Makes what is missing of a database that has forgotten all.
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        if let Some(shared) = &self.shared {
            shared.prepare().await?;
        }
        self.create_register().await
    }

    /// Begins a transaction that outlives a crash of the server once it is committed, and with it all that was committed
    /// before.
    async fn begin_durable(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut tx = self.pool.begin().await?;
        if let Some(sql) = self.dialect.durable() {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        Ok(tx)
    }

    /// Makes the register, where `live` is 0 while a generation is built, 1 while it answers, and 2 when it has been
    /// replaced; and that of leases where replicas share it, if they are missing.
    pub(crate) async fn create_register(&self) -> Result<(), StoreError> {
        let text = self.dialect.text();
        let generations = format!(
            "CREATE TABLE IF NOT EXISTS view_generations (view {text} NOT NULL, generation BIGINT NOT NULL, \
             version BIGINT NOT NULL, columns {text} NOT NULL, position BIGINT NOT NULL, live BIGINT NOT NULL, \
             PRIMARY KEY (view, generation))"
        );
        let mut tx = self.begin_durable().await?;
        if self.shared.is_some() {
            // Of two that make a table at the same time, one fails, whether it exists or not.
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(REGISTER_LOCK).execute(&mut *tx).await?;
            execute(&mut tx, lease::create_table(self.dialect)).await?;
        }
        execute(&mut tx, generations).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The generation of the view that answers.
    pub(crate) async fn live(&self, view: &str) -> Result<Option<Registered>, StoreError> {
        let row = sqlx::query(
            "SELECT generation, version, columns, position, live FROM view_generations WHERE view = $1 AND live = 1",
        )
        .bind(view)
        .fetch_optional(self.steering().unwrap_or(&self.pool))
        .await?;
        row.as_ref().map(registered).transpose()
    }

    /// All generations of the view, the oldest first.
    pub(crate) async fn generations(&self, view: &str) -> Result<Vec<Registered>, StoreError> {
        in_memory!(self, memory => memory.generations(view).await);
        let rows = sqlx::query(
            "SELECT generation, version, columns, position, live FROM view_generations WHERE view = $1 \
             ORDER BY generation",
        )
        .bind(view)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(registered).collect()
    }

    /// Registers the first generation.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn create<R>(
        &self,
        view: &str,
        version: i32,
        schema: &Schema<R>,
    ) -> Result<Registered, StoreError> {
        self.create_above(0, view, version, schema).await
    }

    /// Registers a new generation with empty tables, at position 0; its number is above `known`, for somebody may still
    /// read one of that number that the database has forgotten.
    pub(crate) async fn create_above<R>(
        &self,
        known: i64,
        view: &str,
        version: i32,
        schema: &Schema<R>,
    ) -> Result<Registered, StoreError> {
        in_memory!(self, memory => memory.create(view, version, schema.signature(), known).await);
        let mut tx = self.begin_durable().await?;
        let columns = schema.signature();
        sqlx::query(
            "INSERT INTO view_generations (view, generation, version, columns, position, live) \
             SELECT $1, CASE WHEN COALESCE(MAX(generation), 0) > $4 THEN MAX(generation) ELSE $4 END + 1, $2, $3, 0, 0 \
             FROM view_generations WHERE view = $1",
        )
        .bind(view)
        .bind(i64::from(version))
        .bind(columns.as_str())
        .bind(known)
        .execute(&mut *tx)
        .await?;
        let number: i64 = sqlx::query("SELECT MAX(generation) FROM view_generations WHERE view = $1")
            .bind(view)
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        for sql in Tables::new(view, version, number).create(schema, self.dialect) {
            execute(&mut tx, sql).await?;
        }
        tx.commit().await?;
        Ok(Registered { number, version, columns, position: 0, live: false, replaced: false })
    }

    /// Makes the generation the live one of its view, if it is still at `position`; no other is live then. If the one that
    /// is has read further than `limit`, this answers how far, and nothing is changed.
    pub(crate) async fn promote(
        &self,
        generation: &Generation,
        position: Position,
        limit: Position,
    ) -> Result<Option<Position>, StoreError> {
        in_memory!(self, memory => memory.promote(generation, position).await.map(|()| None));
        let mut tx = self.begin_durable().await?;
        // First, for it keeps the one that is replaced where it is: a replica of its version may be writing it.
        let replaced = sqlx::query(
            "UPDATE view_generations SET live = 2 WHERE view = $1 AND generation <> $2 AND live = 1 RETURNING position",
        )
        .bind(generation.view)
        .bind(generation.number)
        .fetch_optional(&mut *tx)
        .await?;
        let further = replaced.map(|row| row.try_get(0)).transpose()?.map(self::position);
        if further.is_some_and(|further| further > limit) {
            tx.rollback().await?;
            return Ok(further);
        }
        let moved =
            sqlx::query("UPDATE view_generations SET live = 1 WHERE view = $1 AND generation = $2 AND position = $3")
                .bind(generation.view)
                .bind(generation.number)
                .bind(position_column(position))
                .execute(&mut *tx)
                .await?
                .rows_affected();
        if moved != 1 {
            return Err(generation.overtaken(position));
        }
        tx.commit().await?;
        Ok(None)
    }

    /// Removes a generation with all that it holds.
    pub(crate) async fn remove(&self, view: &str, version: i32, number: i64) -> Result<(), StoreError> {
        in_memory!(self, memory => memory.remove(view, number).await);
        let mut tx = self.pool.begin().await?;
        sqlx::query("DELETE FROM view_generations WHERE view = $1 AND generation = $2")
            .bind(view)
            .bind(number)
            .execute(&mut *tx)
            .await?;
        for sql in Tables::new(view, version, number).drop() {
            execute(&mut tx, sql).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn registered(row: &AnyRow) -> Result<Registered, StoreError> {
    Ok(Registered {
        number: row.try_get(0)?,
        version: i32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(i32::MAX),
        columns: row.try_get(2)?,
        position: position(row.try_get(3)?),
        live: row.try_get::<i64, _>(4)? == 1,
        replaced: row.try_get::<i64, _>(4)? == 2,
    })
}

/// Runs a statement whose text is made of checked identifiers only.
pub(crate) async fn execute(connection: &mut AnyConnection, sql: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(connection).await?;
    Ok(())
}

/// Positions stay far below 2^63: a million events a second would take 290 000 years.
pub(crate) fn position_column(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(crate) fn position(column: i64) -> Position {
    Position::try_from(column).unwrap_or(0)
}
