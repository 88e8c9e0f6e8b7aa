//! Standing by: what a runner does while another replica folds its view. It follows the register, so that its handles
//! answer from the right generation and know how far that is, and takes the lease when that is free.
//!
//! Invariant: it writes nothing but the lease. A rebuild that is asked for here is not lost: it makes this replica the
//! one that folds.

use std::sync::Arc;
use std::time::Duration;

use tandem_eventlog::Position;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::generation::{Generation, Registered};
use crate::lease::{Candidate, Lease, TERM};
use crate::pipeline::PipelineError;
use crate::runner::{Request, Runner};
use crate::view::View;

/// How often the register is looked at, and whether the lease is free.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The same while somebody waits for a position.
const LOOK_EVERY_IF_WANTED: Duration = Duration::from_millis(10);
/// The same of who folds, to make sure that a database still has what it was given.
const LOOK_EVERY_IF_FOLDING: Duration = Duration::from_secs(1);
/// When a newer version answers, replicas of the old one don't build theirs anew, unless nobody has folded the newer one for
/// so long: then it was rolled back.
const PATIENCE_OF_THE_OLD: Duration = Duration::from_secs(30);

impl<V: View> Runner<V> {
    /// Until this replica is to fold the view: at once, if the store is not shared.
    pub(crate) async fn stand_by(&mut self) -> Result<Lease, PipelineError> {
        let Some(candidate) = self.candidate.clone() else {
            self.settle(None).await?;
            return Ok(Lease::unshared());
        };
        let mut due = Instant::now();
        loop {
            let live = self.shared.database.live(V::NAME).await?;
            self.answer_from(live.as_ref());
            self.settle(live.as_ref()).await?;
            let looked = Instant::now();
            if looked >= due {
                if let Some(lease) = self.compete(&candidate, live.as_ref()).await? {
                    return Ok(lease);
                }
                due = Instant::now() + LOOK_EVERY;
                self.recovered();
            }
            let position = live.map_or(0, |live| live.position);
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return Err(PipelineError::Stopped),
                Some(request) = self.requests.recv() => match request {
                    Request::Rebuild(rebuild) => {
                        self.asked.push(rebuild);
                        due = Instant::now();
                    }
                    // It is not for this replica to fold: a rebuild then makes it the one that does.
                    Request::Retry(_, answer) => _ = answer.send(None),
                },
                () = look_again(&self.shared.wanted, looked, Some(position)) => {}
            }
        }
    }

    async fn compete(&self, candidate: &Candidate, live: Option<&Registered>) -> Result<Option<Lease>, PipelineError> {
        if !self.asked.is_empty() {
            candidate.ask().await?;
        }
        if let Some(newer) = live.filter(|live| live.version > V::VERSION && self.asked.is_empty())
            && !candidate.is_idle(newer.version, PATIENCE_OF_THE_OLD).await?
        {
            return Ok(None);
        }
        Ok(candidate.take().await?)
    }

    /// Finds out whether other replicas would answer better than this one: those of an older version, while the generation
    /// of theirs is the live one, which this one can't fold. Once they don't, that is so for good.
    pub(crate) async fn settle(&self, live: Option<&Registered>) -> Result<(), PipelineError> {
        if self.progress.borrow().settled {
            return Ok(());
        }
        if let (Some(candidate), Some(older)) = (&self.candidate, live.filter(|live| live.version < V::VERSION))
            && !candidate.is_idle(older.version, TERM).await?
        {
            return Ok(());
        }
        self.progress.send_modify(|progress| progress.settled = true);
        Ok(())
    }

    /// Lets the generation answer that the register says, and tells how far it is. If it says none, none answers: what did
    /// is gone.
    pub(crate) fn answer_from(&mut self, live: Option<&Registered>) -> Option<Arc<Generation>> {
        let Some(live) = live else {
            self.progress.send_if_modified(|progress| {
                progress.position = 0;
                progress.generation.take().is_some()
            });
            return None;
        };
        self.known = self.known.max(live.number);
        let current = self.progress.borrow().generation.clone().filter(|current| current.number == live.number);
        let replaced = current.is_none();
        let generation = current
            .unwrap_or_else(|| Generation::new(V::NAME, live, &self.shared.schema, self.shared.database.clone()));
        self.progress.send_if_modified(|progress| {
            let moved = replaced || progress.position != live.position;
            progress.generation = Some(generation.clone());
            progress.position = live.position;
            moved
        });
        Some(generation)
    }
}

/// Until the register is to be looked at again. Who follows the view as far as `followed` does so soon if somebody waits
/// for more.
pub(crate) async fn look_again(wanted: &watch::Sender<Position>, looked: Instant, followed: Option<Position>) {
    let Some(position) = followed else { return sleep_until(looked + LOOK_EVERY_IF_FOLDING).await };
    let mut wanted = wanted.subscribe();
    // Its sender is there, so that it ends in no other way.
    let hurried = wanted.wait_for(|wanted| *wanted > position);
    if timeout_at(looked + LOOK_EVERY, hurried).await.is_ok() {
        sleep_until(looked + LOOK_EVERY_IF_WANTED).await;
    }
}
