//! From the log into one generation: reads ahead, folds in memory, writes with the checkpoint.
//!
//! Invariant: the checkpoint never passes an event that is not written, and a pipeline that failed is thrown away: its
//! successor starts from the checkpoint.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tandem_eventlog::{EventLog, Filter, Position, ReadError, RecordedEvent};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::generation::Generation;
use crate::retry::Retried;
use crate::runner::Shared;
use crate::store::StoreError;
use crate::view::View;
use crate::working_set::{Spoiled, WorkingSet};

/// Events handed over at once: many when they are there, one when it is alone.
const READ_AHEAD: usize = 1024;
/// At most so often what is new in the log is read, unless somebody waits for it: a message and a transaction cost about
/// as much for one event as for fifty.
const READ_INTERVAL: Duration = Duration::from_millis(15);
/// Batches between reader and folder.
const BATCHES: usize = 16;

/// How many rows a pipeline holds in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A build writes when its rows take so much: the more, the fewer are written twice.
    changed: usize,
    /// So much stays for later events when they are written.
    kept: usize,
}

impl Limits {
    pub(crate) fn of(bytes: usize) -> Self {
        Self { changed: bytes, kept: bytes / 4 }
    }
}

/// A pipeline could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the log's stream ended")]
    Ended,
    #[error("the view is shut down")]
    Stopped,
    #[error("the task that built it died")]
    Died,
    #[error("the lease ran out, for the database did not answer in time or another replica has it")]
    Lost,
    #[error(transparent)]
    Spoiled(#[from] Spoiled),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Events in the order of the log, as many as were there.
pub(crate) type Batch = Vec<RecordedEvent>;

pub(crate) struct Pipeline<V: View> {
    pub(crate) shared: Arc<Shared<V>>,
    pub(crate) generation: Arc<Generation>,
    batches: mpsc::Receiver<Result<Batch, ReadError>>,
    pub(crate) rows: WorkingSet<V>,
    /// What the store has.
    pub(crate) checkpoint: Position,
    /// What is folded in memory.
    folded: Position,
    /// How many events are folded and not written.
    unwritten: u64,
    /// Whether the generation was empty when this pipeline began and nothing was evicted since: nothing to load.
    complete: bool,
}

impl<V: View> Pipeline<V> {
    /// Goes on from the generation's checkpoint.
    pub(crate) async fn open(shared: &Arc<Shared<V>>, generation: Arc<Generation>) -> Result<Self, PipelineError> {
        let blocked = generation.blocked().await?;
        let checkpoint = generation.checkpoint().await?;
        Ok(Self {
            rows: WorkingSet::new(shared.view.clone(), shared.schema.clone(), blocked),
            batches: read_ahead(shared.log.clone(), filter::<V>(), checkpoint, shared.wanted.subscribe()),
            shared: shared.clone(),
            generation,
            checkpoint,
            folded: checkpoint,
            unwritten: 0,
            complete: checkpoint == 0,
        })
    }

    /// The next events, once there are some. Dropping the wait loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Batch, PipelineError> {
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => Err(PipelineError::Stopped),
            batch = self.batches.recv() => Ok(batch.ok_or(PipelineError::Ended)??),
        }
    }

    /// Folds the batch; writes if the rows in memory take at least `write_at` bytes, and always if it is 0. Answers how many
    /// events were written.
    pub(crate) async fn take(&mut self, batch: Batch, write_at: usize) -> Result<u64, PipelineError> {
        let Some(last) = batch.last().map(|event| event.position) else { return Ok(0) };
        let events = batch.len() as u64;
        match self.fold(batch).await {
            // An event that can't be folded is seldom alone, so this pipeline stays careful.
            Err(PipelineError::Spoiled(_)) => {
                *self = Self::open(&self.shared, self.generation.clone()).await?;
                self.rows.set_careful(true);
                return Ok(0);
            }
            folded => folded?,
        }
        self.unwritten += events;
        self.folded = last;
        if self.rows.bytes() >= write_at { self.write().await } else { Ok(0) }
    }

    /// Folds the events into their rows.
    pub(crate) async fn fold(&mut self, batch: Batch) -> Result<(), PipelineError> {
        let events = self.rows.keyed(batch);
        if !self.complete {
            let members = self.generation.members(&self.shared.schema, &self.rows.groups(&events)).await?;
            let missing = self.rows.missing(&events, members);
            let mut loaded = self.generation.load(&missing).await?;
            for key in missing {
                let row = loaded.remove(&key);
                self.rows.insert(key, row);
            }
        }
        Ok(self.rows.apply(events)?)
    }

    /// Writes what is folded; answers how many events that are.
    pub(crate) async fn write(&mut self) -> Result<u64, PipelineError> {
        if self.folded == self.checkpoint {
            return Ok(0);
        }
        let (changed, parked) = self.rows.changes();
        self.generation.write(&self.shared.schema, (self.checkpoint, self.folded), &changed, parked).await?;
        self.complete &= self.rows.written(self.shared.limits.kept);
        self.checkpoint = self.folded;
        Ok(std::mem::take(&mut self.unwritten))
    }

    /// Writes what became of parked events; answers how many are parked again.
    pub(crate) async fn write_retried(&mut self, retried: &Retried<'_>) -> Result<u64, PipelineError> {
        let at = (self.checkpoint, self.checkpoint);
        let (changed, parked) = self.rows.changes();
        let again = parked.iter().filter(|parked| !parked.is_newer()).count() as u64;
        self.generation.write_retried(&self.shared.schema, at, Some(retried), &changed, parked).await?;
        self.complete &= self.rows.written(self.shared.limits.kept);
        Ok(again)
    }

    /// Up to at least this position, in few large writes; answers how many events were written.
    pub(crate) async fn catch_up(&mut self, position: Position) -> Result<u64, PipelineError> {
        let mut events = 0;
        while self.folded < position {
            let batch = self.next().await?;
            events += self.take(batch, self.shared.limits.changed).await?;
        }
        Ok(events + self.write().await?)
    }
}

/// What the view reads.
pub(crate) fn filter<V: View>() -> Filter {
    Filter { kinds: V::KINDS.to_vec(), tenant: None }
}

/// Follows the log in a task of its own, so that reading and folding go on at the same time. At the end of the log it
/// asks for more only every [`READ_INTERVAL`], or as soon as somebody waits for a position. Ends when the receiver is
/// dropped.
fn read_ahead(
    log: Arc<dyn EventLog>,
    filter: Filter,
    after: Position,
    mut wanted: watch::Receiver<Position>,
) -> mpsc::Receiver<Result<Batch, ReadError>> {
    let (sender, receiver) = mpsc::channel(BATCHES);
    tokio::spawn(async move {
        let reading = async {
            let mut chunks = log.follow(&filter, after).await?.ready_chunks(READ_AHEAD);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
                let drained = chunk.last().filter(|last| !last.more).map(|last| last.position);
                let batch = chunk.into_iter().map(|followed| followed.event).collect();
                if sender.send(Ok(batch)).await.is_err() {
                    return Ok(());
                }
                if let Some(position) = drained {
                    // Without an end to wait for, or once nobody can want anything, it is the time that counts.
                    let _ = timeout(READ_INTERVAL, wanted.wait_for(|wanted| *wanted > position)).await;
                }
            }
            Ok(())
        };
        let ended: Result<(), ReadError> = tokio::select! {
            biased;
            () = sender.closed() => return,
            ended = reading => ended,
        };
        if let Err(error) = ended {
            // Nobody waits for it if the pipeline is gone.
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use tandem_eventlog::{Append, Kind, MemoryLog, NewEvent, Subject, testing::envelope};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::column::Column;
    use crate::fold::FoldError;
    use crate::schema::Schema;
    use crate::testing::given;
    use crate::testing::tests::{Sums, added};
    use crate::testing::{StoreKind, TestStore};

    /// Events over many rows, which come back long after they were put out of memory.
    async fn log() -> MemoryLog {
        let log = MemoryLog::new();
        for n in 1..=600_u64 {
            let event = added(n, &format!("s{}", n % 83), ["1", "-1", "2", "many"][(n * n / 7 % 37 % 4) as usize]);
            let subject = Subject::new("acme", Sums::KINDS[0], event.tokens()[3]).unwrap();
            let expected = log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
            let event = NewEvent { subject, envelope: envelope(&n.to_string()), payload: event.payload };
            log.append(vec![Append { expected, events: vec![event] }]).await.unwrap();
        }
        log
    }

    /// [`Sums`] without the row of all: an event touches one row.
    struct Each;

    impl View for Each {
        const NAME: &'static str = Sums::NAME;
        const VERSION: i32 = Sums::VERSION;
        const KINDS: &'static [Kind] = Sums::KINDS;
        type Row = <Sums as View>::Row;

        fn columns() -> Vec<Column<Self::Row>> {
            Sums::columns()
        }

        fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
            Ok(vec![event.tokens()[3].to_owned()])
        }

        fn fold(
            &self,
            key: &str,
            row: Option<Self::Row>,
            event: &RecordedEvent,
        ) -> Result<Option<Self::Row>, FoldError> {
            Sums.fold(key, row, event)
        }
    }

    async fn rows_that_were_put_out_of_memory_are_loaded_again(kind: StoreKind) {
        assert_eq!(times_begun_again(kind, || Sums).await, 0, "for rows are copied where several are touched");
    }

    async fn rows_that_went_with_an_event_are_folded_again(kind: StoreKind) {
        assert_eq!(times_begun_again(kind, || Each).await, 3, "once in each run");
    }

    /// Has the view fold the log under three limits, one event after the other, and checks its rows; answers how often it
    /// began again from its checkpoint.
    async fn times_begun_again<V: View>(kind: StoreKind, view: impl Fn() -> V) -> u32
    where
        V::Row: std::fmt::Debug,
    {
        let mut begun_again = 0;
        let log = log().await;
        for limits in [Limits::of(1), Limits::of(5_000), Limits { changed: 20_000, kept: 10_000 }] {
            let place = TestStore::new(kind);
            let store = place.open().await.unwrap();
            let database = store.database(V::NAME).await.unwrap();
            let schema = Schema::new(V::NAME, V::VERSION, V::columns()).unwrap();
            let registered = database.create(V::NAME, V::VERSION, &schema).await.unwrap();
            let generation = Generation::new(V::NAME, &registered, &schema, database.clone());
            let shared = Arc::new(Shared {
                view: Arc::new(view()),
                schema,
                database,
                log: Arc::new(log.clone()),
                stop: CancellationToken::new(),
                limits,
                wanted: tokio::sync::watch::Sender::default(),
            });
            let mut pipeline = Pipeline::open(&shared, generation.clone()).await.unwrap();
            // One event at a time, so that each may be the one at which the rows are written.
            while pipeline.folded < 600 {
                for event in pipeline.next().await.unwrap() {
                    let position = event.position;
                    pipeline.take(vec![event], limits.changed).await.unwrap();
                    assert!(pipeline.rows.bytes() < limits.changed, "{limits:?}");
                    if pipeline.folded < position {
                        begun_again += 1;
                        break;
                    }
                }
            }
            pipeline.write().await.unwrap();
            let expected = given(view(), log.events());
            assert_eq!(generation.all_rows().await.unwrap(), *expected.rows(), "{limits:?}");
            assert_eq!(generation.checkpoint().await.unwrap(), 600);
        }
        begun_again
    }

    crate::on_every_store!(
        rows_that_were_put_out_of_memory_are_loaded_again,
        rows_that_went_with_an_event_are_folded_again,
    );
}
