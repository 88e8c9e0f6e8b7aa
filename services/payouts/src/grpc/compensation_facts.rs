//! CompensationFactService over gRPC.
//!
//! Invariant: nothing is written but the ledger of the contract, once for each fact; the earnings follow from its event as
//! from any other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tandem_aggregate::{Aggregate as _, Executor};
use tandem_compensation::Fact;
use tandem_eventlog::{EventLog, Position, Subject};
use tandem_money::Money;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::GetTermsRequest;
use tandem_proto::google::r#type as wire;
use tandem_proto::payouts::v1::compensation_fact_service_server::CompensationFactService;
use tandem_proto::payouts::v1::{
    Earning, RecordExpenseRequest, RecordExpenseResponse, RecordRevenueRequest, RecordRevenueResponse, ledger_event,
};
use tandem_proto::{EventSet as _, time};
use tandem_service::{Call, Peers, Problem};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{id_of, require_staff};
use crate::accrued::{Source, recorded};
use crate::agreed::{NotAgreed, agreed};
use crate::ledger::{Ledger, Record};

/// How long terms are waited for at most, tries again included.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) struct Handlers {
    pub log: Arc<dyn EventLog>,
    pub ledgers: Arc<Executor<Ledger>>,
    pub peers: Peers,
}

/// What is to be recorded.
struct Report<'a> {
    contract: &'a str,
    fact_id: String,
    fact: Fact,
    at: Timestamp,
    description: &'a str,
}

#[tonic::async_trait]
impl CompensationFactService for Handlers {
    async fn record_expense(
        &self,
        request: Request<RecordExpenseRequest>,
    ) -> Result<Response<RecordExpenseResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let RecordExpenseRequest { contract, expense_id, amount, expense_time, description, .. } = &call.message;
        let report = Report {
            contract,
            fact_id: format!("expenses/{expense_id}"),
            fact: Fact::ExpenseHandedIn { amount: money(&call, "amount", amount.as_ref())? },
            at: instant(&call, "expense_time", expense_time.as_ref().and_then(time::from_proto))?,
            description,
        };
        let (earnings, position) = self.record(&call, report).await?;
        Ok(call.written::<Ledger, _>(RecordExpenseResponse { earnings }, position))
    }

    async fn record_revenue(
        &self,
        request: Request<RecordRevenueRequest>,
    ) -> Result<Response<RecordRevenueResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let RecordRevenueRequest { contract, report_id, net_amount, period_end_time, .. } = &call.message;
        let report = Report {
            contract,
            fact_id: format!("revenueReports/{report_id}"),
            fact: Fact::RevenueReported { net: money(&call, "net_amount", net_amount.as_ref())? },
            at: instant(&call, "period_end_time", period_end_time.as_ref().and_then(time::from_proto))?,
            description: "",
        };
        let (earnings, position) = self.record(&call, report).await?;
        Ok(call.written::<Ledger, _>(RecordRevenueResponse { earnings }, position))
    }
}

impl Handlers {
    /// What a report earns, and where that stands in the log.
    async fn record<M>(&self, call: &Call<M>, report: Report<'_>) -> Result<(Vec<Earning>, Position), Status> {
        let Report { contract, fact_id, fact, at, description } = report;
        let client = self.peers.for_request(&call.meta).map_err(|error| call.error(error))?;
        let mut request = Request::new(GetTermsRequest {
            name: contract.to_owned(),
            as_of_time: Some(time::to_proto(at)),
            known_at_time: Some(time::to_proto(call.meta.time)),
        });
        // Some of the caller's time is left for the rest.
        request.set_timeout(PATIENCE.min(call.deadline.saturating_duration_since(Instant::now()) / 2));
        let agreed = agreed(&client, request).await.map_err(|error| match error {
            NotAgreed::Untold(error) => call.error(error),
            NotAgreed::Unreadable(error) => call.error(Problem::internal(error)),
        })?;
        let source = Source::reported(contract, &fact_id, at);
        let command = Record { fact_id, fact, source, agreed, description: description.to_owned() };
        let id = id_of(contract);
        let outcome = self.ledgers.execute(id, &command, &call.meta).await.map_err(|error| call.error(error))?;
        let written = outcome.written.then_some(outcome.loaded.position);
        self.told(&call.caller.tenant, id, &command.fact_id, written).await.map_err(|problem| call.error(problem))
    }

    /// What a fact has earned that is in the ledger: by the event at a position if it was just written.
    async fn told(
        &self,
        tenant: &str,
        ledger: &str,
        fact_id: &str,
        written: Option<Position>,
    ) -> Result<(Vec<Earning>, Position), Problem> {
        let events = match written {
            Some(position) => self.log.get(position).await?.into_iter().collect(),
            None => self.log.read(&Subject::new(tenant, Ledger::KIND, ledger)?, 0).await?,
        };
        for event in events {
            let decided = ledger_event::Event::decode(&event.envelope.event_type, &event.payload);
            let decided = decided.map_err(Problem::internal)?;
            if let Some(ledger_event::Event::FactRecorded(fact)) = decided
                && fact.fact_id == fact_id
            {
                return Ok((recorded(&event, fact), event.position));
            }
        }
        let message = format!("{fact_id} is recorded, but can't be read yet. Repeat the request.");
        Err(Problem::new(ErrorReason::LogUnavailable, message))
    }
}

fn money<M>(call: &Call<M>, field: &str, amount: Option<&wire::Money>) -> Result<Money, Status> {
    let amount = amount.ok_or_else(|| call.invalid(field, "is required"))?;
    Money::try_from(amount).map_err(|error| call.invalid(field, &format!("can't be taken: {error}")))
}

fn instant<M>(call: &Call<M>, field: &str, given: Option<Timestamp>) -> Result<Timestamp, Status> {
    given.ok_or_else(|| call.invalid(field, "is not a timestamp: send seconds and 0 to 999999999 nanos"))
}
