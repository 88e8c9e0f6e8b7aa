//! Opening a run with what is payable.
//!
//! Invariant: what was owed when the request came is seen, however far the view had read by then, and every payee has an
//! account to pay to.

use std::collections::HashSet;

use tandem_aggregate::{Aggregate as _, ExecuteError};
use tandem_eventlog::Filter;
use tandem_proto::payouts::v1::{self as pb, CreatePayoutRunRequest};
use tandem_service::{Call, Problem};
use tandem_views::ListQuery;
use tonic::Status;

use super::Handlers;
use super::commit::Changed;
use crate::collect::{Collected, Collecting, Obstacles};
use crate::earning::{self, Earning};
use crate::payout_run::Command;

/// Earnings listed at once.
const PAGE: i32 = 1000;

impl Handlers {
    /// One try: collects and commits. A status is an answer to the caller, the rest is for them to decide.
    pub(super) async fn open(
        &self,
        call: &Call<CreatePayoutRunRequest>,
        id: &str,
    ) -> Result<Result<Changed, ExecuteError>, Status> {
        let name = format!("payoutRuns/{id}");
        let draft = call.message.payout_run.clone().unwrap_or_default();
        let before = self.runs.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        // Nothing is collected for a request that comes again, or for an id that is taken.
        let collected =
            if before.exists() { Collected::default() } else { self.collect_payable(call, &name, &draft).await? };
        let Collected { payouts, total, remaining, unpayable, contracts: _ } = collected;
        let create = Command::Create(Box::new(pb::PayoutRun {
            payouts,
            total_amount: total.map(Into::into),
            remaining_earning_count: i32::try_from(remaining).unwrap_or(i32::MAX),
            unpayable_creators: unpayable,
            execution_date: draft.execution_date.or(draft.due_date),
            ..draft
        }));
        let schedule = earning::Command::Schedule { payout_run: name };
        let taken = |run: &pb::PayoutRun| run.payouts.iter().flat_map(|payout| payout.earnings.clone()).collect();
        Ok(self.together(&call.meta, id, &create, &schedule, taken).await)
    }

    /// Collects until all payees can be paid, and enough: who can't leave their room to others, who are asked about next.
    async fn collect_payable(
        &self,
        call: &Call<CreatePayoutRunRequest>,
        name: &str,
        draft: &pb::PayoutRun,
    ) -> Result<Collected, Status> {
        let (mut payable, mut asked, mut obstacles) = (HashSet::new(), HashSet::new(), Obstacles::default());
        loop {
            let collected = self.collect(call, name, draft, &obstacles).await?;
            let known = obstacles.unpayable.len() + obstacles.minimums.len();
            // What is too little needs no account.
            let contracts: Vec<_> =
                collected.contracts.iter().filter(|name| asked.insert((*name).clone())).cloned().collect();
            let minimums = self.minimum_payouts(call, &contracts).await?;
            obstacles
                .minimums
                .extend(contracts.into_iter().zip(minimums).filter_map(|(name, least)| Some((name, least?))));
            if obstacles.unpayable.len() + obstacles.minimums.len() > known {
                continue;
            }
            let payees = collected.payouts.iter().map(|payout| &payout.creator);
            let unasked: Vec<_> = payees.filter(|creator| !payable.contains(*creator)).cloned().collect();
            let answers = self.accounts(call, &unasked).await?;
            for (creator, answer) in unasked.into_iter().zip(answers) {
                match answer {
                    Ok(_) => {
                        payable.insert(creator);
                    }
                    Err(reason) => {
                        obstacles.unpayable.insert(creator, reason);
                    }
                }
            }
            if obstacles.unpayable.len() + obstacles.minimums.len() == known {
                return Ok(collected);
            }
        }
    }

    async fn collect(
        &self,
        call: &Call<CreatePayoutRunRequest>,
        name: &str,
        draft: &pb::PayoutRun,
        obstacles: &Obstacles,
    ) -> Result<Collected, Status> {
        let earnings = Filter { kinds: vec![Earning::KIND], tenant: None };
        let last = self.log.last_position(&earnings).await.map_err(|error| call.error(error))?;
        self.earning_view.wait_for_position(last, call.deadline).await.map_err(|error| call.error(error))?;
        let due = draft.due_date.unwrap_or_default();
        let filter = format!("state = ACCRUED AND due_date <= \"{:04}-{:02}-{:02}\"", due.year, due.month, due.day);
        let unreadable = |error| call.error(Problem::internal(error));
        let mut collecting = Collecting::new(name, obstacles);
        let mut page_token = String::new();
        loop {
            let query = ListQuery {
                filter: &filter,
                order_by: "creator, name",
                page_size: PAGE,
                page_token: &page_token,
                fixed: vec![("brand", draft.brand.clone()), ("currency_code", draft.currency_code.clone())],
            };
            let page = self.earning_view.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))?;
            for (_, earning) in &page.rows {
                collecting.add(earning).map_err(unreadable)?;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() || collecting.is_full() {
                return collecting.finish(page.total_size.unsigned_abs() as usize).map_err(unreadable);
            }
        }
    }
}
