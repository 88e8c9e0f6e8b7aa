//! What a generation has set aside: told, and tried again by command.
//!
//! Invariant: what is tried again is taken in in the order of the log, and is parked no longer in the same transaction. A
//! row whose events are all of one aggregate is then what it would be had nothing ever been parked, for nothing has
//! overtaken what waited; other rows are only right when built anew.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use tandem_eventlog::{EventLog, Position, ReadError, RecordedEvent};

use crate::generation::Generation;
use crate::memory::in_memory;
use crate::park::Parked;
use crate::pipeline::{Pipeline, PipelineError};
use crate::register::{position, position_column};
use crate::store::StoreError;
use crate::view::View;

/// Events tried again in one transaction.
const AT_ONCE: usize = 500;
/// Of these, read from the log at the same time.
const READS: usize = 16;

/// What became of parked events that were tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryReport {
    /// Events that were tried.
    pub retried: u64,
    /// How many of them are parked again.
    pub parked: u64,
    /// Whether the view was built anew.
    pub rebuilt: bool,
}

/// Parked events of a subject, or of all if it is empty, after one position and up to another.
#[derive(Debug)]
pub(crate) struct Retried<'a> {
    subject: &'a str,
    after: Position,
    last: Position,
}

impl Retried<'_> {
    /// Whether this entry is among them.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn covers(&self, parked: &Parked) -> bool {
        let within = parked.position > self.after && parked.position <= self.last;
        within && !parked.is_newer() && (self.subject.is_empty() || parked.subject == self.subject)
    }
}

impl<V: View> Pipeline<V> {
    /// Tries parked events again.
    pub(crate) async fn retry(&mut self, subject: &str) -> Result<RetryReport, PipelineError> {
        self.write().await?;
        // What could not be folded once may well fail again.
        let careful = self.rows.set_careful(true);
        let mut report = RetryReport::default();
        let (mut released, mut after) = (HashSet::new(), 0);
        loop {
            let parked = self.generation.parked_after(after, subject).await?;
            let Some(last) = parked.last().map(|(position, _)| *position) else { break };
            let reads: Vec<_> =
                parked.iter().map(|(position, _)| event(Arc::clone(&self.shared.log), *position)).collect();
            let events: Vec<RecordedEvent> = stream::iter(reads).buffered(READS).try_collect().await?;
            report.retried += events.len() as u64;
            for (_, subject) in parked {
                // Only the first time: if its first event fails again, the later ones wait again.
                if !released.contains(&subject) {
                    self.rows.release(&subject);
                    released.insert(subject);
                }
            }
            self.fold(events).await?;
            report.parked += self.write_retried(&Retried { subject, after, last }).await?;
            after = last;
        }
        self.rows.set_careful(careful);
        Ok(report)
    }
}

async fn event(log: Arc<dyn EventLog>, position: Position) -> Result<RecordedEvent, ReadError> {
    let event = log.get(position).await?;
    event.ok_or_else(|| ReadError(format!("there is no event at position {position} any more")))
}

/// All of them counted, and the first.
#[cfg(any(test, feature = "testing"))]
fn first(mut all: Vec<Parked>, shown: usize) -> (u64, Vec<Parked>) {
    let count = all.len() as u64;
    all.truncate(shown);
    (count, all)
}

impl Generation {
    /// How many events are parked, and the first of them.
    pub(crate) async fn parked(&self, shown: usize) -> Result<(u64, Vec<Parked>), StoreError> {
        in_memory!(self.database, memory => Ok(first(memory.set_aside(self, false).await?, shown)));
        self.set_aside("<>", shown).await
    }

    /// How many events were passed over, and the first of them.
    pub(crate) async fn newer(&self, shown: usize) -> Result<(u64, Vec<Parked>), StoreError> {
        in_memory!(self.database, memory => Ok(first(memory.set_aside(self, true).await?, shown)));
        self.set_aside("=", shown).await
    }

    /// Those with an error are parked, those without were passed over.
    async fn set_aside(&self, error_is: &str, shown: usize) -> Result<(u64, Vec<Parked>), StoreError> {
        let found = format!("{} WHERE error {error_is} ''", self.tables.parked());
        let count = self.count_of(found.clone()).await?;
        let sql =
            format!("SELECT position, subject, event_type, error, time FROM {found} ORDER BY position LIMIT {shown}");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.database.pool).await?;
        let parked = |row: &sqlx::any::AnyRow| {
            Ok(Parked {
                position: position(row.try_get(0)?),
                subject: row.try_get(1)?,
                event_type: row.try_get(2)?,
                error: row.try_get(3)?,
                time: Timestamp::from_microsecond(row.try_get(4)?).unwrap_or_default(),
            })
        };
        Ok((count, rows.iter().map(parked).collect::<Result<_, StoreError>>()?))
    }

    /// How many events of this subject are parked; of all subjects if it is empty.
    pub(crate) async fn parked_count(&self, subject: &str) -> Result<u64, StoreError> {
        in_memory!(self.database, memory => {
            let all = Retried { subject, after: 0, last: Position::MAX };
            let parked = memory.set_aside(self, false).await?;
            Ok(parked.iter().filter(|parked| all.covers(parked)).count() as u64)
        });
        let sql =
            format!("SELECT COUNT(*) FROM {} WHERE error <> '' AND (subject = $1 OR $1 = '')", self.tables.parked());
        let row = sqlx::query(AssertSqlSafe(sql)).bind(subject).fetch_one(&self.database.pool).await?;
        Ok(position(row.try_get(0)?))
    }

    /// The next parked events after a position, with their subjects.
    async fn parked_after(&self, after: Position, subject: &str) -> Result<Vec<(Position, String)>, StoreError> {
        in_memory!(self.database, memory => {
            let rest = Retried { subject, after, last: Position::MAX };
            let parked = memory.set_aside(self, false).await?.into_iter().filter(|parked| rest.covers(parked));
            Ok(parked.take(AT_ONCE).map(|parked| (parked.position, parked.subject)).collect())
        });
        let sql = format!(
            "SELECT position, subject FROM {} WHERE error <> '' AND position > $1 AND (subject = $2 OR $2 = '') \
             ORDER BY position LIMIT {AT_ONCE}",
            self.tables.parked()
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(position_column(after)).bind(subject);
        let rows = query.fetch_all(&self.database.pool).await?;
        rows.iter().map(|row| Ok((position(row.try_get(0)?), row.try_get(1)?))).collect()
    }

    /// Takes retried events out of those that are parked.
    pub(crate) async fn unpark(&self, retried: &Retried<'_>, tx: &mut AnyConnection) -> Result<(), StoreError> {
        let sql = format!(
            "DELETE FROM {} WHERE error <> '' AND position > $1 AND position <= $2 AND (subject = $3 OR $3 = '')",
            self.tables.parked()
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(position_column(retried.after));
        query.bind(position_column(retried.last)).bind(retried.subject).execute(&mut *tx).await?;
        Ok(())
    }

    /// Of each type that was passed over, where the first event stands.
    pub(crate) async fn newer_types(&self) -> Result<Vec<Position>, StoreError> {
        in_memory!(self.database, memory => {
            let mut seen = HashSet::new();
            let newer = memory.set_aside(self, true).await?.into_iter();
            Ok(newer.filter(|event| seen.insert(event.event_type.clone())).map(|event| event.position).collect())
        });
        let sql = format!("SELECT MIN(position) FROM {} WHERE error = '' GROUP BY event_type", self.tables.parked());
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.database.pool).await?;
        rows.iter().map(|row| Ok(position(row.try_get(0)?))).collect()
    }
}
