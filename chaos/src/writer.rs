//! A write, asked for until there is an answer.
//!
//! Invariant: all tries of a write carry one request id, and what it answers is in the journal before it is returned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_proto::campaigns::v1::{Campaign, Conversion, Participation};
use tandem_proto::contracts::v1::Contract;
use tandem_proto::creators::v1::Creator;
use tandem_proto::payouts::v1::{PayoutRun, SubmitPayoutRunResponse};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::counts::Counts;
use crate::journal::Journal;

/// Between the end of a client's tries and the next call of the same write.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes writes and notes what becomes of them.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) journal: Arc<Journal>,
    pub(crate) counts: Counts,
    /// From now on whoever has no answer gives up.
    pub(crate) give_up: CancellationToken,
}

/// Why there is no resource.
#[derive(Debug)]
pub(crate) enum NotWritten {
    /// It was refused, for good.
    Refused(Box<Status>),
    /// There was no answer until the end.
    GivenUp,
}

/// An answer that tells what was written and where it stands.
pub(crate) trait Written {
    /// Name and etag of the resource.
    fn version(&self) -> (&str, &str);
}

macro_rules! written {
    ($($resource:ty),*) => {
        $(impl Written for $resource {
            fn version(&self) -> (&str, &str) {
                (&self.name, &self.etag)
            }
        })*
    };
}

written!(Campaign, Contract, Conversion, Creator, Participation, PayoutRun);

impl Written for SubmitPayoutRunResponse {
    fn version(&self) -> (&str, &str) {
        self.payout_run.as_ref().map_or(("", ""), Written::version)
    }
}

impl Writer {
    /// Asks for a write until it is answered.
    pub(crate) async fn write<T: Written, F>(&self, what: &str, call: impl Fn(String) -> F) -> Result<T, NotWritten>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        #[expect(clippy::disallowed_methods, reason = "a client chooses its request ids")]
        let request_id = Uuid::now_v7().to_string();
        let began = Instant::now();
        loop {
            let status = match call(request_id.clone()).await {
                Ok(answer) => {
                    let answer = answer.into_inner();
                    let (resource, etag) = answer.version();
                    self.journal.acknowledged(&request_id, resource, etag);
                    self.counts.acknowledged(what, began.elapsed());
                    return Ok(answer);
                }
                Err(status) => status,
            };
            if !passes(status.code()) {
                return Err(NotWritten::Refused(Box::new(status)));
            }
            self.counts.refused();
            if self.give_up.is_cancelled() {
                self.journal.unanswered(format!("{what}, request {request_id}: {status}"));
                return Err(NotWritten::GivenUp);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A write that nothing stands against: a refusal is noted as a fault.
    pub(crate) async fn must<T: Written, F>(&self, what: &str, call: impl Fn(String) -> F) -> Option<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        match self.write(what, call).await {
            Ok(written) => Some(written),
            Err(NotWritten::Refused(status)) => {
                self.journal.refused(format!("{what}: {status}"));
                None
            }
            Err(NotWritten::GivenUp) => None,
        }
    }
}

fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted
    )
}
