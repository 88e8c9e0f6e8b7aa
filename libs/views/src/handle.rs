//! The handle of a running view: queries, positions, status and rebuild.
//!
//! Invariant: an answer comes from one generation, whole.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};
use tandem_eventlog::{Position, Positions};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::generation::Generation;
use crate::memory::in_memory;
use crate::page::{ListQuery, Page};
use crate::park::Parked;
use crate::pipeline::filter;
use crate::query::QueryError;
use crate::register::position;
use crate::retry::RetryReport;
use crate::runner::{Progress, Request, Shared};
use crate::store::StoreError;
use crate::view::View;

/// How long a query waits for a view that is being built for the first time.
const FIRST_BUILD: Duration = Duration::from_secs(2);
/// A view that follows the log has read what is there within this time; later it is worth asking where the log ends.
const CATCHES_UP: Duration = Duration::from_millis(50);
/// So many parked events are shown; all are counted.
const SHOWN_PARKED: usize = 100;

/// A running view. Cheap to clone; the view goes on without handles.
pub struct ViewHandle<V: View> {
    shared: Arc<Shared<V>>,
    progress: watch::Receiver<Progress>,
    requests: mpsc::Sender<Request>,
}

/// A view as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewStatus {
    /// Its name.
    pub name: &'static str,
    /// Version of the generation that answers; 0 if none does yet.
    pub version: i32,
    /// The generation that answers; 0 if none does yet.
    pub generation: i64,
    /// It has read the log so far.
    pub position: Position,
    /// Positions between it and the last event that it has to read; 0 if it is up to date. None if the log can't be
    /// asked.
    pub lag: Option<u64>,
    /// Rows of all tenants.
    pub row_count: u64,
    /// Events parked.
    pub parked_count: u64,
    /// The first hundred of them, in the order of the log.
    pub parked: Vec<Parked>,
    /// Whether this replica folds it. Of those that share a store one does, and the others answer from what it writes.
    pub folding: bool,
    /// Events passed over, for a newer version has written them: the rows that they touch lack what they say.
    pub newer_count: u64,
    /// The first hundred of them, in the order of the log.
    pub newer: Vec<Parked>,
    /// Why it does not go on at the moment, if so. It tries again by itself.
    pub failure: Option<String>,
}

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildReport {
    /// The view's name.
    pub name: &'static str,
    /// Its version.
    pub version: i32,
    /// The generation that now answers.
    pub generation: i64,
    /// Events read, those of an earlier, interrupted build not counted.
    pub event_count: u64,
    /// Rows of all tenants.
    pub row_count: u64,
    /// From its begin until it answered.
    pub duration: Duration,
}

/// The rebuild was interrupted by a failure or by the end of the process; what answered before still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rebuild of view {0:?} was interrupted; what was there still answers. See its status, and try again")]
pub struct RebuildError(pub &'static str);

/// What was parked could not be tried again, or not all of it; it is still parked.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No generation answers yet.
    #[error(transparent)]
    Building(#[from] QueryError),
    /// The view was interrupted, or shut down.
    #[error(transparent)]
    Interrupted(#[from] RebuildError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a view has not read far enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// DEADLINE_EXCEEDED.
    #[error("view {view:?} is at position {at}, not yet at {wanted}: try again, or read without a position")]
    Deadline {
        /// The view's name.
        view: &'static str,
        /// It has read so far.
        at: Position,
        /// It should have.
        wanted: Position,
    },
    /// INVALID_ARGUMENT: the position is none of this log's events of the view's kinds; waiting would not help.
    #[error(
        "position {wanted} is beyond the log, whose last event for view {view:?} is at {last}: pass the position that an \
         earlier reply gave, or none"
    )]
    Beyond {
        /// The view's name.
        view: &'static str,
        /// Where the last event is that concerns the view.
        last: Position,
        /// What was asked for.
        wanted: Position,
    },
    /// UNAVAILABLE: the view was shut down.
    #[error("view {0:?} is shut down")]
    Stopped(&'static str),
}

/// A view of whatever row type, for those who operate views.
#[async_trait::async_trait]
pub trait AnyView: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// How it is.
    ///
    /// # Errors
    /// If the store can't be read.
    async fn status(&self) -> Result<ViewStatus, StoreError>;

    /// Builds it anew from the start of the log, and answers when the new generation does. A rebuild that already goes
    /// on is waited for. Goes on if the caller does not wait.
    ///
    /// # Errors
    /// [`RebuildError`].
    async fn rebuild(&self) -> Result<RebuildReport, RebuildError>;

    /// Takes in what it has parked, of the aggregate of this subject or of all, now that what kept it from it is mended;
    /// what it still can't take is parked again. A view whose rows gather several aggregates is built anew.
    ///
    /// # Errors
    /// [`RetryError`].
    async fn retry(&self, subject: Option<&str>) -> Result<RetryReport, RetryError>;

    /// Waits until the view has read what of `positions` concerns it.
    ///
    /// # Errors
    /// [`WaitError`].
    async fn wait_for(&self, positions: &Positions, deadline: Instant) -> Result<(), WaitError>;

    /// Waits until no other replica answers better than this one: a newer version answers from the older one while it is
    /// built, and only replicas of the older version, as long as there are some, keep that up to date.
    async fn settled(&self);

    /// Waits until the view is shut down and writes no more.
    async fn stopped(&self);
}

impl<V: View> ViewHandle<V> {
    pub(crate) fn new(
        shared: Arc<Shared<V>>,
        progress: watch::Receiver<Progress>,
        requests: mpsc::Sender<Request>,
    ) -> Self {
        Self { shared, progress, requests }
    }

    /// The tenant's row of this id, if there is one.
    ///
    /// # Errors
    /// [`QueryError::Building`] or [`QueryError::Store`].
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<V::Row>, QueryError> {
        let generation = self.generation().await?;
        match generation.get(tenant, id).await {
            Err(error) => Ok(self.successor(&generation, error).await?.get(tenant, id).await?),
            Ok(row) => Ok(row),
        }
    }

    /// One page of the tenant's rows that match.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(&self, tenant: &str, query: &ListQuery<'_>) -> Result<Page<V::Row>, QueryError> {
        let generation = self.generation().await?;
        // Before the rows are: they may be newer.
        let position = self.position();
        match generation.list(&self.shared.schema, tenant, query, position).await {
            Err(QueryError::Store(error)) => {
                let successor = self.successor(&generation, error).await?;
                successor.list(&self.shared.schema, tenant, query, position).await
            }
            answer => answer,
        }
    }

    /// How far it has read the log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.progress.borrow().position
    }

    /// Waits until the view has read up to `position`.
    ///
    /// # Errors
    /// [`WaitError`].
    pub async fn wait_for_position(&self, position: Position, deadline: Instant) -> Result<(), WaitError> {
        let mut progress = self.progress.clone();
        let _hurry = (progress.borrow().position < position).then(|| Hurry::new(self, position));
        tokio::select! {
            biased;
            reached = progress.wait_for(|progress| progress.position >= position) => {
                reached.map(drop).map_err(|_| WaitError::Stopped(V::NAME))
            }
            last = self.end_before(position) => Err(WaitError::Beyond { view: V::NAME, last, wanted: position }),
            () = tokio::time::sleep_until(deadline) => {
                Err(WaitError::Deadline { view: V::NAME, at: self.progress.borrow().position, wanted: position })
            }
        }
    }

    /// Where the log ends for this view, if that is before `position`. Does not end if it is not, or can't be told: then
    /// the view is behind, and the deadline decides.
    async fn end_before(&self, position: Position) -> Position {
        tokio::time::sleep(CATCHES_UP).await;
        match self.shared.log.last_position(&filter::<V>()).await {
            Ok(last) if last < position => last,
            _ => std::future::pending().await,
        }
    }

    /// The generation that answers.
    async fn generation(&self) -> Result<Arc<Generation>, QueryError> {
        let mut progress = self.progress.clone();
        let built = progress.wait_for(|progress| progress.generation.is_some());
        let progress = tokio::time::timeout(FIRST_BUILD, built).await.ok().and_then(Result::ok);
        let generation = progress.and_then(|progress| progress.generation.clone());
        generation.ok_or_else(building::<V>)
    }

    /// The generation that answers instead of one that could not be read: the tables of that may have gone meanwhile. If
    /// nothing has taken its place, it was forgotten with all that it held, and is being built anew.
    async fn successor(&self, generation: &Generation, error: StoreError) -> Result<Arc<Generation>, QueryError> {
        let current = self.progress.borrow().generation.clone().ok_or_else(building::<V>)?;
        if current.number != generation.number {
            return Ok(current);
        }
        let Shared { database, schema, .. } = &*self.shared;
        if database.shared.is_none() || error.is_away() {
            return Err(error.into());
        }
        match database.live(V::NAME).await {
            // Another replica has replaced it, and this one has not seen it yet.
            Ok(Some(live)) if live.number != generation.number => {
                Ok(Generation::new(V::NAME, &live, schema, database.clone()))
            }
            Ok(None) => Err(building::<V>()),
            Err(unknown) if unknown.is_gone() => Err(building::<V>()),
            _ => Err(error.into()),
        }
    }
}

fn building<V: View>() -> QueryError {
    QueryError::Building(format!("view {:?}", V::NAME))
}

/// Somebody waits for a position: until then the view writes at once what it reads.
struct Hurry<'a, V: View> {
    view: &'a ViewHandle<V>,
    position: Position,
}

impl<'a, V: View> Hurry<'a, V> {
    fn new(view: &'a ViewHandle<V>, position: Position) -> Self {
        view.shared.wanted.send_if_modified(|wanted| position > std::mem::replace(wanted, position.max(*wanted)));
        Self { view, position }
    }
}

impl<V: View> Drop for Hurry<'_, V> {
    /// Who gave up, or went away, must not hurry the view for ever by a position that is far off. Who waits for less is
    /// hurried no more, too, but served at the next interval all the same.
    fn drop(&mut self) {
        let at = self.view.progress.borrow().position;
        if at < self.position {
            self.view.shared.wanted.send_if_modified(|wanted| {
                *wanted = at.min(*wanted);
                false
            });
        }
    }
}

#[async_trait::async_trait]
impl<V: View> AnyView for ViewHandle<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    async fn status(&self) -> Result<ViewStatus, StoreError> {
        let Progress { generation, position, folding, failure, .. } = self.progress.borrow().clone();
        let ended = self.progress.has_changed().is_err();
        let failure =
            failure.or_else(|| ended.then(|| "it does not run: it was shut down, or its fold panicked".into()));
        let last = self.shared.log.last_position(&filter::<V>()).await.ok();
        let mut status = ViewStatus {
            name: V::NAME,
            version: 0,
            generation: 0,
            position,
            lag: last.map(|last| last.saturating_sub(position)),
            row_count: 0,
            parked_count: 0,
            parked: Vec::new(),
            folding,
            newer_count: 0,
            newer: Vec::new(),
            failure,
        };
        if let Some(generation) = generation
            && let Err(error) = generation.describe(&mut status).await
        {
            match self.successor(&generation, error).await {
                Ok(successor) => successor.describe(&mut status).await?,
                Err(QueryError::Store(error)) => return Err(error),
                // None answers.
                Err(_) => (status.version, status.generation) = (0, 0),
            }
        }
        Ok(status)
    }

    async fn rebuild(&self) -> Result<RebuildReport, RebuildError> {
        let (report, reported) = oneshot::channel();
        self.requests.send(Request::Rebuild(report)).await.map_err(|_| RebuildError(V::NAME))?;
        reported.await.map_err(|_| RebuildError(V::NAME))
    }

    async fn retry(&self, subject: Option<&str>) -> Result<RetryReport, RetryError> {
        let (generation, subject) = (self.generation().await?, subject.unwrap_or_default());
        let retried = generation.parked_count(subject).await?;
        if retried == 0 {
            return Ok(RetryReport::default());
        }
        if V::ROW_PER_AGGREGATE {
            let (report, reported) = oneshot::channel();
            let request = Request::Retry(subject.to_owned(), report);
            self.requests.send(request).await.map_err(|_| RebuildError(V::NAME))?;
            if let Some(report) = reported.await.map_err(|_| RebuildError(V::NAME))? {
                return Ok(report);
            }
        }
        self.rebuild().await?;
        let parked = self.generation().await?.parked_count(subject).await?;
        Ok(RetryReport { retried, parked, rebuilt: true })
    }

    async fn wait_for(&self, positions: &Positions, deadline: Instant) -> Result<(), WaitError> {
        let position = if V::KINDS.is_empty() { positions.max() } else { positions.max_for(V::KINDS) };
        self.wait_for_position(position, deadline).await
    }

    async fn settled(&self) {
        // Or until it is shut down.
        let _ = self.progress.clone().wait_for(|progress| progress.settled).await;
    }

    async fn stopped(&self) {
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
    }
}

impl<V: View> Clone for ViewHandle<V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), progress: self.progress.clone(), requests: self.requests.clone() }
    }
}

impl Generation {
    /// Fills in what the generation knows of itself.
    async fn describe(&self, status: &mut ViewStatus) -> Result<(), StoreError> {
        status.version = self.version;
        status.generation = self.number;
        status.row_count = self.row_count().await?;
        (status.parked_count, status.parked) = self.parked(SHOWN_PARKED).await?;
        (status.newer_count, status.newer) = self.newer(SHOWN_PARKED).await?;
        Ok(())
    }

    pub(crate) async fn row_count(&self) -> Result<u64, StoreError> {
        in_memory!(self.database, memory => memory.row_count(self).await);
        self.count_of(self.tables.rows()).await
    }

    pub(crate) async fn count_of(&self, table: String) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count: i64 = sqlx::query(AssertSqlSafe(sql)).fetch_one(&self.database.pool).await?.try_get(0)?;
        Ok(position(count))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tandem_eventlog::MemoryLog;

    use super::*;
    use crate::testing::tests::Sums;
    use crate::testing::{StoreKind, TestStore};

    async fn who_waits_no_more_hurries_the_view_no_more(kind: StoreKind) {
        let place = TestStore::new(kind);
        let store = place.open().await.unwrap();
        let log = Arc::new(MemoryLog::new());
        let view = crate::start(Sums, &store, log, tokio_util::sync::CancellationToken::new()).await.unwrap();
        let far = Instant::now() + Duration::from_secs(3600);
        {
            let mut waiting = Box::pin(view.wait_for_position(Position::MAX, far));
            assert_eq!((&mut waiting).now_or_never(), None);
            assert_eq!(*view.shared.wanted.borrow(), Position::MAX);
        }
        assert_eq!(*view.shared.wanted.borrow(), 0, "it went away");
        view.wait_for_position(Position::MAX, Instant::now()).await.unwrap_err();
        assert_eq!(*view.shared.wanted.borrow(), 0, "its deadline passed");
        view.wait_for_position(Position::MAX, far).await.unwrap_err();
        assert_eq!(*view.shared.wanted.borrow(), 0, "it was beyond the log");
    }

    crate::on_every_store!(who_waits_no_more_hurries_the_view_no_more);
}
