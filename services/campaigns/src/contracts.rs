//! The contracts service, as this one asks it.
//!
//! Invariant: a contract is asked for with a token of the caller's tenant, so no tenant joins by another's contract.

use std::time::Duration;

use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{Contract, GetContractRequest};
use tandem_service::{Call, Peers, Problem};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

/// How long a contract is waited for at most, tries again included: a restart of the service is outlasted, and who
/// waits for the answer is told in time if it is down.
const PATIENCE: Duration = Duration::from_secs(3);

/// Contracts by name.
pub(crate) struct Contracts(Peers);

impl Contracts {
    /// What this service's tokens permit there.
    pub(crate) const PERMISSION: &str = "contracts.read";

    pub(crate) fn new(peers: Peers) -> Self {
        Self(peers)
    }

    /// The contract as it is now.
    ///
    /// # Errors
    /// NOT_FOUND if there is none, UNAVAILABLE if the contracts service does not answer.
    pub(crate) async fn get<M>(&self, name: &str, call: &Call<M>) -> Result<Contract, Status> {
        let client = self.0.for_request(&call.meta).map_err(Status::from)?;
        let mut request = Request::new(GetContractRequest { name: name.to_owned(), round: 0 });
        // Some of the caller's time is left for the rest.
        request.set_timeout(PATIENCE.min(call.deadline.saturating_duration_since(Instant::now()) * 3 / 4));
        match client.contracts().get_contract(request).await {
            Ok(contract) => Ok(contract.into_inner()),
            Err(error) => Err(refused(&error, name, call)),
        }
    }
}

fn refused<M>(error: &Status, name: &str, call: &Call<M>) -> Status {
    match error.code() {
        Code::NotFound => call.not_found(name),
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            tracing::warn!(%error, "the contracts service does not answer");
            let message = format!(
                "The contracts service, which is asked for {name}, does not answer. Nothing was written; repeat after \
                 the delay, with the same request_id."
            );
            call.error(Problem::new(ErrorReason::DependencyUnavailable, message))
        }
        // This service's own token or request is at fault, not the caller's.
        _ => call.error(Problem::internal(format!("contracts service, asked for {name}: {error}"))),
    }
}
