//! Facts that can't be true, and terms that can't be computed by.

use tandem_money::MoneyError;
use tandem_proto::contracts::v1 as pb;

use super::*;
use crate::TermsError;

#[test]
fn a_fact_that_cannot_be_true_names_its_field() {
    let mut contract = given([plain(1000)]);
    contract.earns(ordered("o1", 1000, "2026-07-01"));
    contract.earns(refunded("o1", 400));
    let euro = |minor| Money::new(minor, Currency::EUR);
    let time = noon("2026-07-01");
    for (fact, field, says) in [
        (refunded("o2", 1), "refund.order_id", "is \"o2\", which was not sold before"),
        (refunded("o1", 601), "refund.net_amount", "only USD 6.00 of \"o1\" is left"),
        (refunded("o1", -1), "refund.net_amount", "is below zero"),
        (ordered("o1", 1, "2026-07-01"), "order.order_id", "is \"o1\", which was sold before"),
        (ordered("o3", -1, "2026-07-01"), "order.net_amount", "is below zero"),
        (
            Fact::Ordered { order_id: "o3".into(), net: euro(1), time },
            "order.net_amount",
            "is in EUR, but the terms are in USD",
        ),
        (Fact::Refunded { order_id: "o1".into(), net: euro(1) }, "refund.net_amount", "is in EUR"),
        (Fact::RevenueReported { net: euro(1) }, "revenue.net_amount", "is in EUR"),
        (Fact::ExpenseHandedIn { amount: usd(-1) }, "expense.amount", "is below zero"),
    ] {
        let error = contract.refuses(&fact);
        assert_eq!(error.field, field, "{fact:?}");
        assert!(error.description.contains(says), "{error}");
    }
    // Nothing of it was recorded.
    assert_eq!(contract.earns(refunded("o1", 600)), [-60]);
}

#[test]
fn a_fact_comes_back_from_its_message() {
    let time = noon("2026-07-01");
    for fact in [
        Fact::Signed,
        published("reel", true),
        published("reel", false),
        ordered("o1", 100, "2026-06-30"),
        refunded("o1", 100),
        Fact::Measured { metric: pb::Metric::Clicks, value: 3, source: "participations/p1/reel".into() },
        Fact::RevenueReported { net: usd(1) },
        Fact::ExpenseHandedIn { amount: usd(1) },
        Fact::Cancelled { progress: pb::WorkProgress::DraftApproved },
    ] {
        assert_eq!(Fact::from_proto(&fact.to_proto(time)), Ok((fact, time)));
    }
    let order = pb::OrderFact { order_id: "o1".into(), net_amount: Some(usd(1).into()), order_time: None };
    let message = pb::CompensationFact {
        fact_time: Some(tandem_proto::time::to_proto(time)),
        fact: Some(pb::compensation_fact::Fact::Order(order)),
    };
    let (fact, _) = Fact::from_proto(&message).unwrap();
    assert_eq!(fact, Fact::Ordered { order_id: "o1".into(), net: usd(1), time });
    let error = Fact::from_proto(&pb::CompensationFact { fact_time: None, ..message }).unwrap_err();
    assert_eq!(error.to_string(), "fact_time is required");
}

#[test]
fn terms_that_cannot_be_reckoned_with_are_errors() {
    let no_share = Rules::parse(&terms([fee(100, &[(Milestone::Signing, 0)])])).unwrap_err();
    assert_eq!(no_share, TermsError::Amount { clause_id: "fee".into(), error: MoneyError::NoWeight });
    let mut mixed = terms([fee(100, &[(Milestone::Signing, 10_000)])]);
    mixed.currency_code = "EUR".into();
    let error = Rules::parse(&mixed).unwrap_err();
    assert!(matches!(error, TermsError::Amount { error: MoneyError::CurrencyMismatch { .. }, .. }), "{error}");
    let nowhere = pb::Terms { time_zone: "Mars/Olympus".into(), ..terms([]) };
    assert!(Rules::parse(&nowhere).unwrap_err().to_string().contains("Mars/Olympus"));
}

#[test]
fn what_depends_on_others_is_known() {
    let order = ordered("o1", 1, "2026-07-01");
    assert!(!rules([plain(1000)]).depends_on_others(&order));
    assert!(!rules([commission(1000, &[], [Some(1), None, None])]).depends_on_others(&order));
    for clause in [
        commission(1000, &[(1, 1)], [None; 3]),
        commission(1000, &[], [None, Some(1), None]),
        commission(1000, &[], [None, None, Some(1)]),
    ] {
        assert!(rules([clause.clone()]).depends_on_others(&order), "{clause:?}");
        assert!(rules([clause.clone()]).depends_on_others(&refunded("o1", 1)), "{clause:?}");
        assert!(!rules([clause]).depends_on_others(&Fact::Signed));
    }
}
