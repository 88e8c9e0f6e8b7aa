//! Conversions: orders attributed by tracking code, and the refunds that take back from them.
//!
//! Invariant: an order and each of its refunds counts once however often it is reported, and no more is refunded than
//! was sold.

mod figures;
#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_money::Money;
use tandem_proto::campaigns::v1::conversion_event::Event;
use tandem_proto::campaigns::v1::{self as pb, ConversionState as State, TrackingCodeAssigned};
use tandem_proto::time::to_proto;
use tandem_service::Resource;
use tandem_views::Column;

use crate::partnership::partnership;

/// An attributed order; the aggregate's state is the resource itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversion(pub pb::Conversion);

/// What can be asked of a conversion.
#[derive(Clone, Debug)]
pub enum Command {
    /// Record an order, attributed to whom its tracking code belongs.
    RecordOrder(pb::RecordOrderRequest, TrackingCodeAssigned),
    /// Record that money of it went back.
    RecordRefund(pb::RecordRefundRequest),
}

impl Conversion {
    /// The id of an order's conversion: the same for every report of the order, in every tenant.
    #[must_use]
    pub fn id(shop: &str, order_id: &str) -> String {
        let mut hash = Sha256::new();
        // The length keeps "ab" + "c" and "a" + "bc" apart.
        hash.update((shop.len() as u64).to_be_bytes());
        hash.update(shop);
        hash.update(order_id);
        hex::encode(&hash.finalize()[..16])
    }

    /// To whom it is attributed, as its events say it.
    fn attribution(&self) -> TrackingCodeAssigned {
        let conversion = &self.0;
        TrackingCodeAssigned {
            participation: conversion.participation.clone(),
            campaign: conversion.campaign.clone(),
            contract: conversion.contract.clone(),
            contract_version: conversion.contract_version,
            brand: conversion.brand.clone(),
            creator: conversion.creator.clone(),
            currency_code: conversion
                .net_amount
                .as_ref()
                .map(|amount| amount.currency_code.clone())
                .unwrap_or_default(),
        }
    }

    fn attributed(&mut self, event: &pb::OrderAttributed, envelope: &Envelope) {
        let owner = event.attribution.clone().unwrap_or_default();
        let nothing = event.net_amount.as_ref().map(|amount| tandem_proto::google::r#type::Money {
            currency_code: amount.currency_code.clone(),
            ..Default::default()
        });
        self.0 = pb::Conversion {
            name: envelope.resource.clone(),
            shop: event.shop.clone(),
            order_id: event.order_id.clone(),
            tracking_code: event.tracking_code.clone(),
            participation: owner.participation,
            campaign: owner.campaign,
            contract: owner.contract,
            contract_version: owner.contract_version,
            brand: owner.brand,
            creator: owner.creator,
            state: State::Kept.into(),
            net_amount: event.net_amount.clone(),
            refunded_amount: nothing,
            order_time: event.order_time,
            create_time: Some(to_proto(envelope.time)),
            ..Default::default()
        };
    }

    fn refunded(&mut self, event: &pb::OrderRefunded) {
        let amount = |amount: &Option<_>| amount.as_ref().and_then(|amount| Money::try_from(amount).ok());
        // Decided only with amounts that add up; a log that says otherwise leaves the sum as it was.
        let sum = amount(&event.previously_refunded_amount).zip(amount(&event.net_amount));
        if let Some(sum) = sum.and_then(|(before, now)| before.checked_add(now).ok()) {
            self.0.refunded_amount = Some(sum.into());
        }
        let whole = self.0.refunded_amount == self.0.net_amount;
        self.0.set_state(if whole { State::Refunded } else { State::PartlyRefunded });
        self.0.refunds.push(pb::Refund {
            refund_id: event.refund_id.clone(),
            net_amount: event.net_amount.clone(),
            refund_time: event.refund_time,
        });
    }
}

impl Aggregate for Conversion {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "conversion" };
    const COLLECTION: &'static str = "conversions";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let event = match command {
            Command::RecordOrder(order, owner) => self.record_order(order, owner, context.time)?.map(Event::Attributed),
            Command::RecordRefund(refund) => self.record_refund(refund, context.time)?.map(Event::Refunded),
        };
        Ok(event.into_iter().collect())
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        match event {
            Event::Attributed(event) => self.attributed(event, envelope),
            Event::Refunded(event) => self.refunded(event),
        }
        self.0.update_time = Some(to_proto(envelope.time));
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.0.brand, &self.0.creator)
    }
}

impl Resource for Conversion {
    const VIEW: &'static str = "conversions";
    const VERSION: i32 = 1;
    type Message = pb::Conversion;

    fn columns() -> Vec<Column<pb::Conversion>> {
        vec![
            Column::text("name", |row: &pb::Conversion| row.name.clone()),
            Column::text("participation", |row: &pb::Conversion| row.participation.clone()).indexed(),
            Column::text("campaign", |row: &pb::Conversion| row.campaign.clone()).indexed(),
            Column::text("contract", |row: &pb::Conversion| row.contract.clone()).indexed(),
            Column::text("brand", |row: &pb::Conversion| row.brand.clone()),
            Column::text("creator", |row: &pb::Conversion| row.creator.clone()).indexed(),
            Column::text("tracking_code", |row: &pb::Conversion| row.tracking_code.clone()),
            Column::enumeration("state", "tandem.campaigns.v1.ConversionState", |row: &pb::Conversion| row.state),
            Column::time("order_time", |row: &pb::Conversion| row.order_time),
        ]
    }

    fn from_message(message: pb::Conversion) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Conversion {
        pb::Conversion { etag, ..self.0 }
    }
}
