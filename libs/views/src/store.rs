//! Where views are kept: SQLite files in a directory, one per view, or a schema of a Postgres database.
//!
//! Invariant: rows, parked events and checkpoint of a generation change in one transaction, which fails if the
//! checkpoint is not where its writer left it. So two writers can't both fold an event.

use std::path::Path;
use std::sync::Arc;

use sqlx::any::install_default_drivers;
use tandem_eventlog::Position;

#[cfg(any(test, feature = "testing"))]
use crate::dialect::Dialect;
#[cfg(any(test, feature = "testing"))]
use crate::memory::{self, MemoryViews};
use crate::postgres::Postgres;
use crate::register::Database;
use crate::sqlite;

/// Unless told otherwise.
const CACHE_BYTES: usize = 128 << 20;

/// A view could not be read or written, or is defined wrongly.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is of no known form, or names what can't be.
    #[error("{url:?} is no view store: {reason}")]
    Url {
        /// As given, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory can't be made.
    #[error("the views' directory {directory} can't be made: {source}")]
    Directory {
        /// As given.
        directory: String,
        /// Why.
        source: std::io::Error,
    },
    /// Postgres can't be used as the URL says.
    #[error(
        "PostgreSQL at {url} can't be used: {reason}. Start it, or correct host, user, password or database of the URL"
    )]
    Connect {
        /// As given, without a password.
        url: String,
        /// What it said.
        reason: String,
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

/// SQLSTATE classes and codes by which Postgres says that it is the connection, or the server's state, and not the
/// statement: away, shutting down, too many connections, out of resources, a session that was ended.
const AWAY: [&str; 4] = ["08", "53", "57P", "25P03"];

impl StoreError {
    /// Whether the database can't be reached at the moment or has too much to do, which passes, rather than refuses.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Connect { .. } => true,
            Self::Database(sqlx::Error::Database(_)) => self.has_code(&AWAY),
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
            _ => false,
        }
    }

    /// Whether a table is not there: it went with its generation, or the database has forgotten it.
    pub(crate) fn is_gone(&self) -> bool {
        self.has_code(&GONE)
    }

    /// Whether the database answered a code that begins so.
    fn has_code(&self, beginnings: &[&str]) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| beginnings.iter().any(|beginning| code.starts_with(beginning)))
    }
}

/// SQLSTATE codes by which Postgres says that a table or its schema is not there.
const GONE: [&str; 2] = ["42P01", "3F000"];

/// Where the views of a service are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ViewStore {
    place: Place,
    pub(crate) cache_bytes: usize,
}

#[derive(Clone, Debug)]
enum Place {
    /// One file per view. Who opens the directory, folds.
    Sqlite(Arc<Path>),
    /// Shared by replicas, one of which folds: see [`crate::lease`].
    Postgres(Postgres),
    /// No database at all.
    #[cfg(any(test, feature = "testing"))]
    Memory(MemoryViews),
}

impl ViewStore {
    /// Opens the views of one service alone: see [`Self::open_for`].
    ///
    /// # Errors
    /// As [`Self::open_for`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_in(url, None).await
    }

    /// Opens the views of one of several services that are told the same URL.
    ///
    /// * `sqlite:<directory>`: files in a folder of the service's name below it, which is made if it is missing.
    /// * `postgres://<user>@<host>/<database>`: a schema of the service's name, `tandem_contracts`, which is made if it
    ///   is missing. Beside what PostgreSQL's own URLs take (`sslmode`, `sslrootcert`, `options[..]`, a socket's folder
    ///   as `host`) it may say `schema=`, which takes the place of `tandem`, and `pool_max_conns=`, how many connections
    ///   the views of the service may hold at most (8, and at least 2).
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Directory`], or [`StoreError::Connect`] if Postgres does not take connections
    /// within ten seconds, is older than 14, or has no schema and does not let one be made.
    pub async fn open_for(url: &str, service: &str) -> Result<Self, StoreError> {
        Self::open_in(url, Some(service)).await
    }

    async fn open_in(url: &str, service: Option<&str>) -> Result<Self, StoreError> {
        install_default_drivers();
        let postgres = ["postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme));
        let place = match url.strip_prefix("sqlite:") {
            Some(directory) => Place::Sqlite(sqlite::open(url, directory, service).await?),
            None if postgres => Place::Postgres(Postgres::open(url, service).await?),
            None => {
                let reason = "use sqlite:<directory> or postgres://<user>@<host>/<database>".to_owned();
                return Err(StoreError::Url { url: url.to_owned(), reason });
            }
        };
        Ok(Self { place, cache_bytes: CACHE_BYTES })
    }

    /// Keeps views in memory.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn in_memory(views: MemoryViews) -> Self {
        install_default_drivers();
        Self { place: Place::Memory(views), cache_bytes: CACHE_BYTES }
    }

    /// Each view keeps up to so many bytes of rows in memory while it is built, and a quarter of that otherwise, by an
    /// estimate that is rather too high; 128 MiB unless told.
    #[must_use]
    pub fn with_cache_bytes(self, bytes: usize) -> Self {
        Self { cache_bytes: bytes, ..self }
    }

    /// The database of a view, with the register of its generations.
    pub(crate) async fn database(&self, view: &str) -> Result<Database, StoreError> {
        let database = match &self.place {
            Place::Sqlite(directory) => sqlite::database(directory, view).await?,
            Place::Postgres(postgres) => postgres.database(),
            #[cfg(any(test, feature = "testing"))]
            Place::Memory(memory) => {
                return Ok(Database {
                    pool: memory::unconnected()?,
                    dialect: Dialect::Sqlite,
                    shared: None,
                    memory: Some(memory.clone()),
                });
            }
        };
        database.create_register().await?;
        Ok(database)
    }
}
