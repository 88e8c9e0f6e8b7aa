//! Where views are kept: SQLite files in a directory, one per view.
//!
//! Invariant: rows, parked events and checkpoint of a generation change in one transaction, which fails if the
//! checkpoint is not where its writer left it. So two writers can't both fold an event.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Row as _};
use tandem_eventlog::Position;

use crate::generation::{Generation, Registered};
use crate::memory::in_memory;
#[cfg(any(test, feature = "testing"))]
use crate::memory::{self, MemoryViews};
use crate::schema::{Dialect, Schema, Tables};

/// Unless told otherwise.
const CACHE_BYTES: usize = 128 << 20;

/// A view could not be read or written, or is defined wrongly.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is of no known form.
    #[error("{url:?} is no view store: use sqlite:<directory>")]
    Url {
        /// As given.
        url: String,
    },
    /// The directory can't be made.
    #[error("the views' directory {directory} can't be made: {source}")]
    Directory {
        /// As given.
        directory: String,
        /// Why.
        source: std::io::Error,
    },
    /// The view breaks a rule of [`crate::View`]; a mistake in its code.
    #[error("view {view:?} is defined wrongly: {reason}")]
    Definition {
        /// Its name.
        view: String,
        /// The rule.
        reason: String,
    },
    /// The database refused or could not be reached.
    #[error("the views' database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A stored row is no protobuf of the row type.
    #[error("row {id:?} of view {view:?} can't be decoded: {source}. Rebuild the view")]
    Row {
        /// The view.
        view: String,
        /// The row's key.
        id: String,
        /// Why.
        source: prost::DecodeError,
    },
    /// Another writer has moved the checkpoint or replaced the generation. Nothing was written.
    #[error("generation {generation} of view {view:?} is no longer at position {position}: someone else writes it")]
    Overtaken {
        /// The view.
        view: String,
        /// The generation.
        generation: i64,
        /// Where this writer left it.
        position: Position,
    },
}

impl StoreError {
    /// Whether the database can't be reached at the moment, which passes, rather than refuses.
    #[must_use]
    pub fn is_away(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, WorkerCrashed};
        matches!(self, Self::Database(Io(_) | PoolClosed | PoolTimedOut | WorkerCrashed))
    }
}

/// Where the views of a service are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ViewStore {
    directory: Arc<Path>,
    pub(crate) cache_bytes: usize,
    #[cfg(any(test, feature = "testing"))]
    memory: Option<MemoryViews>,
}

impl ViewStore {
    /// Opens `sqlite:<directory>`, which is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Url`] or [`StoreError::Directory`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let directory = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        let directory = directory.filter(|path| !path.is_empty()).ok_or_else(|| StoreError::Url { url: url.into() })?;
        tokio::fs::create_dir_all(directory)
            .await
            .map_err(|source| StoreError::Directory { directory: directory.into(), source })?;
        Ok(Self {
            directory: Path::new(directory).into(),
            cache_bytes: CACHE_BYTES,
            #[cfg(any(test, feature = "testing"))]
            memory: None,
        })
    }

    /// Keeps views in memory.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn in_memory(views: MemoryViews) -> Self {
        Self { directory: Path::new("").into(), cache_bytes: CACHE_BYTES, memory: Some(views) }
    }

    /// Each view keeps up to so many bytes of rows in memory while it is built, and a quarter of that otherwise, by an
    /// estimate that is rather too high; 128 MiB unless told.
    #[must_use]
    pub fn with_cache_bytes(self, bytes: usize) -> Self {
        Self { cache_bytes: bytes, ..self }
    }

    /// The database of a view, with the register of its generations.
    pub(crate) async fn database(&self, view: &str) -> Result<Database, StoreError> {
        install_default_drivers();
        #[cfg(any(test, feature = "testing"))]
        if let Some(memory) = self.memory.clone() {
            return Ok(Database { pool: memory::unconnected()?, dialect: Dialect::Sqlite, memory: Some(memory) });
        }
        let file = self.directory.join(format!("{view}.sqlite"));
        let pool = AnyPoolOptions::new()
            .max_connections(5)
            .acquire_timeout(Duration::from_secs(30))
            // A file needs no ping.
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(async move { configure(connection).await }))
            .connect(&format!("sqlite:{}?mode=rwc", percent_encoded(&file)))
            .await?;
        let database = Database {
            pool,
            dialect: Dialect::Sqlite,
            #[cfg(any(test, feature = "testing"))]
            memory: None,
        };
        database.create_register().await?;
        Ok(database)
    }
}

/// The database of one view.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: AnyPool,
    pub(crate) dialect: Dialect,
    /// Where the view is instead, in tests; the pool then never connects.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) memory: Option<MemoryViews>,
}

impl Database {
    async fn create_register(&self) -> Result<(), StoreError> {
        let text = self.dialect.text();
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS view_generations (view {text} NOT NULL, generation BIGINT NOT NULL, \
             version BIGINT NOT NULL, columns {text} NOT NULL, position BIGINT NOT NULL, live BIGINT NOT NULL, \
             PRIMARY KEY (view, generation))"
        );
        execute(&mut *self.pool.acquire().await?, sql).await
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
        let registered = |row: &sqlx::any::AnyRow| {
            Ok(Registered {
                number: row.try_get(0)?,
                version: i32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(i32::MAX),
                columns: row.try_get(2)?,
                position: position(row.try_get(3)?),
                live: row.try_get::<i64, _>(4)? == 1,
            })
        };
        rows.iter().map(registered).collect()
    }

    /// Registers a new generation with empty tables, at position 0.
    pub(crate) async fn create<R>(
        &self,
        view: &str,
        version: i32,
        schema: &Schema<R>,
    ) -> Result<Registered, StoreError> {
        in_memory!(self, memory => memory.create(view, version, schema.signature()).await);
        let mut tx = self.pool.begin().await?;
        let columns = schema.signature();
        sqlx::query(
            "INSERT INTO view_generations (view, generation, version, columns, position, live) \
             SELECT $1, COALESCE(MAX(generation), 0) + 1, $2, $3, 0, 0 FROM view_generations WHERE view = $1",
        )
        .bind(view)
        .bind(i64::from(version))
        .bind(columns.as_str())
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
        Ok(Registered { number, version, columns, position: 0, live: false })
    }

    /// Makes the generation the live one of its view, if it is still at `position`; no other is live then.
    pub(crate) async fn promote(&self, generation: &Generation, position: Position) -> Result<(), StoreError> {
        in_memory!(self, memory => memory.promote(generation, position).await);
        let mut tx = self.pool.begin().await?;
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
        sqlx::query("UPDATE view_generations SET live = 0 WHERE view = $1 AND generation <> $2")
            .bind(generation.view)
            .bind(generation.number)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
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

/// Runs a statement whose text is made of checked identifiers only.
pub(crate) async fn execute(connection: &mut AnyConnection, sql: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(connection).await?;
    Ok(())
}

/// Readers don't wait for the writer (WAL); a commit survives the process, and after a power cut the view is at an
/// earlier checkpoint, from where it goes on.
async fn configure(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA busy_timeout = 30000",
        "PRAGMA wal_autocheckpoint = 10000",
        "PRAGMA cache_size = -65536",
        "PRAGMA temp_store = MEMORY",
    ] {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A path inside a URL.
fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.to_string_lossy().bytes().map(encode).collect()
}

/// Positions stay far below 2^63: a million events a second would take 290 000 years.
pub(crate) fn position_column(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(crate) fn position(column: i64) -> Position {
    Position::try_from(column).unwrap_or(0)
}
