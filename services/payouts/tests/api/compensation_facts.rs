//! Expenses and revenue: recorded by the brand, earned by the creator.

use tandem_client::Error;
use tandem_client::proto::payouts::v1::{Earning, EarningRule, RecordExpenseRequest, RecordRevenueRequest};
use tandem_money::Money as Amount;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{self as contracts, TermsVersion};
use tandem_proto::google::r#type::Money;

use crate::fixtures::{CREATOR, clause, contract, date, instant, run, usd};
use crate::world::{Claims, World};

const C1: &str = "contracts/c1";
const NOON: &str = "2026-07-02T12:00:00Z";

fn expenses(cap: i64) -> contracts::Clause {
    clause("expenses", Kind::Expenses(contracts::ExpensesClause { cap: usd(cap) }))
}

fn revenue_share() -> contracts::Clause {
    clause("revenue", Kind::RevenueShare(contracts::RevenueShareClause { share_basis_points: 2000 }))
}

/// `contracts/c1` with USD 100 of expenses and 20 % of revenue besides.
fn refunding(name: &str) -> contracts::Contract {
    let mut contract = contract(name);
    contract.terms.as_mut().unwrap().clauses.extend([expenses(10_000), revenue_share()]);
    contract
}

async fn world() -> World {
    let world = World::start().await;
    world.contracts.set(refunding(C1));
    world
}

fn expense(id: &str, minor: i64) -> RecordExpenseRequest {
    RecordExpenseRequest {
        contract: C1.into(),
        expense_id: id.into(),
        amount: usd(minor),
        expense_time: Some(instant(NOON)),
        description: "train to the shoot".into(),
        request_id: String::new(),
    }
}

fn revenue(id: &str, minor: i64) -> RecordRevenueRequest {
    RecordRevenueRequest {
        contract: C1.into(),
        report_id: id.into(),
        net_amount: usd(minor),
        period_end_time: Some(instant(NOON)),
        request_id: String::new(),
    }
}

fn minor(earnings: &[Earning]) -> Vec<i64> {
    earnings.iter().map(|earning| Amount::try_from(earning.amount.as_ref().unwrap()).unwrap().minor()).collect()
}

/// What is recorded of all that is owed, in cents.
async fn owed(world: &World) -> Vec<i64> {
    world.all_handled().await;
    let fred = world.fred().seeing(world).await;
    let mut all = Vec::new();
    for id in fred.earnings("", "name").await {
        all.push(fred.get_earning_named(&format!("earnings/{id}")).await);
    }
    let mut owed = minor(&all);
    owed.sort_unstable();
    owed
}

#[tokio::test]
async fn expenses_are_refunded_up_to_the_cap_and_each_once() -> Result<(), Error> {
    let world = world().await;
    let fred = world.fred();
    let first = fred.record_expense(expense("e1", 6000)).await?;
    assert_eq!(minor(&first.earnings), [6000]);
    assert_eq!(minor(&fred.record_expense(expense("e2", 6000)).await?.earnings), [4000]);
    assert_eq!(fred.record_expense(expense("e3", 6000)).await?.earnings, []);
    assert_eq!(owed(&world).await, [4000, 6000]);

    // Again, whoever asks, and whatever was recorded since.
    assert_eq!(world.frida().record_expense(expense("e1", 6000)).await?, first);
    let named = RecordExpenseRequest { request_id: "request-1".into(), ..expense("e1", 6000) };
    assert_eq!(fred.record_expense(named.clone()).await?, first);
    assert_eq!(fred.record_expense(named).await?, first);
    assert_eq!(owed(&world).await, [4000, 6000]);

    let error = fred.record_expense(expense("e1", 6001)).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceExists), "{error}");
    let later = RecordExpenseRequest { expense_time: Some(instant("2026-07-03T12:00:00Z")), ..expense("e1", 6000) };
    assert_eq!(fred.record_expense(later).await.unwrap_err().reason(), Some(ErrorReason::ResourceExists));
    Ok(())
}

#[tokio::test]
async fn what_was_recorded_earns_although_the_service_stops() -> Result<(), Error> {
    let mut world = world().await;
    let first = world.fred().record_expense(expense("e1", 6000)).await?;
    world.stop_service().await;
    world.forget_what_was_handled().await;
    world.start_service().await;
    assert_eq!(owed(&world).await, [6000]);
    assert_eq!(world.fred().record_expense(expense("e1", 6000)).await?, first);
    assert_eq!(owed(&world).await, [6000]);
    Ok(())
}

#[tokio::test]
async fn a_share_of_reported_revenue_is_explained_to_its_event() -> Result<(), Error> {
    let world = world().await;
    let fred = world.fred();
    let share = fred.record_revenue(revenue("2026-07", 12_345)).await?.earnings;
    fred.record_expense(expense("2026-07", 500)).await?;
    assert_eq!(minor(&share), [2469]);
    assert_eq!(owed(&world).await, [500, 2469]);
    let other = fred.record_revenue(revenue("2026-07", 12_346)).await.unwrap_err();
    assert_eq!(other.reason(), Some(ErrorReason::ResourceExists));

    let earning = fred.get_earning_named(&share[0].name).await;
    assert_eq!((earning.rule(), earning.contract_version), (EarningRule::RevenueShare, 2));
    assert_eq!((earning.earn_time, earning.due_date), (Some(instant(NOON)), Some(date(2026, 8, 1))));
    let [source] = &earning.source_events[..] else { panic!("{earning:?}") };
    assert_eq!((&source.r#type[..], &source.resource[..]), ("tandem.payouts.v1.FactRecorded", "ledgers/c1"));
    let event = tandem_eventlog::EventLog::get(&*world.log, source.position.cast_unsigned()).await.unwrap().unwrap();
    assert_eq!((&source.event_id, &event.envelope.actor[..]), (&event.envelope.id, "users/fred"));

    fred.clone().seeing(&world).await.create_payout_run(run("r1")).await?;
    let lines = fred.explain("payoutRuns/r1/payouts/zoe").await?.lines;
    assert_eq!(lines.len(), 2);
    for line in lines {
        let (earning, clause) = (line.earning.unwrap(), line.clause.unwrap());
        assert_eq!(earning.clause_id, clause.clause_id);
        let explanation = earning.calculation.unwrap().explanation;
        let expected = match clause.clause.unwrap() {
            Kind::RevenueShare(_) => "20 % of reported revenue of ",
            _ => "expense of ",
        };
        assert!(explanation.starts_with(expected), "{explanation}");
    }
    Ok(())
}

#[tokio::test]
async fn the_terms_of_its_time_price_it_as_they_are_known_now() -> Result<(), Error> {
    let world = World::start().await;
    let mut amended = refunding(C1);
    amended.version = 3;
    amended.versions = vec![
        TermsVersion { version: 2, terms: contract(C1).terms, ..Default::default() },
        TermsVersion {
            version: 3,
            effective_time: Some(instant("2026-07-01T04:00:00Z")),
            // Agreed after the fact's time, and for it.
            agree_time: Some(instant("2026-07-05T12:00:00Z")),
            ..Default::default()
        },
    ];
    world.contracts.set(amended);
    let fred = world.fred();
    let before = RecordExpenseRequest { expense_time: Some(instant("2026-06-30T12:00:00Z")), ..expense("e1", 100) };
    let error = fred.record_expense(before).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::TermsIncomplete), "{error}");
    let known = crate::world::Api(fred.0.at("2026-07-06T12:00:00Z".parse().unwrap()));
    let earnings = known.record_expense(expense("e1", 100)).await?.earnings;
    assert_eq!((minor(&earnings), earnings[0].contract_version), (vec![100], 3));
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_earned_by_is_refused() {
    let world = world().await;
    world.contracts.set(contract("contracts/c2"));
    let fred = world.fred();
    let euros = Money { currency_code: "EUR".into(), units: 10, nanos: 0 };
    let cases = [
        (RecordExpenseRequest { amount: Some(euros.clone()), ..expense("e1", 0) }, ErrorReason::FieldInvalid),
        (expense("e1", -100), ErrorReason::FieldInvalid),
        (RecordExpenseRequest { contract: "contracts/c2".into(), ..expense("e1", 100) }, ErrorReason::TermsIncomplete),
        (RecordExpenseRequest { contract: "contracts/c9".into(), ..expense("e1", 100) }, ErrorReason::ResourceNotFound),
    ];
    for (request, reason) in cases {
        let error = fred.record_expense(request).await.unwrap_err();
        assert_eq!(error.reason(), Some(reason), "{error}");
        if reason == ErrorReason::FieldInvalid {
            assert_eq!(error.violations()[0].field, "amount");
        }
    }
    let cases = [
        (RecordRevenueRequest { net_amount: Some(euros), ..revenue("r1", 0) }, ErrorReason::FieldInvalid),
        (RecordRevenueRequest { contract: "contracts/c2".into(), ..revenue("r1", 100) }, ErrorReason::TermsIncomplete),
    ];
    for (request, reason) in cases {
        assert_eq!(fred.record_revenue(request).await.unwrap_err().reason(), Some(reason));
    }
    assert_eq!(owed(&world).await, Vec::<i64>::new());
}

#[tokio::test]
async fn creators_record_nothing_themselves() {
    let world = world().await;
    let zoe = world.client(Claims::new("users/portal", "acme").with_permissions(["payouts.*"]).with_creator(CREATOR));
    let refused = [
        zoe.record_expense(expense("e1", 100)).await.unwrap_err(),
        zoe.record_revenue(revenue("r1", 100)).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.reason(), Some(ErrorReason::NotAParty));
    }
    let reader = world.client(Claims::new("users/ria", "acme").with_permissions(["payouts.read"]));
    let error = reader.record_expense(expense("e1", 100)).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::PermissionMissing));
}
