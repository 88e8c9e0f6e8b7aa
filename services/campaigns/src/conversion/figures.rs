//! Deciding on reported figures: new, known already, or in conflict with what is known.
//!
//! Invariant: figures once recorded are never replaced; what differs from them is refused.

use jiff::Timestamp;
use tandem_aggregate::Refusal;
use tandem_money::Money;
use tandem_proto::campaigns::v1::{self as pb, ConversionState as State, TrackingCodeAssigned};
use tandem_proto::common::v1::ErrorReason;

use super::Conversion;
use crate::fields::{amount, past_instant, positive_amount};

impl Conversion {
    /// The order as an event; none if it is recorded already, with the same figures.
    pub(super) fn record_order(
        &self,
        order: &pb::RecordOrderRequest,
        owner: &TrackingCodeAssigned,
        now: Timestamp,
    ) -> Result<Option<pb::OrderAttributed>, Refusal> {
        past_instant("order_time", order.order_time.as_ref(), now)?;
        let given = positive_amount("net_amount", order.net_amount.as_ref())?;
        let known = &self.0;
        if known.state() == State::Unspecified {
            require_currency(given, &owner.currency_code, &owner.contract)?;
            return Ok(Some(pb::OrderAttributed {
                shop: order.shop.clone(),
                order_id: order.order_id.clone(),
                tracking_code: order.tracking_code.clone(),
                attribution: Some(owner.clone()),
                net_amount: Some(given.into()),
                order_time: order.order_time,
            }));
        }
        let differs = if known.net_amount != Some(given.into()) {
            "net_amount"
        } else if known.order_time != order.order_time {
            "order_time"
        } else if known.tracking_code != order.tracking_code {
            "tracking_code"
        } else {
            return Ok(None);
        };
        let message = format!(
            "Order {:?} of shop {:?} is recorded already, with another {differs}. What is recorded stays; report what \
             was given back with RecordRefund, and another order by its own order_id.",
            order.order_id, order.shop
        );
        Err(Refusal::new(ErrorReason::OrderConflict, message))
    }

    /// The refund as an event; none if it is recorded already, with the same figures.
    pub(super) fn record_refund(
        &self,
        refund: &pb::RecordRefundRequest,
        now: Timestamp,
    ) -> Result<Option<pb::OrderRefunded>, Refusal> {
        let pb::RecordRefundRequest { shop, order_id, refund_id, refund_time, .. } = refund;
        let conversion = &self.0;
        if conversion.state() == State::Unspecified {
            let message = format!("Order {order_id:?} of shop {shop:?} is not recorded. Record it before its refunds.");
            return Err(Refusal::new(ErrorReason::ResourceNotFound, message));
        }
        past_instant("refund_time", refund_time.as_ref(), now)?;
        let given = positive_amount("net_amount", refund.net_amount.as_ref())?;
        let sold = amount("net_amount", conversion.net_amount.as_ref())?;
        require_currency(given, sold.currency().code(), "the order")?;

        if let Some(known) = conversion.refunds.iter().find(|known| known.refund_id == *refund_id) {
            if known.net_amount == Some(given.into()) && known.refund_time == *refund_time {
                return Ok(None);
            }
            let message = format!(
                "Refund {refund_id:?} of order {order_id:?} is recorded already, with other figures. What is recorded \
                 stays; report a further refund by its own refund_id."
            );
            return Err(Refusal::new(ErrorReason::OrderConflict, message));
        }

        let before = amount("refunded_amount", conversion.refunded_amount.as_ref())?;
        let left = sold.checked_sub(before).unwrap_or(Money::zero(sold.currency()));
        if given.minor() > left.minor() {
            let message = format!(
                "{given} is more than is left of order {order_id:?}: it was sold for {sold}, of which {left} is not \
                 refunded yet. Report at most that, net of tax and shipping."
            );
            return Err(Refusal::new(ErrorReason::RefundExceedsOrder, message));
        }
        Ok(Some(pb::OrderRefunded {
            refund_id: refund_id.clone(),
            net_amount: Some(given.into()),
            refund_time: *refund_time,
            attribution: Some(self.attribution()),
            order_net_amount: Some(sold.into()),
            previously_refunded_amount: Some(before.into()),
        }))
    }
}

fn require_currency(given: Money, expected: &str, whose: &str) -> Result<(), Refusal> {
    let given = given.currency();
    if given.code() == expected {
        return Ok(());
    }
    let description =
        format!("is in {given}, but {whose} is in {expected}; convert it at the rate of the day it is of");
    Err(Refusal::field("net_amount.currency_code", description))
}
