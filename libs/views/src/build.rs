//! Builds a generation from the start of the log, beside the one that answers.
//!
//! Invariant: a build writes its own tables only, and is of no effect until the runner lets it answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::generation::{Generation, Registered};
use crate::handle::RebuildReport;
use crate::pipeline::{Pipeline, PipelineError, filter};
use crate::runner::{Rebuild, Shared};
use crate::view::View;

/// A build that goes on; dropping it stops it.
pub(crate) struct Build<V: View> {
    task: AbortOnDropHandle<Result<Built<V>, PipelineError>>,
    pub(crate) waiting: Vec<Rebuild>,
}

/// A generation that has read the log to its end, or nearly so.
pub(crate) struct Built<V: View> {
    pub(crate) pipeline: Pipeline<V>,
    pub(crate) report: RebuildReport,
    pub(crate) started: Instant,
    pub(crate) waiting: Vec<Rebuild>,
}

impl<V: View> Build<V> {
    /// Goes on with a generation that was begun, or starts with a new one, of a number above `known`.
    pub(crate) fn start(shared: Arc<Shared<V>>, begun: Option<Registered>, known: i64) -> Self {
        let task: JoinHandle<_> = tokio::spawn(build(shared, begun, known));
        Self { task: AbortOnDropHandle::new(task), waiting: Vec::new() }
    }

    /// Waits for the end of the build; may be dropped and called again.
    pub(crate) async fn finished(&mut self) -> Result<Built<V>, PipelineError> {
        (&mut self.task).await.map_err(|_| PipelineError::Died)?
    }
}

async fn build<V: View>(
    shared: Arc<Shared<V>>,
    begun: Option<Registered>,
    known: i64,
) -> Result<Built<V>, PipelineError> {
    let started = Instant::now();
    let Shared { schema, database, log, .. } = &*shared;
    let registered = match begun {
        Some(begun) => begun,
        None => database.create_above(known, V::NAME, V::VERSION, schema).await?,
    };
    let generation = Generation::new(V::NAME, &registered, schema, database.clone());
    let mut pipeline = Pipeline::open(&shared, generation.clone()).await?;
    let mut event_count = pipeline.catch_up(log.last_position(&filter::<V>()).await?).await?;
    generation.finish(schema).await?;
    // What came in the meantime, so that little is left when the runner stops the live generation.
    event_count += pipeline.catch_up(log.last_position(&filter::<V>()).await?).await?;
    let report = RebuildReport {
        name: V::NAME,
        version: V::VERSION,
        generation: generation.number,
        event_count,
        row_count: 0,
        duration: Duration::ZERO,
    };
    Ok(Built { pipeline, report, started, waiting: Vec::new() })
}
