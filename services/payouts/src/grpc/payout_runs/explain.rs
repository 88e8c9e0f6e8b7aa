//! Explaining: for every cent of a payout the events, the contract version, the clause and the rule.
//!
//! Invariant: a line for each earning that the payout pays, so that their amounts sum up to it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tandem_aggregate::Loaded;
use tandem_client::Client;
use tandem_proto::contracts::v1::{Clause, Contract, GetContractRequest, Terms};
use tandem_proto::payouts::v1::{self as pb, ExplainPayoutRequest, ExplainPayoutResponse, PayoutLine};
use tandem_service::{Call, Problem, Resource as _};
use tonic::{Code, Response, Status};

use super::{CONCURRENCY, Handlers, run_of};
use crate::earning::Earning;
use crate::grpc::id_of;

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
        let names: BTreeSet<String> = earnings.iter().map(|earning| earning.contract.clone()).collect();
        let asking: Vec<_> = names.into_iter().map(|name| contract(client.clone(), name)).collect();
        let contracts = stream::iter(asking).buffer_unordered(CONCURRENCY).try_collect::<Vec<_>>().await;
        let contracts = contracts.map_err(|error| call.error(error))?;
        let contracts: HashMap<_, _> = contracts.into_iter().flatten().collect();
        let line = |earning: pb::Earning| {
            let contract = contracts.get(&earning.contract);
            let clause = contract.and_then(|contract| clause(contract, &earning));
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

/// A contract by its name; none if it is not there.
async fn contract(client: Client, name: String) -> Result<Option<(String, Contract)>, tandem_client::Error> {
    match client.contracts().get_contract(GetContractRequest { name: name.clone(), round: 0 }).await {
        Ok(contract) => Ok(Some((name, contract.into_inner()))),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// The clause that grants an earning, as it was in the version that it was earned by.
fn clause(contract: &Contract, earning: &pb::Earning) -> Option<Clause> {
    let version = contract.versions.iter().find(|version| version.version == earning.contract_version)?;
    // Those of the last version are told once, as the contract's.
    let terms: &Terms = version.terms.as_ref().or(contract.terms.as_ref())?;
    terms.clauses.iter().find(|clause| clause.clause_id == earning.clause_id).cloned()
}
