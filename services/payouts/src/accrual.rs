//! Accrual: what happens to contracts and campaigns becomes earnings.
//!
//! Invariant: an event earns once. The id of an earning is made from the event, the clause and the instalment, so that
//! an event handled twice finds its earnings there.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Cause, Process, ProcessError};
use tandem_client::Client;
use tandem_eventlog::{Filter, Kind, RecordedEvent};
use tandem_money::Money;
use tandem_money::dates::{date_to_proto, day_of, net_days, time_zone};
use tandem_proto::campaigns::v1::{TrackingCodeAssigned, conversion_event, participation_event};
use tandem_proto::contracts::v1::clause::Clause as ClauseKind;
use tandem_proto::contracts::v1::{Contract, GetContractRequest, contract_event};
use tandem_proto::google::r#type as wire;
use tandem_proto::payouts::v1::{Calculation, CreateEarningRequest, Earning, SourceEvent};
use tandem_proto::{EventSet, time};
use tandem_service::Peers;

use crate::pricing::{Fact, Line, price};

/// Contracts kept in memory; a version of a contract never changes.
const CONTRACTS: usize = 10_000;

/// The process.
pub struct Accrual {
    peers: Peers,
    contracts: Cache<(String, String, i32), Arc<Contract>>,
}

/// An event that pricing may have to do with.
struct Occurrence {
    /// `contracts/{contract}`.
    contract: String,
    /// Its version.
    version: i32,
    fact: Fact,
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
    const NAME: &'static str = "payouts-accrual";

    fn filter(&self) -> Filter {
        let kind = |context, aggregate| Kind { context, aggregate };
        Filter {
            kinds: vec![
                kind("contracts", "contract"),
                kind("campaigns", "participation"),
                kind("campaigns", "conversion"),
            ],
            tenant: None,
        }
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        let Some(occurrence) = occurrence(event)? else { return Ok(()) };
        let client = self.peers.for_event(cause).map_err(failed)?;
        let contract = self.contract(&client, cause, &occurrence).await?;
        let terms = contract.terms.as_ref().ok_or_else(|| ProcessError(format!("{} has no terms", contract.name)))?;
        for line in price(terms, occurrence.fact).map_err(failed)? {
            let earning_id = earning_id(&event.envelope.id, &line);
            let earning = earning(&contract, occurrence.version, event, line)?;
            let request =
                CreateEarningRequest { earning: Some(earning), request_id: earning_id.clone(), earning_id };
            client.earnings().create_earning(request).await.map_err(failed)?;
        }
        Ok(())
    }
}

impl Accrual {
    async fn contract(
        &self,
        client: &Client,
        cause: &Cause,
        occurrence: &Occurrence,
    ) -> Result<Arc<Contract>, ProcessError> {
        let key = (cause.tenant.clone(), occurrence.contract.clone(), occurrence.version);
        if let Some(contract) = self.contracts.get(&key) {
            return Ok(contract);
        }
        let request = GetContractRequest { name: occurrence.contract.clone(), round: occurrence.version };
        let contract = Arc::new(client.contracts().get_contract(request).await.map_err(failed)?.into_inner());
        self.contracts.insert(key, Arc::clone(&contract));
        Ok(contract)
    }
}

/// What an event means to pricing; none if nothing.
fn occurrence(event: &RecordedEvent) -> Result<Option<Occurrence>, ProcessError> {
    let [_, context, aggregate, _] = event.tokens();
    Ok(match (context, aggregate) {
        ("contracts", "contract") => match decode(event)? {
            Some(contract_event::Event::Signed(signed)) => Some(Occurrence {
                contract: event.envelope.resource.clone(),
                version: signed.version,
                fact: Fact::Signed,
            }),
            _ => None,
        },
        ("campaigns", "participation") => match decode(event)? {
            Some(participation_event::Event::DeliverablePublished(published)) if published.remaining_count == 0 => {
                Some(Occurrence {
                    contract: published.contract,
                    version: published.contract_version,
                    fact: Fact::Published,
                })
            }
            _ => None,
        },
        ("campaigns", "conversion") => match decode(event)? {
            Some(conversion_event::Event::Attributed(order)) => {
                Some(attributed(order.attribution, Fact::Sold { net: money(order.net_amount.as_ref())? }))
            }
            Some(conversion_event::Event::Refunded(refund)) => Some(attributed(
                refund.attribution,
                Fact::Refunded {
                    net: money(refund.order_net_amount.as_ref())?,
                    before: money(refund.previously_refunded_amount.as_ref())?,
                    refund: money(refund.net_amount.as_ref())?,
                },
            )),
            None => None,
        },
        _ => None,
    })
}

fn attributed(attribution: Option<TrackingCodeAssigned>, fact: Fact) -> Occurrence {
    let attribution = attribution.unwrap_or_default();
    Occurrence { contract: attribution.contract, version: attribution.contract_version, fact }
}

/// The event; none if it is of a type that came after this version, which then does not price it.
fn decode<E: EventSet>(event: &RecordedEvent) -> Result<Option<E>, ProcessError> {
    E::decode(&event.envelope.event_type, &event.payload).map_err(failed)
}

fn earning(contract: &Contract, version: i32, event: &RecordedEvent, line: Line) -> Result<Earning, ProcessError> {
    let terms = contract.terms.clone().unwrap_or_default();
    let zone = time_zone(&terms.time_zone).map_err(failed)?;
    let net = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(ClauseKind::PaymentTerms(terms)) => Some(terms.net_days.unsigned_abs()),
        _ => None,
    });
    // Where no payment terms are agreed, what is earned is due on the day.
    let due = net_days(day_of(event.envelope.time, &zone), net.unwrap_or(0)).map_err(failed)?;
    Ok(Earning {
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
        due_date: Some(date_to_proto(due)),
        ..Earning::default()
    })
}

/// Of event, clause and instalment: 128 bits, hex.
fn earning_id(event_id: &str, line: &Line) -> String {
    let hash = Sha256::digest(format!("{event_id}/{}/{}", line.clause_id, line.part));
    hex::encode(&hash[..16])
}

fn money(amount: Option<&wire::Money>) -> Result<Money, ProcessError> {
    Money::try_from(amount.ok_or_else(|| ProcessError("the event has no amount".to_owned()))?).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> ProcessError {
    ProcessError(error.to_string())
}
