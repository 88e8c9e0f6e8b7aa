use tandem_aggregate::testing::{Given, given};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::google::r#type::Money as WireMoney;

use super::*;

fn usd(units: i64) -> Option<WireMoney> {
    Some(WireMoney { currency_code: "USD".into(), units, nanos: 0 })
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn owner() -> TrackingCodeAssigned {
    TrackingCodeAssigned {
        participation: "participations/p1".into(),
        campaign: "campaigns/winter".into(),
        contract: "contracts/c1".into(),
        contract_version: 3,
        brand: "brands/glowco".into(),
        creator: "creators/mira".into(),
        currency_code: "USD".into(),
    }
}

fn order() -> pb::RecordOrderRequest {
    pb::RecordOrderRequest {
        shop: "shop-us".into(),
        order_id: "1001".into(),
        tracking_code: "MIRA15".into(),
        net_amount: usd(100),
        order_time: at(1_767_000_000),
        request_id: "r1".into(),
    }
}

fn refund(refund_id: &str, net_amount: Option<WireMoney>) -> pb::RecordRefundRequest {
    pb::RecordRefundRequest {
        shop: "shop-us".into(),
        order_id: "1001".into(),
        refund_id: refund_id.into(),
        net_amount,
        refund_time: at(1_767_100_000),
        request_id: "r2".into(),
    }
}

fn attributed() -> Event {
    Event::Attributed(pb::OrderAttributed {
        shop: "shop-us".into(),
        order_id: "1001".into(),
        tracking_code: "MIRA15".into(),
        attribution: Some(owner()),
        net_amount: usd(100),
        order_time: at(1_767_000_000),
    })
}

fn refunded(refund_id: &str, net_amount: Option<WireMoney>, before: Option<WireMoney>) -> Event {
    Event::Refunded(pb::OrderRefunded {
        refund_id: refund_id.into(),
        net_amount,
        refund_time: at(1_767_100_000),
        attribution: Some(owner()),
        order_net_amount: usd(100),
        previously_refunded_amount: before,
    })
}

fn record(order: pb::RecordOrderRequest) -> Command {
    Command::RecordOrder(order, owner())
}

fn recorded() -> Given<Conversion> {
    given([attributed()])
}

#[test]
fn an_order_is_attributed_to_whom_its_code_belongs() {
    let after = given::<Conversion>([]).when(record(order())).then([attributed()]).state();
    assert_eq!(after.partnership(&attributed()), "partnerships/glowco~mira");
    assert_eq!(after.0.state(), State::Kept);
    assert_eq!((&after.0.contract[..], after.0.contract_version), ("contracts/c1", 3));
    assert_eq!(after.0.refunded_amount, usd(0));
}

#[test]
fn the_same_order_changes_nothing() {
    recorded().when(record(order())).then([]);
    recorded().and(refunded("r", usd(40), usd(0))).when(record(order())).then([]);
    // By another request, too.
    recorded().when(record(pb::RecordOrderRequest { request_id: "r9".into(), ..order() })).then([]);
}

#[test]
fn an_order_with_other_figures_is_a_conflict() {
    for (other, named) in [
        (pb::RecordOrderRequest { net_amount: usd(90), ..order() }, "net_amount"),
        (pb::RecordOrderRequest { order_time: at(1_767_000_001), ..order() }, "order_time"),
        (pb::RecordOrderRequest { tracking_code: "ZOE10".into(), ..order() }, "tracking_code"),
    ] {
        let refusal = recorded().when(record(other)).then_refused(ErrorReason::OrderConflict);
        assert!(refusal.message.contains(&format!("with another {named}.")), "{}", refusal.message);
    }
}

#[test]
fn an_order_is_in_the_contracts_currency() {
    let euros = Some(WireMoney { currency_code: "EUR".into(), units: 100, nanos: 0 });
    let command = record(pb::RecordOrderRequest { net_amount: euros, ..order() });
    let refusal = given::<Conversion>([]).when(command).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "net_amount.currency_code");
    assert!(refusal.message.contains("is in EUR, but contracts/c1 is in USD"), "{}", refusal.message);
}

#[test]
fn an_order_has_an_amount_and_a_time() {
    let finer = Some(WireMoney { currency_code: "USD".into(), units: 0, nanos: 1 });
    for net_amount in [usd(0), usd(-1), None, finer] {
        let command = record(pb::RecordOrderRequest { net_amount, ..order() });
        let refusal = given::<Conversion>([]).when(command).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "net_amount");
    }
    let command = record(pb::RecordOrderRequest { order_time: at(i64::MAX), ..order() });
    let refusal = given::<Conversion>([]).when(command).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "order_time");
}

#[test]
fn what_has_not_happened_yet_earns_nothing() {
    let (now, five_minutes) = (1_767_225_600, 300);
    let order_at = |seconds| record(pb::RecordOrderRequest { order_time: at(seconds), ..order() });
    given::<Conversion>([]).when(order_at(now + five_minutes)).happens();
    let refusal = given::<Conversion>([]).when(order_at(now + five_minutes + 1));
    assert_eq!(refusal.then_refused(ErrorReason::FieldInvalid).violations[0].field, "order_time");
    let refund = pb::RecordRefundRequest { refund_time: at(now + five_minutes + 1), ..refund("a", usd(1)) };
    let refusal = recorded().when(Command::RecordRefund(refund)).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "refund_time");
}

#[test]
fn a_refund_carries_what_went_before() {
    let after = recorded()
        .when(Command::RecordRefund(refund("a", usd(30))))
        .then([refunded("a", usd(30), usd(0))])
        .when(Command::RecordRefund(refund("b", usd(50))))
        .then([refunded("b", usd(50), usd(30))])
        .state()
        .0;
    assert_eq!(after.state(), State::PartlyRefunded);
    assert_eq!(after.refunded_amount, usd(80));
    assert_eq!(after.refunds.iter().map(|refund| &refund.refund_id[..]).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn an_order_can_be_refunded_whole() {
    let after = recorded().when(Command::RecordRefund(refund("a", usd(100)))).happens().state().0;
    assert_eq!(after.state(), State::Refunded);
    assert_eq!(after.refunded_amount, after.net_amount);
}

#[test]
fn no_more_is_refunded_than_was_sold() {
    let refusal = recorded()
        .and(refunded("a", usd(60), usd(0)))
        .when(Command::RecordRefund(refund("b", usd(41))))
        .then_refused(ErrorReason::RefundExceedsOrder);
    assert!(refusal.message.contains("of which USD 40.00 is not refunded yet"), "{}", refusal.message);
    recorded().when(Command::RecordRefund(refund("a", usd(101)))).then_refused(ErrorReason::RefundExceedsOrder);
}

#[test]
fn the_same_refund_changes_nothing() {
    let whole = recorded().and(refunded("a", usd(100), usd(0)));
    whole.when(Command::RecordRefund(refund("a", usd(100)))).then([]);
}

#[test]
fn a_refund_with_other_figures_is_a_conflict() {
    let known = || recorded().and(refunded("a", usd(30), usd(0)));
    known().when(Command::RecordRefund(refund("a", usd(31)))).then_refused(ErrorReason::OrderConflict);
    let later = pb::RecordRefundRequest { refund_time: at(1), ..refund("a", usd(30)) };
    known().when(Command::RecordRefund(later)).then_refused(ErrorReason::OrderConflict);
}

#[test]
fn a_refund_is_an_amount_in_the_orders_currency() {
    let yen = Some(WireMoney { currency_code: "JPY".into(), units: 1, nanos: 0 });
    for (amount, field) in
        [(usd(0), "net_amount"), (usd(-5), "net_amount"), (None, "net_amount"), (yen, "net_amount.currency_code")]
    {
        let refusal =
            recorded().when(Command::RecordRefund(refund("a", amount))).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, field);
    }
    let timeless = pb::RecordRefundRequest { refund_time: None, ..refund("a", usd(1)) };
    let refusal = recorded().when(Command::RecordRefund(timeless)).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "refund_time");
}

#[test]
fn a_refund_needs_its_order() {
    let command = Command::RecordRefund(refund("a", usd(1)));
    let refusal = given::<Conversion>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    assert_eq!(refusal.message, "Order \"1001\" of shop \"shop-us\" is not recorded. Record it before its refunds.");
}

#[test]
fn an_id_is_an_orders_alone() {
    let id = Conversion::id("shop-us", "1001");
    assert_eq!(id, Conversion::id("shop-us", "1001"));
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
    for (shop, order) in [("shop-us", "1002"), ("shop-eu", "1001"), ("shop-us1", "001"), ("shop-u", "s1001")] {
        assert_ne!(id, Conversion::id(shop, order), "{shop} {order}");
    }
}
