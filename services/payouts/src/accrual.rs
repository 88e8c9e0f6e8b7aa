//! Accrual: what happens to contracts and campaigns becomes earnings.
//!
//! Invariant: nothing earns twice. What earns by itself has an id made from what is earned once (an instalment of a
//! contract's fee; a clause's share of an order or refund), so that an event handled twice finds its earnings there. What
//! earns by what else happened is recorded once in the ledger of its contract, whose events are handled in turn.

mod occurrence;

use std::fmt::Display;
use std::sync::Arc;

use jiff::Timestamp;
use tandem_aggregate::{Cause, ExecuteError, Executor, Process, ProcessError};
use tandem_client::Client;
use tandem_eventlog::{EventLog, Filter, RecordedEvent};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{ClauseEffect, GetTermsRequest};
use tandem_proto::payouts::v1::{CreateEarningRequest, Earning};
use tandem_proto::time;
use tandem_service::Peers;
use tonic::{Code, Request};

use self::occurrence::{Happened, KINDS, Meaning, Told, meaning};
use crate::accrued::{Source, earnings, hash};
use crate::agreed::{Agreed, NotAgreed, agreed};
use crate::ledger::{Ledger, Record};

/// Of its durable consumer: it stays for good.
const NAME: &str = "payouts-accrual";

/// The process.
pub struct Accrual {
    peers: Peers,
    log: Arc<dyn EventLog>,
    ledgers: Arc<Executor<Ledger>>,
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

impl From<NotAgreed> for Failure {
    fn from(error: NotAgreed) -> Self {
        match error {
            NotAgreed::Untold(error) => error.into(),
            NotAgreed::Unreadable(error) => Self::defect(error),
        }
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Contended | ExecuteError::Unavailable(_) => Self::Away(error.to_string()),
            _ => Self::defect(error),
        }
    }
}

impl Accrual {
    /// With the services that know contracts and keep earnings, and the ledgers.
    #[must_use]
    pub fn new(peers: Peers, log: Arc<dyn EventLog>, ledgers: Arc<Executor<Ledger>>) -> Self {
        Self { peers, log, ledgers }
    }
}

#[async_trait::async_trait]
impl Process for Accrual {
    fn name(&self) -> &str {
        NAME
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
        let Some(meaning) = meaning(event, self.log.as_ref()).await? else { return Ok(()) };
        let client = self.peers.for_event(cause)?;
        let earned = match meaning {
            Meaning::Happened(happened) => self.happened(&client, happened, cause).await?,
            Meaning::Ended { contract, effects, source } => ended(&client, &contract, &effects, &source).await?,
            Meaning::Earned(earned) => earned,
        };
        for earning in earned {
            record(&client, earning, &cause.event_id).await?;
        }
        Ok(())
    }

    /// What facts earn by themselves. What they earn with others is left to the ledger.
    async fn happened(&self, client: &Client, happened: Happened, cause: &Cause) -> Result<Vec<Earning>, Failure> {
        let Happened { contract, agreed_at: at, before, now } = happened;
        let agreed = agreed_at(client, &contract, at).await?;
        let (mut known, mut earned) = (tandem_compensation::Ledger::default(), Vec::new());
        let told = before.into_iter().map(|told| (told, false)).chain(now.into_iter().map(|told| (told, true)));
        for (told, is_new) in told {
            if agreed.rules.depends_on_others(&told.fact) {
                self.enter(&agreed, told, cause).await?;
                continue;
            }
            let lines = known.take(&agreed.rules, &told.fact, told.source.at).map_err(Failure::defect)?;
            if is_new {
                earned.extend(earnings(&agreed, &told.source, lines));
            }
        }
        Ok(earned)
    }

    /// Records a fact in the ledger of its contract, unless it is there.
    async fn enter(&self, agreed: &Arc<Agreed>, told: Told, cause: &Cause) -> Result<(), Failure> {
        let Told { fact_id, fact, source } = told;
        let meta = cause.command("services/payouts", NAME, fact_id.clone());
        let command = Record { fact_id, fact, source, agreed: Arc::clone(agreed), description: String::new() };
        self.ledgers.execute(agreed.contract.trim_start_matches("contracts/"), &command, &meta).await?;
        Ok(())
    }
}

/// What a contract's end earns, and takes back.
async fn ended(
    client: &Client,
    contract: &str,
    effects: &[ClauseEffect],
    source: &Source,
) -> Result<Vec<Earning>, Failure> {
    let agreed = agreed_at(client, contract, source.at).await?;
    let mut earned = Vec::new();
    for effect in effects {
        let lines = agreed.rules.effect(effect, source.at).map_err(Failure::defect)?;
        earned.extend(earnings(&agreed, source, lines));
    }
    Ok(earned)
}

/// The terms of a contract in force at an instant, as they were known then: what is agreed later changes nothing that was
/// earned before.
async fn agreed_at(client: &Client, contract: &str, at: Timestamp) -> Result<Arc<Agreed>, Failure> {
    let instant = Some(time::to_proto(at));
    let request = GetTermsRequest { name: contract.to_owned(), as_of_time: instant, known_at_time: instant };
    Ok(agreed(client, Request::new(request)).await?)
}

/// Records an earning unless it is there: what was recorded first stands, even if a later version words it otherwise.
async fn record(client: &Client, earning: Earning, event_id: &str) -> Result<(), Failure> {
    let earning_id = earning.name.trim_start_matches("earnings/").to_owned();
    let request_id = hash([event_id, &earning_id, ""]);
    let request = CreateEarningRequest { earning: Some(earning), earning_id: earning_id.clone(), request_id };
    match client.earnings().create_earning(request).await.map_err(tandem_client::Error::from) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.reason(), Some(ErrorReason::ResourceExists | ErrorReason::RequestIdReused)) => {
            tracing::info!(earning_id, "earned before");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
