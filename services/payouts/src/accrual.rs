//! Accrual: what happens to contracts and campaigns becomes earnings.
//!
//! Invariant: nothing earns twice. The id of an earning is made from what is earned once (an instalment of a contract's
//! fee; a clause's share of an order or refund), so that an event handled twice finds its earnings there.

mod occurrence;

use std::fmt::Display;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Cause, Process, ProcessError};
use tandem_client::Client;
use tandem_compensation::{Ledger, Line, Rules};
use tandem_eventlog::{Filter, RecordedEvent};
use tandem_money::dates::date_to_proto;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{Contract, GetContractRequest};
use tandem_proto::payouts::v1::{Calculation, CreateEarningRequest, Earning, EarningRule, SourceEvent};
use tandem_proto::time;
use tandem_service::Peers;
use tonic::Code;

use self::occurrence::{KINDS, Occurrence, occurrence};

/// Contracts kept in memory; a version of a contract never changes.
const CONTRACTS: usize = 10_000;

/// The process.
pub struct Accrual {
    peers: Peers,
    contracts: Cache<(String, String, i32), Arc<Contract>>,
}

/// Why an event has not earned yet. It is tried again in both cases.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A service does not answer; it will.
    #[error("{0}")]
    Away(String),
    /// It will not pass by itself: somebody has to see to it.
    #[error("{0}")]
    Defect(String),
}

impl Failure {
    fn defect(error: impl Display) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<tandem_client::Error> for Failure {
    fn from(error: tandem_client::Error) -> Self {
        use Code::{Aborted, Cancelled, DeadlineExceeded, ResourceExhausted, Unavailable};
        match error.code() {
            Unavailable | DeadlineExceeded | Cancelled | ResourceExhausted | Aborted => Self::Away(error.to_string()),
            _ => Self::defect(error),
        }
    }
}

impl Accrual {
    /// With the services that know contracts and keep earnings.
    #[must_use]
    pub fn new(peers: Peers) -> Self {
        Self { peers, contracts: Cache::new(CONTRACTS) }
    }
}

#[async_trait::async_trait]
impl Process for Accrual {
    fn name(&self) -> &'static str {
        "payouts-accrual"
    }

    fn filter(&self) -> Filter {
        Filter { kinds: KINDS.to_vec(), tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        self.accrue(event, cause).await.map_err(|failure| {
            if let Failure::Defect(error) = &failure {
                let (position, subject) = (event.position, &event.subject);
                tracing::error!(position, %subject, %error, "an event can't be priced; it is tried again until it can");
            }
            ProcessError(failure.to_string())
        })
    }
}

impl Accrual {
    async fn accrue(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), Failure> {
        let Some(occurrence) = occurrence(event)? else { return Ok(()) };
        let client = self.peers.for_event(cause)?;
        let contract = self.contract(&client, cause, &occurrence).await?;
        let terms =
            contract.terms.as_ref().ok_or_else(|| Failure::defect(format!("{} has no terms", contract.name)))?;
        let (rules, at) = (Rules::parse(terms).map_err(Failure::defect)?, event.envelope.time);
        let mut ledger = Ledger::default();
        for fact in &occurrence.before {
            ledger.take(&rules, fact, at).map_err(Failure::defect)?;
        }
        for line in ledger.price(&rules, &occurrence.fact, at).map_err(Failure::defect)? {
            // What is given in kind is no money that is owed.
            if !line.payable {
                continue;
            }
            let part = if line.held_back { format!("{}~held-back", line.part) } else { line.part.clone() };
            let request_id = hash([&event.envelope.id, &line.clause_id, &part]);
            let earning_id = match line.rule {
                // Two campaigns under one contract both end with a publication; the fee is owed once.
                EarningRule::FeeInstalment | EarningRule::PerDeliverableFee => {
                    hash([&contract.name, &line.clause_id, &part])
                }
                _ => request_id.clone(),
            };
            let earning = Some(earning(&contract, occurrence.version, event, line));
            record(&client, CreateEarningRequest { earning, earning_id, request_id }).await?;
        }
        Ok(())
    }

    async fn contract(
        &self,
        client: &Client,
        cause: &Cause,
        occurrence: &Occurrence,
    ) -> Result<Arc<Contract>, Failure> {
        let key = (cause.tenant.clone(), occurrence.contract.clone(), occurrence.version);
        if let Some(contract) = self.contracts.get(&key) {
            return Ok(contract);
        }
        let request = GetContractRequest { name: occurrence.contract.clone(), round: occurrence.version };
        let contract = client.contracts().get_contract(request).await.map_err(tandem_client::Error::from)?;
        let contract = Arc::new(contract.into_inner());
        self.contracts.insert(key, Arc::clone(&contract));
        Ok(contract)
    }
}

/// Records an earning unless it is there: what was recorded first stands, even if a later version words it otherwise.
async fn record(client: &Client, request: CreateEarningRequest) -> Result<(), Failure> {
    let earning_id = request.earning_id.clone();
    match client.earnings().create_earning(request).await.map_err(tandem_client::Error::from) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.reason(), Some(ErrorReason::ResourceExists | ErrorReason::RequestIdReused)) => {
            tracing::info!(earning_id, "earned before");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn earning(contract: &Contract, version: i32, event: &RecordedEvent, line: Line) -> Earning {
    Earning {
        brand: contract.brand.clone(),
        creator: contract.creator.clone(),
        contract: contract.name.clone(),
        contract_version: version,
        clause_id: line.clause_id,
        rule: line.rule.into(),
        amount: Some(line.amount.into()),
        calculation: Some(Calculation {
            base_amount: Some(line.base.into()),
            rate_basis_points: line.rate_basis_points,
            explanation: line.explanation,
        }),
        source_events: vec![SourceEvent {
            event_id: event.envelope.id.clone(),
            r#type: event.envelope.event_type.clone(),
            resource: event.envelope.resource.clone(),
            position: i64::try_from(event.position).unwrap_or(i64::MAX),
            time: Some(time::to_proto(event.envelope.time)),
        }],
        earn_time: Some(time::to_proto(event.envelope.time)),
        due_date: Some(date_to_proto(line.due_date)),
        ..Earning::default()
    }
}

/// 128 bits, hex. None of the parts has a slash but the first.
fn hash(parts: [&str; 3]) -> String {
    hex::encode(&Sha256::digest(parts.join("/"))[..16])
}
