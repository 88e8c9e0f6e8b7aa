//! Explaining: for every cent of a payout the events, the contract version, the clause and the rule.
//!
//! Invariant: a line for each earning that the payout pays, so that their amounts sum up to it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tandem_aggregate::Loaded;
use tandem_client::Client;
use tandem_proto::contracts::v1::{Clause, GetContractRequest};
use tandem_proto::payouts::v1::{self as pb, ExplainPayoutRequest, ExplainPayoutResponse, PayoutLine};
use tandem_service::{Call, Problem, Resource as _};
use tonic::{Code, Response, Status};

use super::{CONCURRENCY, Handlers, run_of};
use crate::earning::Earning;
use crate::grpc::id_of;

/// A version of a contract.
type Version = (String, i32);

impl Handlers {
    pub(super) async fn explain(
        &self,
        call: &Call<ExplainPayoutRequest>,
    ) -> Result<Response<ExplainPayoutResponse>, Status> {
        let name = &call.message.name;
        let run = self.run(call, run_of(name)).await?;
        let payout = run.state.payout(name).ok_or_else(|| call.not_found(name))?;
        call.caller.require_party(&payout.creator)?;
        let reading: Vec<_> = payout.earnings.iter().map(|name| self.earning(call, name)).collect();
        let earnings: Vec<pb::Earning> = stream::iter(reading).buffered(CONCURRENCY).try_collect().await?;

        let client = self.client(call)?;
        let versions: BTreeSet<Version> =
            earnings.iter().map(|earning| (earning.contract.clone(), earning.contract_version)).collect();
        let asking: Vec<_> = versions.into_iter().map(|version| clauses(client.clone(), version)).collect();
        let clauses = stream::iter(asking).buffer_unordered(CONCURRENCY).try_collect::<HashMap<_, _>>().await;
        let clauses = clauses.map_err(|error| call.error(error))?;
        let line = |earning: pb::Earning| {
            let clause = clauses
                .get(&(earning.contract.clone(), earning.contract_version))
                .and_then(|clauses| clauses.iter().find(|clause| clause.clause_id == earning.clause_id))
                .cloned();
            if clause.is_none() {
                let pb::Earning { name, contract, contract_version, clause_id, .. } = &earning;
                tracing::error!(earning = name, contract, contract_version, clause_id, "no clause grants an earning");
            }
            PayoutLine { earning: Some(earning), clause }
        };
        let lines = earnings.into_iter().map(line).collect();
        Ok(Response::new(ExplainPayoutResponse { payout: Some(payout.clone()), lines }))
    }

    async fn earning(&self, call: &Call<ExplainPayoutRequest>, name: &str) -> Result<pb::Earning, Status> {
        let loaded: Arc<Loaded<Earning>> =
            self.earnings.get(&call.caller.tenant, id_of(name)).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.error(Problem::internal(format!("{name} is part of a payout, but not in the log"))));
        }
        Ok(loaded.state.clone().into_message(loaded.etag()))
    }
}

/// The clauses of a version; none if the contract is not there.
async fn clauses(client: Client, version: Version) -> Result<(Version, Vec<Clause>), tandem_client::Error> {
    let request = GetContractRequest { name: version.0.clone(), round: version.1 };
    match client.contracts().get_contract(request).await {
        Ok(contract) => Ok((version, contract.into_inner().terms.unwrap_or_default().clauses)),
        // A version that the contract does not have is an invalid argument there.
        Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => Ok((version, Vec::new())),
        Err(status) => Err(status.into()),
    }
}
