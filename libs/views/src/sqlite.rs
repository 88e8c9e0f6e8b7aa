//! Views in SQLite files, one per view, in a directory: nothing to install, and nobody to share with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyConnection;
use sqlx::any::AnyPoolOptions;

use crate::dialect::Dialect;
use crate::register::Database;
use crate::store::StoreError;

/// The directory of `url`, or one below it, made if it is missing.
pub(crate) async fn open(url: &str, directory: &str, below: Option<&str>) -> Result<Arc<Path>, StoreError> {
    let directory = directory.strip_prefix("//").unwrap_or(directory);
    if directory.is_empty() {
        return Err(StoreError::Url { url: url.to_owned(), reason: "a directory is missing after sqlite:".to_owned() });
    }
    let directory = Path::new(directory).join(below.unwrap_or_default());
    tokio::fs::create_dir_all(&directory)
        .await
        .map_err(|source| StoreError::Directory { directory: directory.display().to_string(), source })?;
    Ok(directory.into())
}

/// The file of a view.
pub(crate) async fn database(directory: &Path, view: &str) -> Result<Database, StoreError> {
    let file = directory.join(format!("{view}.sqlite"));
    let pool = AnyPoolOptions::new()
        .max_connections(5)
        .acquire_timeout(Duration::from_secs(30))
        // A file needs no ping.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { configure(connection).await }))
        .connect(&format!("sqlite:{}?mode=rwc", percent_encoded(&file)))
        .await?;
    Ok(Database {
        pool,
        dialect: Dialect::Sqlite,
        shared: None,
        #[cfg(any(test, feature = "testing"))]
        memory: None,
    })
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
