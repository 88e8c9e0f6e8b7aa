//! Asking the creators service for payout accounts.
//!
//! Invariant: an answer is an account or what keeps the creator from being paid; without an answer there is an error. No
//! bank detail goes further than to the file for the bank.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tandem_client::{Client, Error};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::{GetPayoutAccountRequest, PayoutAccount};
use tandem_service::{Call, Problem};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

use super::{CONCURRENCY, Handlers};
use crate::unpayable;

/// How long an account is waited for at most, tries again included: a restart of the service is outlasted, and who waits
/// for the answer is told in time if it is down.
const PATIENCE: Duration = Duration::from_secs(3);

/// The account of a creator, or why nothing can be paid to them.
pub(super) type Answer = Result<PayoutAccount, ErrorReason>;

impl Handlers {
    /// The answers for `creators/{creator}`, in that order.
    pub(super) async fn accounts<M>(&self, call: &Call<M>, creators: &[String]) -> Result<Vec<Answer>, Status> {
        if creators.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.client(call)?;
        let asking: Vec<_> =
            creators.iter().map(|creator| account(client.clone(), creator.clone(), call.deadline)).collect();
        let answers = stream::iter(asking).buffered(CONCURRENCY).try_collect().await;
        answers.map_err(|error| call.error(problem(error)))
    }
}

async fn account(client: Client, creator: String, deadline: Instant) -> Result<Answer, Error> {
    let mut request = Request::new(GetPayoutAccountRequest { name: creator });
    // Some of the caller's time is left for the rest.
    request.set_timeout(PATIENCE.min(deadline.saturating_duration_since(Instant::now()) * 3 / 4));
    match client.creators().get_payout_account(request).await.map_err(Error::from) {
        Ok(account) => Ok(Ok(account.into_inner())),
        Err(error) => match error.reason() {
            Some(reason) if unpayable::is_obstacle(reason) => Ok(Err(reason)),
            _ => Err(error),
        },
    }
}

fn problem(error: Error) -> Problem {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            tracing::warn!(%error, "the creators service does not answer");
            let message = "The creators service, which is asked for payout accounts, does not answer. Nothing was written; \
                           repeat after the delay, with the same request_id.";
            Problem::new(ErrorReason::DependencyUnavailable, message)
        }
        _ => error.into(),
    }
}
