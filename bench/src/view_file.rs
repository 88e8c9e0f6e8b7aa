//! The SQLite file of a view, read past the service: for what its SQL costs by itself, and for what it shows when.
//!
//! Invariant: nothing is written to it.

use std::path::Path;

use anyhow::Context as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};
use tandem_eventlog::Position;

use crate::sample::TENANT;

/// A view's file, and which table in it answers.
#[derive(Clone)]
pub(crate) struct ViewFile {
    pool: SqlitePool,
    rows: String,
}

impl ViewFile {
    /// Opens the view's file, once the view is built.
    pub(crate) async fn open(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true).pragma("cache_size", "-65536");
        let pool = SqlitePoolOptions::new().max_connections(5).test_before_acquire(false).connect_with(options).await?;
        let live = sqlx::query("SELECT view, version, generation FROM view_generations WHERE live = 1");
        let live = live.fetch_optional(&pool).await?.context("no generation of the view answers")?;
        let (view, version, generation): (&str, i64, i64) = (live.try_get(0)?, live.try_get(1)?, live.try_get(2)?);
        Ok(Self { rows: format!("{view}_v{version}_g{generation}"), pool })
    }

    /// The event up to which the view shows the log, to whoever reads it now.
    pub(crate) async fn position(&self) -> anyhow::Result<Position> {
        let row = sqlx::query("SELECT position FROM view_generations WHERE live = 1").fetch_one(&self.pool).await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?)?)
    }

    /// The statement of a List without filter: the first page, one row more, and how many there are.
    pub(crate) async fn list(&self, page_size: usize) -> anyhow::Result<()> {
        let (rows, limit) = (&self.rows, i64::try_from(page_size + 1)?);
        let sql = format!(
            "SELECT id, body, id, (SELECT COUNT(*) FROM {rows} WHERE tenant = $1) FROM {rows} WHERE tenant = $1 \
             ORDER BY id LIMIT $2"
        );
        let page = sqlx::query(AssertSqlSafe(sql)).bind(TENANT).bind(limit).fetch_all(&self.pool).await?;
        let count: i64 = page.first().context("no rows")?.try_get(3)?;
        anyhow::ensure!(count > limit && page.len() == page_size + 1, "{count} rows, {} of them read", page.len());
        Ok(())
    }
}
