//! Asking the contracts service what is paid out at least.
//!
//! Invariant: an answer is a minimum or that there is none; without an answer there is an error.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tandem_client::{Client, Error};
use tandem_compensation::Rules;
use tandem_money::Money;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::GetTermsRequest;
use tandem_service::{Call, Problem};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

use super::{CONCURRENCY, Handlers};

/// How long terms are waited for at most, tries again included.
const PATIENCE: Duration = Duration::from_secs(3);

impl Handlers {
    /// The minimum payouts by the terms in force now of `contracts/{contract}`, in that order.
    pub(super) async fn minimum_payouts<M>(
        &self,
        call: &Call<M>,
        contracts: &[String],
    ) -> Result<Vec<Option<Money>>, Status> {
        if contracts.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.client(call)?;
        let asking: Vec<_> =
            contracts.iter().map(|name| minimum(client.clone(), name.clone(), call.deadline)).collect();
        let answers = stream::iter(asking).buffered(CONCURRENCY).try_collect().await;
        answers.map_err(|problem| call.error(problem))
    }
}

async fn minimum(client: Client, name: String, deadline: Instant) -> Result<Option<Money>, Problem> {
    let mut request = Request::new(GetTermsRequest { name, ..GetTermsRequest::default() });
    // Some of the caller's time is left for the rest.
    request.set_timeout(PATIENCE.min(deadline.saturating_duration_since(Instant::now()) / 2));
    match client.contracts().get_terms(request).await.map_err(Error::from) {
        Ok(answer) => {
            let terms = answer.into_inner().terms.unwrap_or_default();
            Ok(Rules::parse(&terms).map_err(Problem::internal)?.minimum_payout())
        }
        // What was earned under a contract that is not there, or not in force, is owed all the same.
        Err(error) if matches!(error.code(), Code::NotFound | Code::FailedPrecondition) => Ok(None),
        Err(error) => Err(problem(error)),
    }
}

fn problem(error: Error) -> Problem {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            tracing::warn!(%error, "the contracts service does not answer");
            let message = "The contracts service, which is asked for minimum payouts, does not answer. Nothing was written; \
                           repeat after the delay, with the same request_id.";
            Problem::new(ErrorReason::DependencyUnavailable, message)
        }
        _ => error.into(),
    }
}
