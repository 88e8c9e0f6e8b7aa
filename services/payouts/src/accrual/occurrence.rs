//! What an event of contracts or campaigns means to pricing.
//!
//! Invariant: an event's own words decide; nothing is asked elsewhere.

use tandem_compensation::Fact;
use tandem_eventlog::{Kind, RecordedEvent};
use tandem_money::Money;
use tandem_proto::EventSet;
use tandem_proto::campaigns::v1::{TrackingCodeAssigned, conversion_event, participation_event};
use tandem_proto::contracts::v1::contract_event;
use tandem_proto::google::r#type as wire;
use tandem_proto::time;

use super::Failure;

/// The aggregates whose events may matter.
pub(super) const KINDS: [Kind; 3] = [
    Kind { context: "contracts", aggregate: "contract" },
    Kind { context: "campaigns", aggregate: "participation" },
    Kind { context: "campaigns", aggregate: "conversion" },
];

/// An event that pricing may have to do with.
#[derive(Debug)]
pub(super) struct Occurrence {
    /// `contracts/{contract}`.
    pub contract: String,
    /// Its version.
    pub version: i32,
    /// What it follows up: the order that is refunded, and what was refunded of it before.
    pub before: Vec<Fact>,
    /// What happened.
    pub fact: Fact,
}

/// What an event means to pricing; none if nothing.
pub(super) fn occurrence(event: &RecordedEvent) -> Result<Option<Occurrence>, Failure> {
    let [_, context, aggregate, _] = event.tokens();
    match (context, aggregate) {
        ("contracts", "contract") => Ok(decode(event)?.and_then(|decided| signed(event, decided))),
        ("campaigns", "participation") => Ok(decode(event)?.and_then(published)),
        ("campaigns", "conversion") => decode(event)?.map(|decided| sold_or_refunded(event, decided)).transpose(),
        _ => Ok(None),
    }
}

fn signed(event: &RecordedEvent, decided: contract_event::Event) -> Option<Occurrence> {
    let contract_event::Event::Signed(signed) = decided else { return None };
    let contract = event.envelope.resource.clone();
    Some(Occurrence { contract, version: signed.version, before: Vec::new(), fact: Fact::Signed })
}

fn published(decided: participation_event::Event) -> Option<Occurrence> {
    let participation_event::Event::DeliverablePublished(published) = decided else { return None };
    let (contract, version) = (published.contract, published.contract_version);
    let fact = Fact::Published { deliverable_id: published.deliverable_id, last: published.remaining_count == 0 };
    Some(Occurrence { contract, version, before: Vec::new(), fact })
}

fn sold_or_refunded(event: &RecordedEvent, decided: conversion_event::Event) -> Result<Occurrence, Failure> {
    let order_id = event.envelope.resource.clone();
    let (attribution, before, fact) = match decided {
        conversion_event::Event::Attributed(order) => {
            let time = order.order_time.as_ref().and_then(time::from_proto).unwrap_or(event.envelope.time);
            let fact = Fact::Ordered { order_id, net: money(order.net_amount.as_ref())?, time };
            (order.attribution, Vec::new(), fact)
        }
        conversion_event::Event::Refunded(refund) => {
            let before = vec![
                Fact::Ordered {
                    order_id: order_id.clone(),
                    net: money(refund.order_net_amount.as_ref())?,
                    time: event.envelope.time,
                },
                Fact::Refunded { order_id: order_id.clone(), net: money(refund.previously_refunded_amount.as_ref())? },
            ];
            (refund.attribution, before, Fact::Refunded { order_id, net: money(refund.net_amount.as_ref())? })
        }
    };
    let TrackingCodeAssigned { contract, contract_version, .. } = attribution.unwrap_or_default();
    Ok(Occurrence { contract, version: contract_version, before, fact })
}

/// The event; none if it is of a type that came after this version, which then does not price it.
fn decode<E: EventSet>(event: &RecordedEvent) -> Result<Option<E>, Failure> {
    E::decode(&event.envelope.event_type, &event.payload).map_err(Failure::defect)
}

fn money(amount: Option<&wire::Money>) -> Result<Money, Failure> {
    Money::try_from(amount.ok_or_else(|| Failure::defect("the event has no amount"))?).map_err(Failure::defect)
}
