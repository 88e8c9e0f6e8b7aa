//! PayoutRunService over gRPC.
//!
//! Invariant: a run and its earnings change together or not at all.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Aggregate, CommandMeta, ExecuteError, Executor, Loaded, commit_together};
use tandem_client::Client;
use tandem_eventlog::{Append, EventLog, Filter, Position, Positions};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::GetContractRequest;
use tandem_proto::creators::v1::{GetPayoutAccountRequest, PayoutAccount};
use tandem_proto::payouts::v1::payout_run_service_server::PayoutRunService;
use tandem_proto::payouts::v1::{
    self as pb, ApprovePayoutRunRequest, CancelPayoutRunRequest, CreatePayoutRunRequest, ExplainPayoutRequest,
    ExplainPayoutResponse, GetPayoutRunRequest, ListPayoutRunsRequest, ListPayoutRunsResponse, PayoutLine,
    SettlePayoutRequest, SubmitPayoutRunRequest, SubmitPayoutRunResponse,
};
use tandem_proto::time;
use tandem_service::{Call, Peers, Problem, Resource as _, ResourceView, list};
use tandem_views::{AnyView as _, ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::collect::{Collected, MOST_EARNINGS, collect};
use crate::earning::{self, Earning};
use crate::pain001;
use crate::payout_run::{Command, PayoutRun};

/// Aggregates read, or services asked, at the same time for one request.
const CONCURRENCY: usize = 16;
/// How often payable earnings are collected anew when another run takes them first.
const ATTEMPTS: usize = 3;

/// A run after a command, and the position of the last event of its earnings if they changed with it.
struct Changed {
    run: Loaded<PayoutRun>,
    earnings: Option<Position>,
}

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
        let id = match call.message.payout_run_id.as_str() {
            "" => hex::encode(&Sha256::digest(&call.meta.request_id)[..12]),
            id => id.to_owned(),
        };
        let mut draft = call.message.payout_run.clone().unwrap_or_default();
        draft.execution_date = draft.execution_date.or(draft.due_date);
        let mut opened = self.open(&call, &id, draft.clone()).await;
        for _ in 1..ATTEMPTS {
            // Another run took one of them since the view was read.
            let Err(ExecuteError::Refused(refusal)) = &opened else { break };
            if refusal.reason != ErrorReason::EarningScheduled {
                break;
            }
            opened = self.open(&call, &id, draft.clone()).await;
        }
        self.answer(&call, opened)
    }

    async fn get_payout_run(&self, request: Request<GetPayoutRunRequest>) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        let loaded = self.run(&call, &call.message.name).await?;
        let etag = loaded.etag();
        Ok(Response::new(loaded.state.into_message(etag)))
    }

    async fn list_payout_runs(
        &self,
        request: Request<ListPayoutRunsRequest>,
    ) -> Result<Response<ListPayoutRunsResponse>, Status> {
        let call = Call::accept(request)?;
        let query = ListQuery {
            filter: &call.message.filter,
            order_by: &call.message.order_by,
            page_size: call.message.page_size,
            page_token: &call.message.page_token,
            fixed: Vec::new(),
        };
        let page = list(&self.run_view, &call, query).await?;
        Ok(Response::new(ListPayoutRunsResponse {
            payout_runs: page.rows.into_iter().map(|(_, row)| row).collect(),
            next_page_token: page.next_page_token,
            total_size: page.total_size,
        }))
    }

    async fn approve_payout_run(
        &self,
        request: Request<ApprovePayoutRunRequest>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        let outcome = self.runs.execute(run_id(&call.message.name), &Command::Approve, &call.meta).await;
        self.answer(&call, outcome.map(|outcome| Changed { run: outcome.loaded, earnings: None }))
    }

    async fn cancel_payout_run(
        &self,
        request: Request<CancelPayoutRunRequest>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        let name = &call.message.name;
        let cancel = Command::Cancel { reason: call.message.reason.clone() };
        let release = earning::Command::Release { payout_run: name.clone() };
        let cancelled = self.together(&call.meta, run_id(name), &cancel, |run| {
            run.payouts.iter().flat_map(|payout| payout.earnings.clone()).map(|name| (name, release.clone())).collect()
        });
        let cancelled = cancelled.await;
        self.answer(&call, cancelled)
    }

    async fn submit_payout_run(
        &self,
        request: Request<SubmitPayoutRunRequest>,
    ) -> Result<Response<SubmitPayoutRunResponse>, Status> {
        let call = Call::accept(request)?;
        let mut run = self.run(&call, &call.message.name).await?.state.0;
        let accounts = self.accounts(&call, &run).await?;
        // The creation time stated is that of the first submission: a repetition is the same file.
        let mut file_time = run.submit_time.as_ref().and_then(time::from_proto).unwrap_or(call.meta.time);
        loop {
            let file = pain001::write(&run, &accounts, file_time).map_err(|error| unwritable(&call, &error))?;
            let file_hash = hex::encode(Sha256::digest(&file));
            let command = Command::Submit { file_hash: file_hash.clone(), file_time };
            let outcome = self.runs.execute(run_id(&call.message.name), &command, &call.meta).await;
            let loaded = outcome.map_err(|error| call.error(error))?.loaded;
            let (etag, position) = (loaded.etag(), loaded.position);
            run = loaded.state.into_message(etag);
            if run.file_hash == file_hash {
                let answer = SubmitPayoutRunResponse { payout_run: Some(run), pain001_xml: file };
                return Ok(call.written::<PayoutRun, _>(answer, position));
            }
            // Another submission came first: its file, if the accounts are still what they were then.
            match run.submit_time.as_ref().and_then(time::from_proto) {
                Some(stated) if stated != file_time => file_time = stated,
                _ => {
                    let message = format!(
                        "{} was submitted with other payout accounts than are set now; the file of then can't be \
                         written again.",
                        run.name
                    );
                    return Err(call.error(Problem::new(ErrorReason::StateForbids, message)));
                }
            }
        }
    }

    async fn settle_payout(&self, request: Request<SettlePayoutRequest>) -> Result<Response<pb::PayoutRun>, Status> {
        let call = Call::accept(request)?;
        let payout = call.message.name.clone();
        let settle_time = call.message.settle_time.as_ref().and_then(time::from_proto);
        let settle = Command::Settle {
            payout: payout.clone(),
            bank_reference: call.message.bank_reference.clone(),
            settle_time: settle_time.ok_or_else(|| call.invalid("settle_time", "is not a timestamp"))?,
        };
        let pay = earning::Command::Pay { payout: payout.clone() };
        let run_id = payout.split('/').nth(1).unwrap_or_default();
        let settled = self.together(&call.meta, run_id, &settle, |run| {
            let paid = run.payouts.iter().filter(|known| known.name == payout);
            paid.flat_map(|payout| payout.earnings.clone()).map(|name| (name, pay.clone())).collect()
        });
        let settled = settled.await;
        self.answer(&call, settled)
    }

    async fn explain_payout(
        &self,
        request: Request<ExplainPayoutRequest>,
    ) -> Result<Response<ExplainPayoutResponse>, Status> {
        let call = Call::accept(request)?;
        let name = &call.message.name;
        let run = name.split("/payouts/").next().unwrap_or_default();
        let run = self.run(&call, run).await?.state;
        let payout = run.payout(name).cloned().ok_or_else(|| call.not_found(name))?;
        let client = self.client(&call)?;
        let explaining: Vec<_> =
            payout.earnings.iter().map(|earning| self.explain(&call, &client, earning.clone())).collect();
        let lines = stream::iter(explaining).buffered(CONCURRENCY).try_collect().await?;
        Ok(Response::new(ExplainPayoutResponse { payout: Some(payout), lines }))
    }
}

impl Handlers {
    /// Opens a run with what is payable.
    async fn open<M>(&self, call: &Call<M>, id: &str, draft: pb::PayoutRun) -> Result<Changed, ExecuteError> {
        let name = format!("payoutRuns/{id}");
        let (payable, total) = self.payable(call, &draft).await?;
        let Collected { payouts, total: amount, remaining } =
            collect(&name, &payable).map_err(|error| ExecuteError::Corrupt(error.to_string()))?;
        let remaining = remaining + total.saturating_sub(payable.len());
        let schedule = earning::Command::Schedule { payout_run: name };
        let draft = pb::PayoutRun {
            payouts,
            total_amount: amount.map(Into::into),
            remaining_earning_count: i32::try_from(remaining).unwrap_or(i32::MAX),
            ..draft
        };
        self.together(&call.meta, id, &Command::Create(Box::new(draft)), |run| {
            run.payouts.iter().flat_map(|payout| payout.earnings.clone()).map(|name| (name, schedule.clone())).collect()
        })
        .await
    }

    /// Payable earnings, as many as a run may have to look at, and how many there are.
    async fn payable<M>(
        &self,
        call: &Call<M>,
        draft: &pb::PayoutRun,
    ) -> Result<(Vec<pb::Earning>, usize), ExecuteError> {
        let kinds = vec![<Earning as Aggregate>::KIND];
        let last = self.log.last_position(&Filter { kinds: kinds.clone(), tenant: None }).await?;
        let mut positions = Positions::default();
        positions.insert(kinds[0], last);
        let unavailable = |error: &dyn std::fmt::Display| ExecuteError::Unavailable(error.to_string());
        self.earning_view.wait_for(&positions, call.deadline).await.map_err(|error| unavailable(&error))?;
        let due = draft.due_date.unwrap_or_default();
        let filter =
            format!("state = ACCRUED AND due_date <= \"{:04}-{:02}-{:02}\"", due.year, due.month, due.day);
        let mut payable = Vec::new();
        let mut page_token = String::new();
        loop {
            let query = ListQuery {
                filter: &filter,
                order_by: "creator, name",
                page_size: 1000,
                page_token: &page_token,
                fixed: vec![("brand", draft.brand.clone()), ("currency_code", draft.currency_code.clone())],
            };
            let page =
                self.earning_view.list(&call.caller.tenant, &query).await.map_err(|error| unavailable(&error))?;
            payable.extend(page.rows.into_iter().map(|(_, earning)| earning));
            page_token = page.next_page_token;
            // Creators come one after the other: beyond twice what fits nothing can be taken but by leaving others out.
            if page_token.is_empty() || payable.len() >= 2 * MOST_EARNINGS {
                return Ok((payable, page.total_size.unsigned_abs() as usize));
            }
        }
    }

    /// A command on a run and one on each of some earnings, all or nothing.
    async fn together(
        &self,
        meta: &CommandMeta,
        run_id: &str,
        command: &Command,
        also: impl Fn(&pb::PayoutRun) -> Vec<(String, earning::Command)> + Sync,
    ) -> Result<Changed, ExecuteError> {
        let also = &also;
        let stage = || {
            async move {
                let staged = self.runs.stage(run_id, command, meta).await?;
                let Some(append) = staged.append else { return Ok((Vec::new(), staged.loaded)) };
                // An etag is of the run, not of its earnings.
                let meta = CommandMeta { etag: String::new(), ..meta.clone() };
                let mut appends = vec![append];
                let staging = also(&staged.loaded.state.0).into_iter().map(|(name, command)| self.stage(name, command, &meta));
                let staging: Vec<_> = staging.collect();
                let mut staging = stream::iter(staging).buffered(CONCURRENCY);
                while let Some(append) = staging.try_next().await? {
                    appends.extend(append);
                }
                Ok((appends, staged.loaded))
            }
            .boxed()
        };
        let (mut loaded, positions) = commit_together(self.log.as_ref(), stage).await?;
        loaded.position = positions.first().copied().unwrap_or(loaded.position);
        Ok(Changed { run: loaded, earnings: positions.last().copied() })
    }

    async fn stage(
        &self,
        name: String,
        command: earning::Command,
        meta: &CommandMeta,
    ) -> Result<Option<Append>, ExecuteError> {
        Ok(self.earnings.stage(name.trim_start_matches("earnings/"), &command, meta).await?.append)
    }

    fn answer<M>(
        &self,
        call: &Call<M>,
        changed: Result<Changed, ExecuteError>,
    ) -> Result<Response<pb::PayoutRun>, Status> {
        let Changed { run, earnings } = changed.map_err(|error| call.error(error))?;
        let mut positions = Positions::default();
        positions.insert(<PayoutRun as Aggregate>::KIND, run.position);
        if let Some(position) = earnings {
            positions.insert(<Earning as Aggregate>::KIND, position);
        }
        let etag = run.etag();
        Ok(call.written_at(run.state.into_message(etag), &positions))
    }

    async fn run<M>(&self, call: &Call<M>, name: &str) -> Result<Loaded<PayoutRun>, Status> {
        let loaded = self.runs.get(&call.caller.tenant, run_id(name)).await.map_err(|error| call.error(error))?;
        if loaded.exists() { Ok((*loaded).clone()) } else { Err(call.not_found(name)) }
    }

    fn client<M>(&self, call: &Call<M>) -> Result<Client, Status> {
        self.peers.for_request(&call.meta).map_err(|error| call.error(error))
    }

    /// The accounts that a run pays to, in the order of its payouts.
    async fn accounts<M>(&self, call: &Call<M>, run: &pb::PayoutRun) -> Result<Vec<PayoutAccount>, Status> {
        let client = self.client(call)?;
        let asking: Vec<_> = run.payouts.iter().map(|payout| account(client.clone(), payout.creator.clone())).collect();
        let accounts = stream::iter(asking).buffered(CONCURRENCY).try_collect().await;
        accounts.map_err(|error| call.error(error))
    }

    async fn explain<M>(&self, call: &Call<M>, client: &Client, earning: String) -> Result<PayoutLine, Status> {
        let id = earning.trim_start_matches("earnings/");
        let loaded = self.earnings.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        let earning = loaded.state.clone().into_message(loaded.etag());
        let request = GetContractRequest { name: earning.contract.clone(), round: earning.contract_version };
        let contract = client.contracts().get_contract(request).await;
        let contract = contract.map_err(|status| call.error(tandem_client::Error::from(status)))?.into_inner();
        let clauses = contract.terms.unwrap_or_default().clauses;
        let clause = clauses.into_iter().find(|clause| clause.clause_id == earning.clause_id);
        Ok(PayoutLine { earning: Some(earning), clause })
    }
}

async fn account(client: Client, creator: String) -> Result<PayoutAccount, tandem_client::Error> {
    let account = client.creators().get_payout_account(GetPayoutAccountRequest { name: creator }).await;
    Ok(account?.into_inner())
}

fn run_id(name: &str) -> &str {
    name.trim_start_matches("payoutRuns/")
}

fn unwritable<M>(call: &Call<M>, error: &pain001::Pain001Error) -> Status {
    match error {
        pain001::Pain001Error::AccountMissing { creator } => {
            let message = format!("{creator} has no payout account. Set it with SetPayoutAccount and submit again.");
            call.error(Problem::new(ErrorReason::PayoutAccountMissing, message))
        }
        error => call.error(ExecuteError::Corrupt(error.to_string())),
    }
}
