//! Orders and refunds, as shops report them: again, at once, wrong.

use futures::future::join_all;
use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::google::r#type::Money;
use tonic::Code;

use crate::world::{World, order, refund, refused, usd};

fn id(conversion: &pb::Conversion) -> &str {
    conversion.name.strip_prefix("conversions/").unwrap()
}

#[tokio::test]
async fn an_order_reported_twenty_times_at_once_is_one_event() {
    let world = World::start().await;
    world.brand().joined().await;
    let reports = (0..20).map(|_| {
        let api = world.brand();
        async move { api.record_order(order("1001", "MIRA15")).await.unwrap() }
    });
    let conversions = join_all(reports).await;
    assert!(conversions.iter().all(|conversion| *conversion == conversions[0]));
    assert_eq!(world.events("acme", "conversion", id(&conversions[0])).await.len(), 1);
}

#[tokio::test]
async fn refunds_at_once_never_exceed_the_order() {
    let world = World::start().await;
    world.brand().joined().await;
    let sold = world.brand().record_order(order("1001", "MIRA15")).await.unwrap();
    // Of eight refunds of 30, three fit into 100. Each is reported twice.
    let reports = (0..16).map(|number| {
        let api = world.brand();
        async move { api.record_refund(refund("1001", &format!("r{}", number / 2), 30)).await }
    });
    for outcome in join_all(reports).await {
        if outcome.is_err() {
            refused(outcome, Code::FailedPrecondition, ErrorReason::RefundExceedsOrder);
        }
    }
    let after = world.brand().get_conversion(pb::GetConversionRequest { name: sold.name }).await.unwrap();
    assert_eq!((after.refunded_amount.clone(), after.refunds.len()), (usd(90), 3));
    assert_eq!(world.events("acme", "conversion", id(&after)).await.len(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_told() {
    let world = World::start().await;
    let brand = world.brand();
    brand.joined().await;

    let unknown = brand.record_order(order("1001", "NOBODY")).await;
    let message = refused(unknown, Code::NotFound, ErrorReason::TrackingCodeUnknown);
    assert!(message.contains("NOBODY"), "{message}");

    let euros = Some(Money { currency_code: "EUR".into(), units: 1, nanos: 0 });
    let foreign = brand.record_order(pb::RecordOrderRequest { net_amount: euros, ..order("1001", "MIRA15") }).await;
    let error = foreign.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::FieldInvalid)));
    assert_eq!(error.violations()[0].field, "net_amount.currency_code");

    brand.record_order(order("1001", "MIRA15")).await.unwrap();
    let other = brand.record_order(pb::RecordOrderRequest { net_amount: usd(99), ..order("1001", "MIRA15") }).await;
    refused(other, Code::AlreadyExists, ErrorReason::OrderConflict);
}

#[tokio::test]
async fn what_is_wrong_with_a_refund_is_told() {
    let world = World::start().await;
    let brand = world.brand();
    brand.joined().await;
    let early = brand.record_refund(refund("1001", "a", 1)).await;
    let message = refused(early, Code::NotFound, ErrorReason::ResourceNotFound);
    assert!(message.contains("\"1001\""), "{message}");

    brand.record_order(order("1001", "MIRA15")).await.unwrap();
    let once = brand.record_refund(refund("1001", "a", 40)).await.unwrap();
    assert_eq!(brand.record_refund(refund("1001", "a", 40)).await.unwrap(), once);
    let other = brand.record_refund(refund("1001", "a", 41)).await;
    refused(other, Code::AlreadyExists, ErrorReason::OrderConflict);
    let more = brand.record_refund(refund("1001", "b", 61)).await;
    refused(more, Code::FailedPrecondition, ErrorReason::RefundExceedsOrder);
    let rest = brand.record_refund(refund("1001", "b", 60)).await.unwrap();
    assert_eq!(rest.state(), pb::ConversionState::Refunded);
}
