//! Earnings that appear by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_proto::payouts::v1::{self as pb, EarningRule, EarningState, earning_event};
use tandem_proto::{EventSet as _, contracts, time};

use crate::fixtures::{BRAND, CREATOR, contract, date, order, published, refund, signed, usd};
use crate::logs;
use crate::world::{CONTRACT, CONVERSION, PARTICIPATION, World};

/// Ids of the earnings accrued, in the order of the log: each once.
async fn accrued(world: &World, count: usize) -> Vec<String> {
    world.all_handled().await;
    let events = world.earning_events(count).await;
    assert_eq!(events.last().map_or(0, |event| event.position), world.last_earning().await, "there are more");
    let ids: Vec<String> = events.iter().map(|event| event.tokens()[3].to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), count, "{ids:?}");
    ids
}

/// All four kinds of events that earn, and some that do not.
async fn a_summer(world: &World, contract: &str) {
    let id = contract.trim_start_matches("contracts/");
    world.happens("acme", CONTRACT, id, &contracts::v1::SignatureAdded::default()).await;
    world.happens("acme", CONTRACT, id, &signed()).await;
    world.happens("acme", PARTICIPATION, id, &published(contract, 1)).await;
    world.happens("acme", PARTICIPATION, id, &published(contract, 0)).await;
    world.happens("acme", CONVERSION, id, &order(contract, 10_000)).await;
    world.happens("acme", CONVERSION, id, &refund(contract, 10_000, 0, 2_005)).await;
}

#[tokio::test]
async fn what_happens_under_a_contract_earns_by_its_terms() {
    let world = World::start().await;
    // The first of June in New York still.
    let event = world.happens_at("acme", CONTRACT, "c1", &signed(), "2026-06-02T02:00:00Z").await;
    world.happens("acme", PARTICIPATION, "p1", &published("contracts/c1", 1)).await;
    world.happens("acme", PARTICIPATION, "p1", &published("contracts/c1", 0)).await;
    world.happens("acme", CONVERSION, "o1", &order("contracts/c1", 10_000)).await;
    world.happens("acme", CONVERSION, "o1", &refund("contracts/c1", 10_000, 0, 2_005)).await;
    accrued(&world, 4).await;

    let fred = world.fred().seeing(&world).await;
    let mut told = BTreeMap::new();
    for id in fred.earnings("", "").await {
        let earning = fred.get_earning_named(&format!("earnings/{id}")).await;
        assert_eq!((&earning.brand[..], &earning.creator[..], &earning.contract[..]), (BRAND, CREATOR, "contracts/c1"));
        assert_eq!((earning.contract_version, earning.state()), (2, EarningState::Accrued));
        let minor = tandem_money::Money::try_from(earning.amount.as_ref().unwrap()).unwrap().minor();
        told.insert((earning.rule() as i32, minor), earning);
    }
    // The odd cent of the fee goes to the first instalment; 10 % of 79.95 is half a cent less than 8.00.
    let expected = [
        (EarningRule::FeeInstalment as i32, 200_000),
        (EarningRule::FeeInstalment as i32, 200_001),
        (EarningRule::Commission as i32, 1000),
        (EarningRule::CommissionClawback as i32, -200),
    ];
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from(expected));

    let signing = &told[&(EarningRule::FeeInstalment as i32, 200_001)];
    assert_eq!(signing.clause_id, "fee");
    assert_eq!(signing.due_date, Some(date(2026, 7, 1)));
    assert_eq!(signing.earn_time, Some(time::to_proto(event.envelope.time)));
    let calculation = pb::Calculation {
        base_amount: usd(400_001),
        rate_basis_points: 5000,
        explanation: "50 % of the fee of USD 4,000.01 on signing".into(),
    };
    assert_eq!(signing.calculation, Some(calculation));
    let source = pb::SourceEvent {
        event_id: event.envelope.id.clone(),
        r#type: "tandem.contracts.v1.ContractSigned".into(),
        resource: "contracts/c1".into(),
        position: event.position.cast_signed(),
        time: Some(time::to_proto(event.envelope.time)),
    };
    assert_eq!(signing.source_events, [source]);
}

#[tokio::test]
async fn an_earning_says_what_caused_it() {
    let world = World::start().await;
    let cause = world.happens("acme", CONVERSION, "o1", &order("contracts/c1", 10_000)).await;
    let event = world.earning_events(1).await.remove(0);
    let envelope = &event.envelope;
    assert_eq!(envelope.actor, "services/payouts");
    assert_eq!(envelope.causation_id, cause.envelope.id);
    assert_eq!(envelope.correlation_id, cause.envelope.correlation_id);
    assert_eq!(envelope.partnership, "partnerships/glowco~zoe");
    let decoded = earning_event::Event::decode(&envelope.event_type, &event.payload).unwrap().unwrap();
    assert!(
        matches!(decoded, earning_event::Event::Accrued(event) if event.earning.as_ref().unwrap().amount == usd(1000))
    );
}

#[tokio::test]
async fn events_handed_out_again_earn_nothing_more() {
    let mut world = World::start().await;
    a_summer(&world, "contracts/c1").await;
    let before = accrued(&world, 4).await;
    world.stop_service().await;
    world.forget_what_was_handled().await;
    world.start_service().await;
    assert_eq!(accrued(&world, 4).await, before);
}

#[tokio::test]
async fn what_happens_while_the_service_is_down_earns_when_it_is_back() {
    let mut world = World::start().await;
    world.happens("acme", CONTRACT, "c1", &signed()).await;
    accrued(&world, 1).await;
    world.stop_service().await;
    world.happens("acme", PARTICIPATION, "p1", &published("contracts/c1", 0)).await;
    world.happens("acme", CONVERSION, "o1", &order("contracts/c1", 10_000)).await;
    world.start_service().await;
    accrued(&world, 3).await;
}

#[tokio::test]
async fn contracts_may_be_away_for_a_while() {
    let mut world = World::start().await;
    world.contracts_server.goes_away().await;
    a_summer(&world, "contracts/c1").await;
    // Down long enough for a first try to fail: the service is stopped in the middle of it.
    world.stop_service().await;
    assert_eq!(world.last_earning().await, 0);
    world.start_service().await;
    world.contracts_server.comes_back().await;
    accrued(&world, 4).await;
}

#[tokio::test]
async fn a_fee_is_owed_once_however_many_campaigns_end_under_its_contract() {
    let world = World::start().await;
    world.happens("acme", PARTICIPATION, "summer", &published("contracts/c1", 0)).await;
    world.happens("acme", PARTICIPATION, "autumn", &published("contracts/c1", 0)).await;
    world.happens("acme", CONVERSION, "o1", &order("contracts/c1", 10_000)).await;
    world.happens("acme", CONVERSION, "o2", &order("contracts/c1", 10_000)).await;
    accrued(&world, 3).await;
    let fred = world.fred().seeing(&world).await;
    assert_eq!(fred.earnings("rule = FEE_INSTALMENT", "").await.len(), 1);
    assert_eq!(fred.earnings("rule = COMMISSION", "").await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_priced_is_reported_and_keeps_nothing_else_back() {
    let mut errors = logs::errors();
    let world = World::start().await;
    let mut odd = contract("contracts/odd");
    odd.terms.as_mut().unwrap().time_zone = "Mars/Olympus".into();
    world.contracts.set(odd);
    let stuck = world.happens("acme", CONTRACT, "odd", &signed()).await;
    let lost = world.happens("acme", CONVERSION, "lost", &order("contracts/nowhere", 10_000)).await;
    a_summer(&world, "contracts/c1").await;

    for (event, why) in [(&stuck, "Mars/Olympus"), (&lost, "contracts/nowhere does not exist")] {
        let (position, subject) = (format!("position={} ", event.position), format!("subject={} ", event.subject));
        let words = ["an event can't be priced", &position, &subject, why];
        tokio::time::timeout(Duration::from_secs(20), logs::logged(&mut errors, &words)).await.unwrap();
    }
    assert_eq!(world.earning_events(4).await.len(), 4);

    // Nothing is lost: once somebody has seen to it, they earn.
    world.contracts.set(contract("contracts/nowhere"));
    accrued_after_all(&world, 5).await;
}

/// As [`accrued`], while one event still can't be handled.
async fn accrued_after_all(world: &World, count: usize) {
    let events = world.earning_events(count).await;
    assert_eq!(events.last().unwrap().position, world.last_earning().await);
}

#[tokio::test]
async fn tenants_earn_apart() {
    let world = World::start().await;
    world.happens("acme", CONTRACT, "c1", &signed()).await;
    world.happens("globex", CONTRACT, "c1", &signed()).await;
    world.all_handled().await;
    let events = world.earning_events(2).await;
    assert_eq!(events.iter().map(tandem_eventlog::RecordedEvent::tenant).collect::<BTreeSet<_>>().len(), 2);
    for tenant in ["acme", "globex"] {
        let user = world.user("fred", tenant).seeing(&world).await;
        assert_eq!(user.earnings("", "").await.len(), 1);
    }
    assert!(world.user("fred", "initech").seeing(&world).await.earnings("", "").await.is_empty());
}
