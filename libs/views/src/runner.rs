//! Runs a view: one task that keeps the live generation up to date, and builds the next one beside it, or stands by
//! while another replica does.
//!
//! Invariant: exactly one generation answers. It is replaced by one that has read at least as far, so that nobody who
//! has seen a position is answered from before it.

use std::sync::Arc;
use std::time::Duration;

use tandem_eventlog::{EventLog, Position, trace};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::build::{Build, Built};
use crate::fold::knows;
use crate::generation::{Generation, Registered};
use crate::handle::{RebuildReport, ViewHandle};
use crate::lease::{Candidate, Lease};
use crate::pipeline::{Batch, Limits, Pipeline, PipelineError, filter};
use crate::register::Database;
use crate::retry::RetryReport;
use crate::schema::Schema;
use crate::standby::look_again;
use crate::store::{StoreError, ViewStore};
use crate::view::View;

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Who waits for a rebuild.
pub(crate) type Rebuild = oneshot::Sender<RebuildReport>;

/// What a runner is asked for.
pub(crate) enum Request {
    Rebuild(Rebuild),
    /// Of this subject, or all if it is empty. Answers none if the generation that answers is of another version: the next
    /// one takes all in.
    Retry(String, oneshot::Sender<Option<RetryReport>>),
}

/// How far a view is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Which one answers; none until the first is built.
    pub(crate) generation: Option<Arc<Generation>>,
    /// What it has read.
    pub(crate) position: Position,
    /// Whether this replica folds it, or is to.
    pub(crate) folding: bool,
    /// Whether this replica answers as well as any other: see [`crate::AnyView::settled`].
    pub(crate) settled: bool,
    /// Why it does not go on at the moment; the runner tries again by itself.
    pub(crate) failure: Option<String>,
}

/// What the runner, its builds and its handles share.
pub(crate) struct Shared<V: View> {
    pub(crate) view: Arc<V>,
    pub(crate) schema: Arc<Schema<V::Row>>,
    pub(crate) database: Database,
    pub(crate) log: Arc<dyn EventLog>,
    /// Ends everything between two batches, so that nothing is written once the view has stopped.
    pub(crate) stop: CancellationToken,
    /// How many rows a pipeline holds in memory.
    pub(crate) limits: Limits,
    /// The furthest position that anybody has waited for.
    pub(crate) wanted: watch::Sender<Position>,
}

/// Starts a view in the background, until `shutdown`. It goes on where it stopped; if its version or columns differ
/// from what the store has, the new one is built first, and what is there answers until then. Of several replicas that
/// share a store one does so, and the others answer from what it writes; when it fails, another takes over.
///
/// # Errors
/// [`StoreError::Definition`] if the view breaks a rule of [`View`]; others if the store can't be opened.
pub async fn start<V: View>(
    view: V,
    store: &ViewStore,
    log: Arc<dyn EventLog>,
    shutdown: CancellationToken,
) -> Result<ViewHandle<V>, StoreError> {
    let schema = Schema::new(V::NAME, V::VERSION, V::columns())?;
    let database = store.database(V::NAME).await?;
    let wanted = watch::Sender::default();
    let limits = Limits::of(store.cache_bytes);
    let shared = Arc::new(Shared { view: Arc::new(view), schema, database, log, stop: shutdown, limits, wanted });
    let (progress, watched) = watch::channel(Progress::default());
    let (request, requests) = mpsc::channel(16);
    let candidate = shared.database.steering().map(|pool| Candidate::new(pool.clone(), V::NAME, V::VERSION));
    let runner = Runner {
        shared: shared.clone(),
        progress,
        requests,
        candidate,
        asked: Vec::new(),
        known: 0,
        live: None,
        build: None,
    };
    tokio::spawn(runner.run());
    Ok(ViewHandle::new(shared, watched, request))
}

pub(crate) struct Runner<V: View> {
    pub(crate) shared: Arc<Shared<V>>,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Who competes for the lease, if the store is shared.
    pub(crate) candidate: Option<Candidate>,
    /// Who waits for a rebuild that is to begin when this folds the view.
    pub(crate) asked: Vec<Rebuild>,
    /// The highest number of a generation that has answered here.
    pub(crate) known: i64,
    /// Keeps the generation that answers up to date; none if that is of another version.
    live: Option<Pipeline<V>>,
    /// The generation that will answer next.
    build: Option<Build<V>>,
}

impl<V: View> Runner<V> {
    async fn run(mut self) {
        let stop = self.shared.stop.clone();
        let mut retry = FIRST_RETRY;
        while !stop.is_cancelled() {
            let since = Instant::now();
            let Err(error) = self.turn().await else { continue };
            if stop.is_cancelled() {
                break;
            }
            tracing::warn!(view = V::NAME, %error, "view interrupted; it goes on from its checkpoint");
            if matches!(&error, PipelineError::Store(error) if error.is_gone())
                && let Err(error) = self.shared.database.restore().await
            {
                tracing::warn!(view = V::NAME, %error, "the register can't be made anew; trying again");
            }
            self.progress.send_modify(|progress| progress.failure = Some(error.to_string()));
            retry = if since.elapsed() > LAST_RETRY { FIRST_RETRY } else { (retry * 2).min(LAST_RETRY) };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(retry) => {}
            }
        }
        self.end_build().await;
    }

    /// Stands by, and then folds until the lease goes to another replica, or there is an error, which shutdown is too.
    async fn turn(&mut self) -> Result<(), PipelineError> {
        let lease = self.stand_by().await?;
        self.progress.send_modify(|progress| progress.folding = true);
        let ended = tokio::select! {
            biased;
            () = lease.lost() => Err(PipelineError::Lost),
            ended = self.drive(&lease) => ended,
        };
        self.live = None;
        if self.candidate.is_some() {
            self.progress.send_modify(|progress| progress.folding = false);
            self.leave(lease).await;
        }
        ended
    }

    /// Lets another replica fold, which then builds what was to be built.
    async fn leave(&mut self, lease: Lease) {
        if self.shared.stop.is_cancelled() {
            self.end_build().await;
        } else if let Some(build) = self.build.take() {
            self.asked.extend(build.waiting);
        }
        lease.release().await;
    }

    /// A build stops between two batches when the view is shut down, and is gone on with at the next start.
    async fn end_build(&mut self) {
        if let Some(build) = &mut self.build {
            // Its result no longer matters.
            let _ = build.finished().await;
        }
    }

    /// Until another replica asks for the lease, or an error, which shutdown is too.
    async fn drive(&mut self, lease: &Lease) -> Result<(), PipelineError> {
        self.resume().await?;
        for rebuild in std::mem::take(&mut self.asked) {
            self.rebuild(rebuild);
        }
        let mut looked = Instant::now();
        loop {
            let building = self.build.is_some();
            let followed = self.live.is_none().then(|| self.progress.borrow().position);
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return Err(PipelineError::Stopped),
                built = finished(&mut self.build) => self.replace(built?).await?,
                () = lease.asked(), if !building => return Ok(()),
                () = look_again(&self.shared.wanted, looked, followed), if self.candidate.is_some() => {
                    self.look().await?;
                    looked = Instant::now();
                }
                Some(request) = self.requests.recv() => self.answer(request).await?,
                batch = next(&mut self.live) => self.take(batch?).await?,
            }
        }
    }

    /// Finds out from the register what answers, and what is to be built.
    async fn resume(&mut self) -> Result<(), PipelineError> {
        let shared = self.shared.clone();
        let Shared { schema, database, log, .. } = &*shared;
        let registered = database.generations(V::NAME).await?;
        let signature = schema.signature();
        let asked = log.last_position(&filter::<V>()).await;
        let last = *asked.as_ref().unwrap_or(&Position::MAX);
        // What has read more than the log has is no fold of this log: that was replaced, or restored from a backup.
        let of_this_log = |known: &Registered| known.position <= last;
        let current =
            |known: &Registered| known.version == V::VERSION && known.columns == signature && of_this_log(known);
        let live = registered.iter().find(|known| known.live);
        let up_to_date = live.is_some_and(current);
        if let Some(generation) = self.answer_from(live)
            && up_to_date
        {
            let pipeline = Pipeline::open(&self.shared, generation).await?;
            // Another process may have moved it on since the register was read.
            self.progress.send_modify(|progress| progress.position = pipeline.checkpoint);
            self.live = Some(pipeline);
        }
        asked?;
        if self.build.is_none() {
            let begun =
                registered.iter().rev().find(|known| !known.live && !known.replaced && !up_to_date && current(known));
            let left = |known: &&Registered| !known.live && begun.is_none_or(|begun| begun.number != known.number);
            for left in registered.iter().filter(left) {
                // In an upgrade it may be what replicas of the other version build.
                if left.version != V::VERSION && self.is_held(left.version).await? {
                    continue;
                }
                database.remove(V::NAME, left.version, left.number).await?;
            }
            let live = self.live.as_ref().map(|live| live.generation.clone());
            let overdue = match live {
                Some(live) => is_overdue(&self.shared, &live).await?,
                None => false,
            };
            if overdue {
                tracing::info!(view = V::NAME, "events that were passed over are known by now; building it anew");
            }
            if !up_to_date || overdue {
                self.build = Some(Build::start(self.shared.clone(), begun.cloned(), self.known));
            }
        }
        self.recovered();
        Ok(())
    }

    /// Sees whether the register says of the live generation what was written last: a database that has crashed, or was
    /// replaced by a copy, may have forgotten it. If another replica keeps that up to date, this tells how far it is.
    async fn look(&mut self) -> Result<(), PipelineError> {
        let live = match self.shared.database.live(V::NAME).await {
            // Whoever needs it now will say so; the lease is lost if it takes too long.
            Err(error) if error.is_away() => return Ok(()),
            answer => answer?,
        };
        let Some(pipeline) = &self.live else {
            self.answer_from(live.as_ref());
            return self.settle(live.as_ref()).await;
        };
        let known = (pipeline.generation.number, pipeline.checkpoint);
        if live.is_some_and(|live| (live.number, live.position) == known) {
            return Ok(());
        }
        Err(pipeline.generation.overtaken(pipeline.checkpoint).into())
    }

    /// Whether a replica of this version folds or builds the view.
    async fn is_held(&self, version: i32) -> Result<bool, StoreError> {
        match &self.candidate {
            Some(candidate) => Ok(!candidate.is_idle(version, Duration::ZERO).await?),
            None => Ok(false),
        }
    }

    /// What failed goes well again.
    pub(crate) fn recovered(&self) {
        self.progress.send_if_modified(|progress| progress.failure.take().is_some());
    }

    async fn take(&mut self, batch: Batch) -> Result<(), PipelineError> {
        if let Some(live) = &mut self.live {
            let span = tracing::debug_span!("view", otel.kind = "consumer", view = V::NAME, events = batch.len());
            trace::set_remote_parents(&span, batch.iter().map(|event| event.envelope.traceparent.as_str()));
            live.take(batch, 0).instrument(span).await?;
            self.written();
        }
        Ok(())
    }

    /// Tells how far the live generation is, if that has changed.
    fn written(&mut self) {
        let Some(position) = self.live.as_ref().map(|live| live.checkpoint) else { return };
        self.progress.send_if_modified(|progress| {
            let moved = progress.position != position || progress.failure.is_some();
            progress.position = position;
            progress.failure = None;
            moved
        });
    }

    async fn answer(&mut self, request: Request) -> Result<(), PipelineError> {
        match request {
            Request::Rebuild(rebuild) => self.rebuild(rebuild),
            Request::Retry(subject, answer) => {
                let report = match &mut self.live {
                    Some(live) => Some(live.retry(&subject).await?),
                    None => None,
                };
                // Who asked may have gone.
                let _ = answer.send(report);
            }
        }
        Ok(())
    }

    /// Begins a rebuild, or waits for the one that goes on.
    fn rebuild(&mut self, rebuild: Rebuild) {
        self.build.get_or_insert_with(|| Build::start(self.shared.clone(), None, self.known)).waiting.push(rebuild);
    }

    /// Lets what was built answer, and removes its predecessor.
    async fn replace(&mut self, built: Built<V>) -> Result<(), PipelineError> {
        let Built { mut pipeline, mut report, started, waiting } = built;
        let (old, mut ahead) = {
            let progress = self.progress.borrow();
            (progress.generation.clone(), progress.position)
        };
        let generation = pipeline.generation.clone();
        loop {
            let last = self.shared.log.last_position(&filter::<V>()).await?;
            report.event_count += pipeline.catch_up(ahead.min(last)).await?;
            report.row_count = generation.row_count().await?;
            // What is beyond the log was folded from another one.
            let limit = if ahead > last { Position::MAX } else { pipeline.checkpoint };
            match self.shared.database.promote(&generation, pipeline.checkpoint, limit).await? {
                // A replica of the old version goes on with what is to be replaced.
                Some(further) => ahead = further,
                None => break,
            }
        }
        self.known = generation.number;
        report.duration = started.elapsed();
        self.progress.send_replace(Progress {
            generation: Some(generation),
            position: pipeline.checkpoint,
            folding: true,
            settled: true,
            failure: None,
        });
        self.live = Some(pipeline);
        tracing::info!(view = V::NAME, ?report, "view built");
        if let Some(old) = old
            && let Err(error) = self.shared.database.remove(V::NAME, old.version, old.number).await
        {
            tracing::warn!(view = V::NAME, generation = old.number, %error, "not removed; it will be at the next start");
        }
        for waiting in waiting {
            // Who asked may have gone.
            let _ = waiting.send(report.clone());
        }
        Ok(())
    }
}

/// Whether a generation passed over events that are known by now.
async fn is_overdue<V: View>(shared: &Shared<V>, live: &Generation) -> Result<bool, PipelineError> {
    for position in live.newer_types().await? {
        let event = shared.log.get(position).await?;
        if event.is_some_and(|event| knows(&*shared.view, &event)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next batch of the live generation; never, if none is kept up to date.
async fn next<V: View>(live: &mut Option<Pipeline<V>>) -> Result<Batch, PipelineError> {
    match live {
        Some(live) => live.next().await,
        None => std::future::pending().await,
    }
}

/// The result of the build, which is then no more; never, if there is none.
async fn finished<V: View>(build: &mut Option<Build<V>>) -> Result<Built<V>, PipelineError> {
    let Some(running) = build else { return std::future::pending().await };
    let built = running.finished().await;
    let waiting = build.take().map(|build| build.waiting).unwrap_or_default();
    built.map(|built| Built { waiting, ..built })
}
