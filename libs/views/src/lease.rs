//! The lease of a version of a view: which of the replicas that share a store folds it. The others answer queries, and take
//! over when the lease is not renewed, for its holder has died, hangs, or is cut off.
//!
//! Invariant: the lease makes folding economical, not correct: that nothing is folded twice is the checkpoint's matter
//! ([`crate::store`]), and holds when two believe that they have the lease. Time is told by the database's clock alone.

use std::time::Duration;

use sqlx::{AnyPool, Row as _};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::dialect::Dialect;
use crate::store::StoreError;

/// How long a lease is good for if it is not renewed.
pub(crate) const TERM: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// How long giving it back may take at the end; it runs out anyway.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// Milliseconds since 1970, by the database's clock.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// `view` is its name and version; `until` is when the lease ends; `asked` is who wants to have it next, empty if nobody does.
pub(crate) fn create_table(dialect: Dialect) -> String {
    let text = dialect.text();
    format!(
        "CREATE TABLE IF NOT EXISTS view_leases (view {text} NOT NULL PRIMARY KEY, holder {text} NOT NULL, \
         until BIGINT NOT NULL, asked {text} NOT NULL)"
    )
}

/// A replica that would fold a version of a view.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pool: AnyPool,
    view: &'static str,
    /// As the table has it.
    lease: String,
    /// Tells this runner from all others, in this process and elsewhere.
    name: String,
}

impl Candidate {
    pub(crate) fn new(pool: AnyPool, view: &'static str, version: i32) -> Self {
        Self { pool, view, lease: lease(view, version), name: name() }
    }

    /// Takes the lease if it is free.
    pub(crate) async fn take(&self) -> Result<Option<Lease>, StoreError> {
        // Reading first, for the other statement writes, even if it is in vain.
        let free = sqlx::query(concat!("SELECT holder = $2 OR until <= ", now!(), " FROM view_leases WHERE view = $1"))
            .bind(&*self.lease)
            .bind(&*self.name)
            .fetch_optional(&self.pool)
            .await?;
        if !free.map_or(Ok(true), |row| row.try_get(0))? {
            return Ok(None);
        }
        let begun = Instant::now();
        Ok(self.hold().await?.map(|_| Lease::new(self.clone(), begun + TERM)))
    }

    /// Whether nobody has had the lease of this version for so long.
    pub(crate) async fn is_idle(&self, version: i32, time: Duration) -> Result<bool, StoreError> {
        let idle = sqlx::query(concat!("SELECT until <= ", now!(), " - $2 FROM view_leases WHERE view = $1"))
            .bind(lease(self.view, version))
            .bind(millis(time))
            .fetch_optional(&self.pool)
            .await?;
        Ok(idle.map_or(Ok(true), |row| row.try_get(0))?)
    }

    /// Asks whoever has the lease for it. To be asked again: the next holder does not know.
    pub(crate) async fn ask(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE view_leases SET asked = $2 WHERE view = $1 AND asked = '' AND holder <> $2")
            .bind(&*self.lease)
            .bind(&*self.name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes or prolongs the lease; answers who asks for it, or nothing if somebody else has it.
    async fn hold(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(concat!(
            "INSERT INTO view_leases AS lease (view, holder, until, asked) VALUES ($1, $2, ",
            now!(),
            " + $3, '') ON CONFLICT (view) DO UPDATE SET holder = excluded.holder, until = excluded.until, \
             asked = CASE WHEN lease.holder = excluded.holder THEN lease.asked ELSE '' END \
             WHERE lease.holder = excluded.holder OR lease.until <= ",
            now!(),
            " RETURNING asked"
        ))
        .bind(&*self.lease)
        .bind(&*self.name)
        .bind(millis(TERM))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Gives it back, to who asks for it if somebody does.
    async fn release(&self) -> Result<(), StoreError> {
        sqlx::query(concat!(
            "UPDATE view_leases SET until = ",
            now!(),
            " + CASE WHEN asked = '' THEN 0 ELSE $3 END, holder = CASE WHEN asked = '' THEN holder ELSE asked END, \
             asked = '' WHERE view = $1 AND holder = $2"
        ))
        .bind(&*self.lease)
        .bind(&*self.name)
        .bind(millis(TERM))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Renews the lease until it is lost; says when somebody asks for it.
    async fn keep(self, mut good_until: Instant, state: watch::Sender<State>) {
        loop {
            sleep(RENEW_EVERY).await;
            let begun = Instant::now();
            // Who comes late, for the whole process had no time, still has it if nobody has taken it.
            match timeout_at(good_until.max(begun + RENEW_EVERY), self.hold()).await {
                Ok(Ok(Some(asked))) => {
                    good_until = begun + TERM;
                    if !asked.is_empty() {
                        state.send_replace(State::Asked);
                    }
                }
                Ok(Err(error)) if Instant::now() < good_until => {
                    tracing::warn!(view = self.view, %error, "the lease can't be renewed; trying again");
                }
                _ => {
                    state.send_replace(State::Lost);
                    return;
                }
            }
        }
    }
}

/// The lease of a view, renewed as long as this lives. One that is dropped runs out.
#[derive(Debug)]
pub(crate) struct Lease {
    /// None if there is nobody to share with.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    candidate: Candidate,
    state: watch::Receiver<State>,
    keeper: AbortHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Held,
    Asked,
    Lost,
}

impl Lease {
    /// Of a store that is not shared.
    pub(crate) fn unshared() -> Self {
        Self { held: None }
    }

    fn new(candidate: Candidate, good_until: Instant) -> Self {
        let (sender, state) = watch::channel(State::Held);
        // Its own task: renewing must not wait for a fold or a write.
        let keeper = tokio::spawn(candidate.clone().keep(good_until, sender)).abort_handle();
        Self { held: Some(Held { candidate, state, keeper }) }
    }

    /// Ends when somebody else may have the lease; never if it is not shared.
    pub(crate) async fn lost(&self) {
        self.becomes(State::Lost).await;
    }

    /// Ends when somebody else wants to have it.
    pub(crate) async fn asked(&self) {
        self.becomes(State::Asked).await;
    }

    async fn becomes(&self, wanted: State) {
        let Some(held) = &self.held else { return std::future::pending().await };
        // The keeper ends by losing the lease alone.
        let _ = held.state.clone().wait_for(|state| *state == wanted).await;
    }

    /// Gives it back, so that another need not wait until it runs out.
    pub(crate) async fn release(self) {
        let Some(held) = &self.held else { return };
        held.keeper.abort();
        if let Ok(Err(error)) = timeout(RELEASE_WITHIN, held.candidate.release()).await {
            tracing::debug!(view = held.candidate.view, %error, "the lease is not given back; it runs out");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

fn lease(view: &str, version: i32) -> String {
    format!("{view}@{version}")
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `contracts-7c9f/6f1c..`: the machine for people, the rest for uniqueness.
#[expect(clippy::disallowed_methods, reason = "it tells replicas apart, and is of no effect on rows")]
fn name() -> String {
    let machine = std::env::var("HOSTNAME").unwrap_or_else(|_| format!("process {}", std::process::id()));
    format!("{machine}/{}", uuid::Uuid::new_v4().simple())
}
