//! Views in a schema of a Postgres database, which replicas of a service share.
//!
//! Invariant: a session that does not go on holds nothing for long: the server ends its transaction.

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection as _, Row as _};
use tokio::time::Instant;

use crate::dialect::Dialect;
use crate::register::Database;
use crate::schema::is_identifier;
use crate::store::StoreError;

/// How long Postgres is waited for when it is first opened: it may be starting, too.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
/// How long a statement waits for a connection, in a pool that is exhausted or whose server is away.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(5);
const OLDEST_VERSION: i64 = 140_000;
const DEFAULT_SCHEMA: &str = "tandem";
/// One folds, one builds, the others answer.
const DEFAULT_CONNECTIONS: u32 = 8;
const FEWEST_CONNECTIONS: u32 = 2;

/// What every session is told. A commit is acknowledged before it is on disk, unless it is of the register
/// ([`crate::register`]): after a crash of the server the view is at an earlier checkpoint, from where it goes on. A writer that is paused in a transaction, or cut off, loses it, so that
/// its successor need not wait.
const SESSION: &str = "application_name=tandem&options[synchronous_commit]=off\
    &options[idle_in_transaction_session_timeout]=10s&options[lock_timeout]=15s&options[tcp_keepalives_idle]=10\
    &options[tcp_keepalives_interval]=5&options[tcp_keepalives_count]=3&options[client_min_messages]=warning\
    &statement-cache-capacity=256";

/// The pools of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    /// For rows: reading, folding, building.
    rows: AnyPool,
    /// For leases and checkpoints, which must not wait for queries.
    pub(crate) steering: AnyPool,
    target: Arc<Target>,
}

impl Postgres {
    pub(crate) async fn open(url: &str, service: Option<&str>) -> Result<Self, StoreError> {
        let target = Target::parse(url, service)?;
        target.prepare().await?;
        let pool = |connections| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_WITHIN)
                .connect_lazy(&target.url)
                .map_err(|error| target.refused(&error))
        };
        Ok(Self { rows: pool(target.connections - 1)?, steering: pool(1)?, target: Arc::new(target) })
    }

    /// Makes the schema if it is missing.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        self.target.prepare().await
    }

    pub(crate) fn database(&self) -> Database {
        Database {
            pool: self.rows.clone(),
            dialect: Dialect::Postgres,
            shared: Some(self.clone()),
            #[cfg(any(test, feature = "testing"))]
            memory: None,
        }
    }
}

/// What a URL asks for.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// For the driver, with the settings of the session.
    url: String,
    /// For people, without the password.
    shown: String,
    schema: String,
    connections: u32,
}

impl Target {
    fn parse(url: &str, service: Option<&str>) -> Result<Self, StoreError> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let shown = without_password(address);
        let refuse = |reason: String| StoreError::Url { url: shown.clone(), reason };
        let (mut schema, mut connections, mut passed) = (DEFAULT_SCHEMA.to_owned(), DEFAULT_CONNECTIONS, String::new());
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("schema", name)) => schema = name.to_owned(),
                Some(("pool_max_conns", number)) => {
                    let number = number.parse().ok().filter(|number| *number >= FEWEST_CONNECTIONS);
                    connections = number
                        .ok_or_else(|| refuse(format!("pool_max_conns is a number from {FEWEST_CONNECTIONS} on")))?;
                }
                _ => passed.push_str(&format!("&{part}")),
            }
        }
        if let Some(service) = service {
            schema = format!("{schema}_{service}");
        }
        if !is_identifier(&schema) {
            let rule = "is not 1 to 40 of a-z 0-9 _, beginning with a letter";
            return Err(refuse(format!("the schema {schema:?} {rule}")));
        }
        // What the URL itself says comes last, for the last word counts.
        let url = format!("{address}?{SESSION}&options[search_path]={schema}{passed}");
        Ok(Self { url, shown, schema, connections })
    }

    fn refused(&self, error: &sqlx::Error) -> StoreError {
        StoreError::Connect { url: self.shown.clone(), reason: error.to_string() }
    }

    /// Sees to it that there is a server of a sufficient version, with the schema.
    async fn prepare(&self) -> Result<(), StoreError> {
        let mut connection = self.connect().await?;
        self.check(&mut connection).await?;
        let _ = connection.close().await;
        Ok(())
    }

    /// The first connection; waits for a server that is not there yet.
    async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let give_up = Instant::now() + CONNECT_WITHIN;
        loop {
            let attempt = tokio::time::timeout_at(give_up, AnyConnection::connect(&self.url)).await;
            let error = match attempt {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => StoreError::from(error),
                Err(_) => StoreError::Database(sqlx::Error::PoolTimedOut),
            };
            if !error.is_away() || Instant::now() + BETWEEN_TRIES > give_up {
                return Err(match error {
                    StoreError::Database(sqlx::Error::PoolTimedOut) => {
                        let reason = format!("it does not answer within {CONNECT_WITHIN:?}");
                        StoreError::Connect { url: self.shown.clone(), reason }
                    }
                    StoreError::Database(error) => self.refused(&error),
                    other => other,
                });
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    async fn check(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let asked = sqlx::query(
            "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
             (SELECT COUNT(*) FROM pg_namespace WHERE nspname = $1)",
        );
        let row = asked.bind(&*self.schema).fetch_one(&mut *connection).await?;
        let (version, known): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if version < OLDEST_VERSION {
            let reason = format!("its version {} is older than 14", version / 10_000);
            return Err(StoreError::Connect { url: self.shown.clone(), reason });
        }
        if known == 0 {
            let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", self.schema);
            let made = sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await;
            let by_another = |error: &sqlx::Error| error.as_database_error().is_some_and(|e| e.is_unique_violation());
            match made {
                Err(error) if !by_another(&error) => {
                    let schema = &self.schema;
                    let reason =
                        format!("schema {schema} is missing and can't be made ({error}): make it, or allow CREATE");
                    return Err(StoreError::Connect { url: self.shown.clone(), reason });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `postgres://user:secret@host/database` without the secret.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return address.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_in_which_schema_and_how_many() {
        let url = "postgres://ada:pass:w@rd@db.example:5433/views?sslmode=require&schema=stage&pool_max_conns=3";
        let target = Target::parse(url, Some("contracts")).unwrap();
        assert_eq!((target.schema.as_str(), target.connections), ("stage_contracts", 3));
        assert_eq!(target.shown, "postgres://ada@db.example:5433/views");
        assert!(target.url.starts_with("postgres://ada:pass:w@rd@db.example:5433/views?application_name=tandem&"));
        assert!(target.url.ends_with("&options[search_path]=stage_contracts&sslmode=require"), "{}", target.url);
        let target = Target::parse("postgres://localhost/views", None).unwrap();
        assert_eq!((target.schema.as_str(), target.connections), ("tandem", 8));
    }

    #[test]
    fn what_can_not_be_is_refused_without_telling_the_password() {
        for (query, reason) in [
            ("schema=a;drop", "the schema \"a;drop\" is not 1 to 40 of a-z"),
            ("pool_max_conns=1", "pool_max_conns is a number from 2 on"),
            ("pool_max_conns=many", "pool_max_conns is a number from 2 on"),
        ] {
            let error =
                Target::parse(&format!("postgres://ada:secret@db/views?{query}"), None).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("secret"), "{error}");
        }
    }
}
