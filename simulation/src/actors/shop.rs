//! A shop that reports orders and refunds, some of them again and again.

use std::time::Duration;

use tandem_campaigns::conversion::Conversion;
use tandem_eventlog::ambient;
use tandem_proto::campaigns::v1 as pb;
use tandem_proto::time::to_proto;

use super::caller::Caller;
use super::requests::usd;

/// Orders by the code of a participation.
pub(super) async fn sell(mut shop: Caller, number: i64) {
    for order in 0..shop.chance.between(1, 6) {
        shop.pause(Duration::from_secs(3600)).await;
        let (order_id, net) = (format!("{number}-{order}"), shop.chance.between(1, 30_000));
        report(&mut shop, &order_id, number, net).await;
        if shop.chance.one_in(4) {
            // As if for the first time.
            report(&mut shop, &order_id, number, net).await;
        }
        let mut left = net;
        while left > 0 && shop.chance.one_in(3) {
            let refund = shop.chance.between(1, left);
            left -= refund;
            let refund_id = format!("{order_id}-{left}");
            for _ in 0..shop.chance.between(1, 2) {
                take_back(&mut shop, &order_id, &refund_id, refund).await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a shop looks at the clock, too")]
fn now() -> Option<prost_types::Timestamp> {
    // Shops report to the second; the same order has the same time whenever it is told.
    let day = ambient::now().as_second() / 86_400 * 86_400;
    jiff::Timestamp::from_second(day).ok().map(to_proto)
}

async fn report(shop: &mut Caller, order_id: &str, number: i64, net: i64) {
    let order = pb::RecordOrderRequest {
        shop: "shop-us".into(),
        order_id: order_id.into(),
        tracking_code: format!("CODE{number}"),
        net_amount: usd(net),
        order_time: now(),
        ..Default::default()
    };
    shop.command::<Conversion, _>("RecordOrder", |client, request_id| {
        let request = pb::RecordOrderRequest { request_id, ..order.clone() };
        async move { client.conversions().record_order(request).await }
    })
    .await;
}

async fn take_back(shop: &mut Caller, order_id: &str, refund_id: &str, net: i64) {
    let refund = pb::RecordRefundRequest {
        shop: "shop-us".into(),
        order_id: order_id.into(),
        refund_id: refund_id.into(),
        net_amount: usd(net),
        refund_time: now(),
        ..Default::default()
    };
    shop.command::<Conversion, _>("RecordRefund", |client, request_id| {
        let request = pb::RecordRefundRequest { request_id, ..refund.clone() };
        async move { client.conversions().record_refund(request).await }
    })
    .await;
}
