//! What an event of contracts, campaigns or a ledger means to what is earned.
//!
//! Invariant: an event's own words decide, with those of earlier events of its aggregate; no service is asked.

use jiff::Timestamp;
use tandem_compensation::Fact;
use tandem_eventlog::{EventLog, Kind, RecordedEvent, Subject};
use tandem_money::Money;
use tandem_proto::campaigns::v1::{PerformanceRecorded, conversion_event, participation_event};
use tandem_proto::contracts::v1::{ClauseEffect, Metric, contract_event};
use tandem_proto::google::r#type as wire;
use tandem_proto::payouts::v1::{Earning, ledger_event};
use tandem_proto::time;
use tandem_proto::{EventSet, read_event};

use super::Failure;
use crate::accrued::{self, Source};

/// The aggregates whose events may matter.
pub(super) const KINDS: [Kind; 4] = [
    Kind { context: "contracts", aggregate: "contract" },
    Kind { context: "campaigns", aggregate: "participation" },
    Kind { context: "campaigns", aggregate: "conversion" },
    Kind { context: "payouts", aggregate: "ledger" },
];

/// What an event means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Facts, to be priced.
    Happened(Happened),
    /// The contract ended.
    Ended {
        /// `contracts/{contract}`.
        contract: String,
        /// What that means for its clauses.
        effects: Vec<ClauseEffect>,
        /// The event.
        source: Source,
    },
    /// A ledger has recorded what was earned.
    Earned(Vec<Earning>),
}

/// Facts under a contract.
#[derive(Debug)]
pub(super) struct Happened {
    /// `contracts/{contract}`.
    pub contract: String,
    /// The instant whose terms they are priced by.
    pub agreed_at: Timestamp,
    /// What they follow up, oldest first: the order that is refunded, and earlier refunds of it.
    pub before: Vec<Told>,
    /// What happened now.
    pub now: Vec<Told>,
}

/// A fact, and the event that told it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// By which it is known.
    pub fact_id: String,
    /// What happened.
    pub fact: Fact,
    /// The event.
    pub source: Source,
}

/// What an event means; none if nothing.
pub(super) async fn meaning(event: &RecordedEvent, log: &dyn EventLog) -> Result<Option<Meaning>, Failure> {
    let [_, context, aggregate, _] = event.tokens();
    match (context, aggregate) {
        ("contracts", "contract") => Ok(concluded_or_ended(event, decode(event)?)),
        ("campaigns", "participation") => match decode(event)? {
            participation_event::Event::DeliverablePublished(published) => {
                let last = published.remaining_count == 0;
                let fact = Fact::Published { deliverable_id: published.deliverable_id, last };
                Ok(Some(alone(published.contract, event, vec![told(event, "", fact)])))
            }
            participation_event::Event::PerformanceRecorded(measured) => {
                let contract = joined(&earlier(event, log).await?)?;
                Ok(Some(alone(contract, event, figures(event, &measured))))
            }
            _ => Ok(None),
        },
        ("campaigns", "conversion") => match decode(event)? {
            conversion_event::Event::Attributed(order) => {
                let contract = order.attribution.clone().unwrap_or_default().contract;
                let fact = sold_or_refunded(event, conversion_event::Event::Attributed(order))?;
                Ok(Some(alone(contract, event, vec![fact])))
            }
            refunded @ conversion_event::Event::Refunded(_) => {
                refund(event, refunded, &earlier(event, log).await?).map(Some)
            }
        },
        ("payouts", "ledger") => {
            let ledger_event::Event::FactRecorded(recorded) = decode(event)?;
            Ok(Some(Meaning::Earned(accrued::recorded(event, recorded))))
        }
        _ => Ok(None),
    }
}

/// Facts that follow up none.
fn alone(contract: String, event: &RecordedEvent, now: Vec<Told>) -> Meaning {
    Meaning::Happened(Happened { contract, agreed_at: event.envelope.time, before: Vec::new(), now })
}

fn concluded_or_ended(event: &RecordedEvent, decided: contract_event::Event) -> Option<Meaning> {
    let contract = event.envelope.resource.clone();
    match decided {
        contract_event::Event::Signed(_) => Some(alone(contract, event, vec![told(event, "", Fact::Signed)])),
        contract_event::Event::Terminated(ended) => {
            let effects = ended.termination.unwrap_or_default().effects;
            Some(Meaning::Ended { contract, effects, source: Source::of(event) })
        }
        _ => None,
    }
}

/// The totals of one deliverable.
fn figures(event: &RecordedEvent, measured: &PerformanceRecorded) -> Vec<Told> {
    let performance = measured.performance.unwrap_or_default();
    let of = format!("{}/{}", event.envelope.resource, measured.deliverable_id);
    let figure =
        |metric: Metric, value| told(event, metric.as_str_name(), Fact::Measured { metric, value, source: of.clone() });
    vec![
        figure(Metric::Impressions, performance.impressions),
        figure(Metric::Engagements, performance.engagements),
        figure(Metric::Clicks, performance.clicks),
    ]
}

/// A refund is priced by the terms that its order was: it takes back what that earned.
fn refund(
    event: &RecordedEvent,
    refunded: conversion_event::Event,
    earlier: &[RecordedEvent],
) -> Result<Meaning, Failure> {
    let mut before = Vec::new();
    for earlier in earlier {
        before.push(sold_or_refunded(earlier, decode(earlier)?)?);
    }
    let Some(order) = before.first() else {
        return Err(Failure::Away(format!("the order of {} can't be read yet", event.envelope.resource)));
    };
    let attribution = match &refunded {
        conversion_event::Event::Refunded(refund) => refund.attribution.clone(),
        conversion_event::Event::Attributed(order) => order.attribution.clone(),
    };
    Ok(Meaning::Happened(Happened {
        contract: attribution.unwrap_or_default().contract,
        agreed_at: order.source.at,
        before,
        now: vec![sold_or_refunded(event, refunded)?],
    }))
}

fn sold_or_refunded(event: &RecordedEvent, decided: conversion_event::Event) -> Result<Told, Failure> {
    let order_id = event.envelope.resource.clone();
    let fact = match decided {
        conversion_event::Event::Attributed(order) => {
            let time = order.order_time.as_ref().and_then(time::from_proto).unwrap_or(event.envelope.time);
            Fact::Ordered { order_id, net: money(order.net_amount.as_ref())?, time }
        }
        conversion_event::Event::Refunded(refund) => {
            Fact::Refunded { order_id, net: money(refund.net_amount.as_ref())? }
        }
    };
    Ok(told(event, "", fact))
}

/// The contract that the participation was joined by.
fn joined(earlier: &[RecordedEvent]) -> Result<String, Failure> {
    for event in earlier {
        if let participation_event::Event::Joined(joined) = decode(event)? {
            return Ok(joined.participation.unwrap_or_default().contract);
        }
    }
    Err(Failure::Away("the participation's contract can't be read yet".to_owned()))
}

/// Events of the same aggregate before this one.
async fn earlier(event: &RecordedEvent, log: &dyn EventLog) -> Result<Vec<RecordedEvent>, Failure> {
    let [tenant, context, aggregate, id] = event.tokens();
    let kind = KINDS.into_iter().find(|kind| (kind.context, kind.aggregate) == (context, aggregate));
    let kind = kind.ok_or_else(|| Failure::defect("no aggregate that earns"))?;
    let subject = Subject::new(tenant, kind, id).map_err(Failure::defect)?;
    let mut events = log.read(&subject, 0).await.map_err(|error| Failure::Away(error.to_string()))?;
    if events.last().is_none_or(|last| last.position < event.position) {
        // Of what it lacks nothing could be said: an earlier refund would be taken back again.
        return Err(Failure::Away("the log is told by a server that was cut off from it".to_owned()));
    }
    events.retain(|earlier| earlier.position < event.position);
    Ok(events)
}

fn told(event: &RecordedEvent, part: &str, fact: Fact) -> Told {
    let id = &event.envelope.id;
    let fact_id = if part.is_empty() { id.clone() } else { format!("{id}/{part}") };
    Told { fact_id, fact, source: Source::of(event) }
}

/// The event. One of a type that came after this version waits until an upgraded one prices it.
fn decode<E: EventSet>(event: &RecordedEvent) -> Result<E, Failure> {
    read_event(&event.envelope.event_type, &event.payload).map_err(Failure::defect)
}

fn money(amount: Option<&wire::Money>) -> Result<Money, Failure> {
    Money::try_from(amount.ok_or_else(|| Failure::defect("the event has no amount"))?).map_err(Failure::defect)
}

#[cfg(test)]
mod tests {
    use tandem_eventlog::MemoryLog;
    use tandem_eventlog::testing::part;

    use super::*;

    #[tokio::test]
    async fn what_a_former_leader_tells_of_earlier_refunds_is_not_believed() {
        let (log, order) = (MemoryLog::new(), Subject::new("acme", KINDS[2], "o1").unwrap());
        let ordered = log.append(vec![part(&order, 0, &["ordered"])]).await.unwrap()[0];
        log.append(vec![part(&order, ordered, &["refunded", "refunded again"])]).await.unwrap();
        let events = log.read(&order, 0).await.unwrap();
        let cut_off = log.cut_off_at(events[1].position);
        assert!(matches!(earlier(&events[2], &cut_off).await, Err(Failure::Away(_))));
        assert_eq!(earlier(&events[2], &log).await.unwrap(), events[..2]);
    }
}
