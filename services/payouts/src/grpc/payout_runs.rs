//! PayoutRunService over gRPC.
//!
//! Invariant: a run and its earnings change together or not at all. Runs are the brand's: a creator's own token reaches
//! nothing but the explanation of their payouts.

mod accounts;
mod commit;
mod explain;
mod minimums;
mod payable;
mod submit;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tandem_aggregate::{ExecuteError, Executor, Loaded};
use tandem_client::Client;
use tandem_eventlog::EventLog;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1::payout_run_service_server::PayoutRunService;
use tandem_proto::payouts::v1::{
    self as pb, ApprovePayoutRunRequest, CancelPayoutRunRequest, CreatePayoutRunRequest, ExplainPayoutRequest,
    ExplainPayoutResponse, GetPayoutRunRequest, ListPayoutRunsRequest, ListPayoutRunsResponse, SettlePayoutRequest,
    SubmitPayoutRunRequest, SubmitPayoutRunResponse,
};
use tandem_proto::time;
use tandem_service::{Call, Peers, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use self::commit::Changed;
use super::{id_of, require_staff};
use crate::earning::{self, Earning};
use crate::payout_run::{Command, PayoutRun};

/// Aggregates read, or services asked, at the same time for one request.
const CONCURRENCY: usize = 16;
/// How often payable earnings are collected when other runs take them first.
const ATTEMPTS: usize = 3;

pub(crate) struct Handlers {
    pub log: Arc<dyn EventLog>,
    pub runs: Executor<PayoutRun>,
    pub earnings: Arc<Executor<Earning>>,
    pub run_view: ViewHandle<ResourceView<PayoutRun>>,
    pub earning_view: ViewHandle<ResourceView<Earning>>,
    pub peers: Peers,
}

#[tonic::async_trait]
impl PayoutRunService for Handlers {
    async fn create_payout_run(
        &self,
        request: Request<CreatePayoutRunRequest>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let id = match call.message.payout_run_id.as_str() {
            "" => hex::encode(&Sha256::digest(&call.meta.request_id)[..12]),
            id => id.to_owned(),
        };
        let mut attempt = 1;
        loop {
            match self.open(&call, &id).await? {
                // Another run took one of them since they were listed.
                Err(ExecuteError::Refused(refusal))
                    if refusal.reason == ErrorReason::EarningScheduled && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                opened => return Self::answer(&call, opened),
            }
        }
    }

    async fn get_payout_run(&self, request: Request<GetPayoutRunRequest>) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let loaded = self.run(&call, &call.message.name).await?;
        Ok(Response::new(loaded.state.clone().into_message(loaded.etag())))
    }

    async fn list_payout_runs(
        &self,
        request: Request<ListPayoutRunsRequest>,
    ) -> Result<Response<ListPayoutRunsResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let ListPayoutRunsRequest { filter, order_by, page_size, page_token } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: Vec::new() };
        let page = list(&self.run_view, &call, query).await?;
        Ok(listed(
            page.position,
            ListPayoutRunsResponse {
                payout_runs: page.rows.into_iter().map(|(_, row)| row).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn approve_payout_run(
        &self,
        request: Request<ApprovePayoutRunRequest>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let outcome = self.runs.execute(id_of(&call.message.name), &Command::Approve, &call.meta).await;
        Self::answer(&call, outcome.map(|outcome| Changed { run: outcome.loaded, earnings: None }))
    }

    async fn cancel_payout_run(
        &self,
        request: Request<CancelPayoutRunRequest>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let name = &call.message.name;
        let cancel = Command::Cancel { reason: call.message.reason.clone() };
        let release = earning::Command::Release { payout_run: name.clone() };
        let earnings = |run: &pb::PayoutRun| run.payouts.iter().flat_map(|payout| payout.earnings.clone()).collect();
        Self::answer(&call, self.together(&call.meta, id_of(name), &cancel, &release, earnings).await)
    }

    async fn submit_payout_run(
        &self,
        request: Request<SubmitPayoutRunRequest>,
    ) -> Result<Response<SubmitPayoutRunResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.submit(&call).await
    }

    async fn settle_payout(&self, request: Request<SettlePayoutRequest>) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let SettlePayoutRequest { name, bank_reference, settle_time, .. } = &call.message;
        let settle_time = settle_time.as_ref().and_then(time::from_proto);
        let settle = Command::Settle {
            payout: name.clone(),
            bank_reference: bank_reference.clone(),
            settle_time: settle_time.ok_or_else(|| {
                call.invalid("settle_time", "is not a timestamp: send seconds and 0 to 999999999 nanos")
            })?,
        };
        let pay = earning::Command::Pay { payout: name.clone() };
        let paid = |run: &pb::PayoutRun| {
            run.payouts
                .iter()
                .filter(|payout| payout.name == *name)
                .flat_map(|payout| payout.earnings.clone())
                .collect()
        };
        Self::answer(&call, self.together(&call.meta, id_of(run_of(name)), &settle, &pay, paid).await)
    }

    async fn explain_payout(
        &self,
        request: Request<ExplainPayoutRequest>,
    ) -> Result<Response<ExplainPayoutResponse>, Status> {
        let call = Call::accept(request)?;
        self.explain(&call).await
    }
}

impl Handlers {
    async fn run<M>(&self, call: &Call<M>, name: &str) -> Result<Arc<Loaded<PayoutRun>>, Status> {
        let loaded = self.runs.get(&call.caller.tenant, id_of(name)).await.map_err(|error| call.error(error))?;
        if loaded.exists() { Ok(loaded) } else { Err(call.not_found(name)) }
    }

    fn client<M>(&self, call: &Call<M>) -> Result<Client, Status> {
        self.peers.for_request(&call.meta).map_err(|error| call.error(error))
    }
}

/// The run of `payoutRuns/{payout_run}/payouts/{creator}`.
fn run_of(payout: &str) -> &str {
    payout.split_once("/payouts/").map_or(payout, |(run, _)| run)
}
