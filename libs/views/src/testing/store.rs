//! Stores for tests: the same test on each database that views can be kept in.
//!
//! Invariant: no two stores share anything, at whatever time and in whichever process their tests run.

use tempfile::TempDir;

use crate::{StoreError, ViewStore};

/// A database that views can be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In a directory of its own.
    Sqlite,
    /// In a schema of its own, on a server that all tests of the process share.
    Postgres,
}

/// An empty place for views. What is in it goes away with the directory, or with the server.
#[derive(Debug)]
pub struct TestStore {
    /// Of which database it is.
    pub kind: StoreKind,
    /// The schema on Postgres.
    pub schema: String,
    directory: TempDir,
}

impl TestStore {
    /// A new one.
    ///
    /// # Panics
    /// If there is no place for temporary files.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test can't go on without")]
    #[expect(clippy::disallowed_methods, reason = "it keeps tests apart, and is of no effect on rows")]
    pub fn new(kind: StoreKind) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let schema = format!("t{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
        Self { kind, schema, directory }
    }

    /// As `--views` takes it.
    ///
    /// # Panics
    /// If there is no PostgreSQL to be started.
    pub async fn url(&self) -> String {
        match self.kind {
            StoreKind::Sqlite => format!("sqlite:{}", self.directory.path().display()),
            // Few connections each, for many tests run at the same time.
            StoreKind::Postgres => format!("{}&schema={}&pool_max_conns=4", postgres().await, self.schema),
        }
    }

    /// Opens it, as a process of its own would.
    ///
    /// # Errors
    /// As [`ViewStore::open`].
    pub async fn open(&self) -> Result<ViewStore, StoreError> {
        ViewStore::open(&self.url().await).await
    }
}

/// URL of the server.
async fn postgres() -> String {
    tandem_postgres_server::shared().await.unwrap_or_else(|error| panic!("{error}"))
}

/// Makes tests `sqlite::<name>` and `postgres::<name>` of functions that take a [`StoreKind`].
#[macro_export]
macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::testing::StoreKind::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::testing::StoreKind::Postgres).await;
            })*
        }
    };
}
