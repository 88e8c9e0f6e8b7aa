//! Committing a run with its earnings, and the answer to it.
//!
//! Invariant: one atomic batch of the log, with all of the run's earnings; when an aggregate has moved on meanwhile, all of
//! it is decided anew.

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use tandem_aggregate::{Aggregate as _, CommandMeta, ExecuteError, Loaded, commit_together};
use tandem_eventlog::{Append, Position, Positions};
use tandem_proto::payouts::v1 as pb;
use tandem_service::{Call, Resource as _};
use tonic::{Response, Status};

use super::{CONCURRENCY, Handlers};
use crate::earning::{self, Earning};
use crate::grpc::id_of;
use crate::payout_run::{Command, PayoutRun};

/// A run after a command.
pub(super) struct Changed {
    pub run: Loaded<PayoutRun>,
    /// Position of the last event of its earnings, if they changed with it.
    pub earnings: Option<Position>,
}

impl Handlers {
    /// A command on a run, and one on each of the earnings that `affected` names of the run after it.
    pub(super) async fn together(
        &self,
        meta: &CommandMeta,
        run_id: &str,
        command: &Command,
        also: &earning::Command,
        affected: impl Fn(&pb::PayoutRun) -> Vec<String> + Sync,
    ) -> Result<Changed, ExecuteError> {
        let affected = &affected;
        // An etag is of the run, not of its earnings.
        let earnings_meta = CommandMeta { etag: String::new(), ..meta.clone() };
        let earnings_meta = &earnings_meta;
        let stage = || {
            async move {
                let staged = self.runs.stage(run_id, command, meta).await?;
                let Some(append) = staged.append else { return Ok((Vec::new(), staged.loaded)) };
                let names = affected(&staged.loaded.state.0);
                let staging: Vec<_> = names.iter().map(|name| self.stage_earning(name, also, earnings_meta)).collect();
                let mut staging = stream::iter(staging).buffered(CONCURRENCY);
                let mut appends = vec![append];
                while let Some(append) = staging.try_next().await? {
                    // A run that changes changes each of its earnings. One on which it has no effect was changed after the
                    // run was read, and would be left behind: scheduled for a run that is cancelled.
                    let moved =
                        || ExecuteError::Unavailable("an earning has moved on since its run was read".to_owned());
                    appends.push(append.ok_or_else(moved)?);
                }
                Ok((appends, staged.loaded))
            }
            .boxed()
        };
        let (mut run, positions) = commit_together(self.log.as_ref(), stage).await?;
        if let Some(position) = positions.first() {
            run.position = *position;
        }
        Ok(Changed { run, earnings: positions.get(1..).and_then(<[_]>::last).copied() })
    }

    async fn stage_earning(
        &self,
        name: &str,
        command: &earning::Command,
        meta: &CommandMeta,
    ) -> Result<Option<Append>, ExecuteError> {
        Ok(self.earnings.stage(id_of(name), command, meta).await?.append)
    }

    pub(super) fn answer<M: tandem_proto::RequestMessage>(
        call: &Call<M>,
        changed: Result<Changed, ExecuteError>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let Changed { run, earnings } = changed.map_err(|error| call.error(error))?;
        let mut positions = Positions::default();
        positions.insert(PayoutRun::KIND, run.position);
        if let Some(position) = earnings {
            positions.insert(Earning::KIND, position);
        }
        let etag = run.etag();
        Ok(call.written_at(run.state.into_message(etag), &positions))
    }
}
