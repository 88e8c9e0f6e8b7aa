//! What facts would pay: the same rules as payouts, nothing kept.

use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::clause::Clause as Kind;
use tandem_client::proto::contracts::v1::compensation_fact::Fact;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::google::r#type::Money;
use tandem_proto::time;

use crate::fixtures::{clause, date, terms, usd};
use crate::world::World;

fn fact(at: &str, fact: Fact) -> pb::CompensationFact {
    pb::CompensationFact { fact_time: Some(time::to_proto(at.parse().unwrap())), fact: Some(fact) }
}

fn order(at: &str, order_id: &str, units: i64) -> pb::CompensationFact {
    let order = pb::OrderFact { order_id: order_id.into(), net_amount: usd(units), order_time: None };
    fact(at, Fact::Order(order))
}

fn refund(at: &str, order_id: &str, net_amount: Option<Money>) -> pb::CompensationFact {
    fact(at, Fact::Refund(pb::RefundFact { order_id: order_id.into(), net_amount }))
}

fn published(at: &str, deliverable_id: &str) -> pb::CompensationFact {
    fact(at, Fact::Published(pb::PublishedFact { deliverable_id: deliverable_id.into(), remaining_count: 0 }))
}

fn quote(facts: impl IntoIterator<Item = pb::CompensationFact>) -> pb::QuoteCompensationRequest {
    pb::QuoteCompensationRequest {
        name: "contracts/summer".into(),
        facts: facts.into_iter().collect(),
        ..Default::default()
    }
}

/// A summer as it might go.
fn summer() -> pb::QuoteCompensationRequest {
    quote([
        fact("2026-06-01T16:00:00Z", Fact::Signed(pb::ContractSignedFact {})),
        published("2026-06-30T16:00:00Z", "reel-1"),
        order("2026-07-01T16:00:00Z", "o1", 100),
        refund("2026-07-02T16:00:00Z", "o1", usd(25)),
    ])
}

#[tokio::test]
async fn facts_pay_by_the_contract_s_terms() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let before = brand.create("summer").await;
    let quoted = world.creator().quote_compensation(summer()).await?;
    let lines: Vec<_> = quoted
        .lines
        .iter()
        .map(|line| (line.fact_index, &line.clause_id[..], &line.rule[..], line.amount.clone(), line.due_date))
        .collect();
    let clawed_back = Some(Money { currency_code: "USD".into(), units: -2, nanos: -500_000_000 });
    assert_eq!(
        lines,
        [
            (0, "fee", "FEE_INSTALMENT", usd(2000), date(2026, 7, 1)),
            (1, "fee", "FEE_INSTALMENT", usd(2000), date(2026, 7, 30)),
            (2, "commission", "COMMISSION", usd(10), date(2026, 7, 31)),
            (3, "commission", "COMMISSION_CLAWBACK", clawed_back, date(2026, 8, 1)),
        ]
    );
    assert!(quoted.lines.iter().all(|line| line.payable && !line.explanation.is_empty()));
    let total = Some(Money { currency_code: "USD".into(), units: 4007, nanos: 500_000_000 });
    assert_eq!(quoted.total_amount, total);
    // Asked again, it is the same, and nothing has changed.
    assert_eq!(brand.quote_compensation(summer()).await?, quoted);
    assert_eq!(brand.get(&before.name).await?, before);
    Ok(())
}

#[tokio::test]
async fn other_terms_can_be_tried() -> Result<(), Error> {
    let world = World::start().await;
    world.brand().create("summer").await;
    let products = pb::ProductValueClause { value: usd(300), description: "two serums".into() };
    let mut other = terms();
    other.clauses.push(clause("products", Kind::ProductValue(products)));
    other
        .clauses
        .push(clause("holdback", Kind::Holdback(pb::HoldbackClause { share_basis_points: 1000, release_days: 60 })));
    let signed = fact("2026-06-01T16:00:00Z", Fact::Signed(pb::ContractSignedFact {}));
    let request = pb::QuoteCompensationRequest { terms: Some(other.clone()), ..quote([signed]) };
    let quoted = world.brand().quote_compensation(request).await?;
    let lines: Vec<_> = quoted
        .lines
        .iter()
        .map(|line| (&line.clause_id[..], line.amount.clone(), line.due_date, line.payable))
        .collect();
    assert_eq!(
        lines,
        [
            ("fee", usd(1800), date(2026, 7, 1), true),
            ("fee", usd(200), date(2026, 8, 30), true),
            ("products", usd(300), date(2026, 7, 1), false),
        ]
    );
    assert_eq!((quoted.total_amount, quoted.version), (usd(2000), 0));

    other.time_zone = "Mars".into();
    let request = pb::QuoteCompensationRequest { terms: Some(other), ..summer() };
    let error = world.brand().quote_compensation(request).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "terms.time_zone", "{error}");
    Ok(())
}

#[tokio::test]
async fn a_fact_that_cannot_be_names_its_index_and_field() {
    let world = World::start().await;
    world.brand().create("summer").await;
    let (now, euro) = ("2026-07-01T16:00:00Z", |units| Some(Money { currency_code: "EUR".into(), units, nanos: 0 }));
    let foreign = pb::OrderFact { order_id: "o2".into(), net_amount: euro(1), order_time: None };
    for (wrong, field, says) in [
        (refund(now, "o2", usd(1)), "facts[1].refund.order_id", "was not sold before"),
        (refund(now, "o1", usd(101)), "facts[1].refund.net_amount", "only USD 100.00"),
        (refund(now, "o1", euro(1)), "facts[1].refund.net_amount", "is in EUR, but the terms are in USD"),
        (fact(now, Fact::Order(foreign)), "facts[1].order.net_amount", "is in EUR"),
        (order(now, "o1", 1), "facts[1].order.order_id", "was sold before"),
        (published(now, "reel-9"), "facts[1].published.deliverable_id", "which the terms don't owe"),
        (pb::CompensationFact { fact_time: None, ..order(now, "o2", 1) }, "facts[1].fact_time", "required"),
        (pb::CompensationFact { fact: None, ..order(now, "o2", 1) }, "facts[1].fact", ""),
    ] {
        let error = world.brand().quote_compensation(quote([order(now, "o1", 100), wrong])).await.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::FieldInvalid), "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_quote_is_for_the_parties() {
    let world = World::start().await;
    world.brand().create("summer").await;
    let error = world.creator_named("creators/adam").quote_compensation(summer()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::NotAParty), "{error}");
    let missing = pb::QuoteCompensationRequest { name: "contracts/winter".into(), ..summer() };
    let error = world.brand().quote_compensation(missing).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
}
