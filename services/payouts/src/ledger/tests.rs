use proptest::prelude::*;
use tandem_aggregate::testing::given;
use tandem_money::Currency;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause as ClauseKind;
use tandem_proto::contracts::v1::{
    BonusClause, Clause, CommissionClause, CommissionTier, ExpensesClause, HoldbackClause, Metric, PaymentTermsClause,
    RevenueShareClause, Terms,
};
use tandem_proto::payouts::v1::{EarningRule, SourceEvent};

use super::*;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn clause(clause_id: &str, clause: ClauseKind) -> Clause {
    Clause { clause_id: clause_id.into(), clause: Some(clause) }
}

/// 5 %, 10 % from USD 10 on, USD 3 in all; USD 50 for 1000 impressions.
fn agreed(version: i32, held_back: bool) -> Arc<Agreed> {
    let commission = CommissionClause {
        rate_basis_points: 500,
        tiers: vec![CommissionTier { from_amount: Some(usd(1000).into()), rate_basis_points: 1000 }],
        total_cap: Some(usd(300).into()),
        ..CommissionClause::default()
    };
    let bonus = BonusClause { metric: Metric::Impressions.into(), threshold: 1000, amount: Some(usd(5000).into()) };
    let mut clauses = vec![
        clause("commission", ClauseKind::Commission(commission)),
        clause("bonus", ClauseKind::Bonus(bonus)),
        clause("payment", ClauseKind::PaymentTerms(PaymentTermsClause { net_days: 30, ..Default::default() })),
    ];
    if held_back {
        let holdback = HoldbackClause { share_basis_points: 2000, release_days: 60 };
        clauses.push(clause("holdback", ClauseKind::Holdback(holdback)));
    }
    let terms =
        Terms { currency_code: "USD".into(), time_zone: "America/New_York".into(), clauses, ..Terms::default() };
    Arc::new(Agreed {
        contract: "contracts/c1".into(),
        brand: "brands/glowco".into(),
        creator: "creators/zoe".into(),
        version,
        rules: Rules::parse(&terms).unwrap(),
        terms,
    })
}

fn noon() -> Timestamp {
    "2026-07-01T16:00:00Z".parse().unwrap()
}

fn record_by(agreed: &Arc<Agreed>, fact_id: &str, fact: Fact) -> Record {
    let event = SourceEvent { event_id: fact_id.into(), ..SourceEvent::default() };
    let source = Source { id: fact_id.into(), event: Some(event), at: noon() };
    Record { fact_id: fact_id.into(), fact, source, agreed: Arc::clone(agreed), description: String::new() }
}

fn record(fact_id: &str, fact: Fact) -> Record {
    record_by(&agreed(1, false), fact_id, fact)
}

fn ordered(order_id: &str, minor: i64) -> Fact {
    Fact::Ordered { order_id: order_id.into(), net: usd(minor), time: noon() }
}

fn refunded(order_id: &str, minor: i64) -> Fact {
    Fact::Refunded { order_id: order_id.into(), net: usd(minor) }
}

fn measured(value: i64, source: &str) -> Fact {
    Fact::Measured { metric: Metric::Impressions, value, source: source.into() }
}

/// What a command earns: rule and minor units; and goes on from there.
fn earns(ledger: &mut Ledger, command: &Record) -> Vec<(EarningRule, i64)> {
    let context = Context { time: noon(), actor: "services/payouts", resource: "ledgers/c1" };
    let mut earned = Vec::new();
    for event in ledger.decide(command, &context).unwrap() {
        ledger.evolve(&event, &tandem_aggregate::testing::envelope("FactRecorded", noon(), "services/payouts"));
        let Event::FactRecorded(recorded) = event;
        let amount = |earning: &Earning| Money::try_from(earning.amount.as_ref().unwrap()).unwrap().minor();
        earned.extend(recorded.earnings.iter().map(|earning| (earning.rule(), amount(earning))));
    }
    earned
}

#[test]
fn a_fact_is_recorded_with_what_it_earns() {
    let order = ordered("conversions/o1", 2000);
    let given = given::<Ledger>([]).when(record("e1", order.clone())).happens();
    let ledger = given.state();
    assert_eq!(ledger.partnership(&Event::FactRecorded(FactRecorded::default())), "partnerships/glowco~zoe");

    let context = Context { time: noon(), actor: "services/payouts", resource: "ledgers/c1" };
    let events = Ledger::default().decide(&record("e1", order.clone()), &context).unwrap();
    let [Event::FactRecorded(recorded)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&recorded.fact_id[..], recorded.contract_version), ("e1", 1));
    assert_eq!(recorded.fact, Some(order.to_proto(noon())));
    assert_eq!(recorded.terms, Some(agreed(1, false).terms.clone()));
    let [earning] = &recorded.earnings[..] else { panic!("{recorded:?}") };
    assert_eq!(
        (&earning.contract[..], earning.contract_version, &earning.clause_id[..]),
        ("contracts/c1", 1, "commission")
    );
    assert_eq!((earning.rule(), earning.amount.clone()), (EarningRule::Commission, Some(usd(150).into())));
    assert_eq!(earning.source_events[0].event_id, "e1");
    // As by the scheme for what earns by itself.
    assert_eq!(earning.name, format!("earnings/{}", crate::accrued::hash(["e1", "commission", "0"])));
}

#[test]
fn a_fact_that_comes_again_changes_nothing() {
    let order = record("e1", ordered("conversions/o1", 2000));
    given::<Ledger>([]).when(order.clone()).happens().when(order).then([]);
}

#[test]
fn terms_are_told_once_a_version() {
    let mut ledger = Ledger::default();
    let mut told = Vec::new();
    for (fact_id, version) in [("e1", 1), ("e2", 1), ("e3", 2), ("e4", 1)] {
        let context = Context { time: noon(), actor: "services/payouts", resource: "ledgers/c1" };
        let command = record_by(&agreed(version, false), fact_id, ordered(fact_id, 1));
        for event in ledger.decide(&command, &context).unwrap() {
            let Event::FactRecorded(recorded) = &event;
            told.push(recorded.terms.is_some());
            ledger.evolve(&event, &tandem_aggregate::testing::envelope("FactRecorded", noon(), "services/payouts"));
        }
    }
    assert_eq!(told, [true, false, true, false]);
}

#[test]
fn a_refund_takes_back_what_tiers_and_caps_gave() {
    use EarningRule::{Commission, CommissionClawback};
    let mut ledger = Ledger::default();
    assert_eq!(earns(&mut ledger, &record("e1", ordered("o1", 1000))), [(Commission, 50)]);
    assert_eq!(earns(&mut ledger, &record("e2", ordered("o2", 5000))), [(Commission, 250)]);
    // The cap holds 500 of the second back: 2.50 of its 5.00.
    assert_eq!(earns(&mut ledger, &record("e3", refunded("o2", 2000))), []);
    assert_eq!(earns(&mut ledger, &record("e4", refunded("o2", 3000))), [(CommissionClawback, -250)]);
    assert_eq!(earns(&mut ledger, &record("e5", refunded("o1", 1000))), [(CommissionClawback, -50)]);
}

#[test]
fn what_is_held_back_is_an_earning_of_its_own() {
    use EarningRule::{Commission, CommissionClawback};
    let mut ledger = Ledger::default();
    let by = agreed(1, true);
    let order = record_by(&by, "e1", ordered("o1", 1000));
    assert_eq!(earns(&mut ledger, &order), [(Commission, 40), (Commission, 10)]);
    let refund = record_by(&by, "e2", refunded("o1", 1000));
    assert_eq!(earns(&mut ledger, &refund), [(CommissionClawback, -40), (CommissionClawback, -10)]);
    let context = Context { time: noon(), actor: "services/payouts", resource: "ledgers/c1" };
    let events = Ledger::default().decide(&order, &context).unwrap();
    let [Event::FactRecorded(recorded)] = &events[..] else { panic!("{events:?}") };
    let days: Vec<_> = recorded.earnings.iter().map(|earning| earning.due_date.unwrap().month).collect();
    assert_eq!(days, [7, 9]);
    assert_ne!(recorded.earnings[0].name, recorded.earnings[1].name);
}

#[test]
fn figures_add_up_to_a_bonus_that_is_earned_once() {
    let mut ledger = Ledger::default();
    assert_eq!(earns(&mut ledger, &record("e1", measured(600, "p1/reel-1"))), []);
    assert_eq!(earns(&mut ledger, &record("e2", measured(400, "p1/reel-2"))), [(EarningRule::Bonus, 5000)]);
    assert_eq!(earns(&mut ledger, &record("e3", measured(900, "p1/reel-2"))), []);
}

#[test]
fn figures_no_higher_than_before_are_not_recorded() {
    given::<Ledger>([])
        .when(record("e1", measured(600, "p1/reel-1")))
        .happens()
        .when(record("e2", measured(600, "p1/reel-1")))
        .then([])
        .when(record("e3", measured(10, "p1/reel-1")))
        .then([]);
}

#[test]
fn what_cannot_be_true_is_refused() {
    for (fact, field) in [
        (refunded("o1", 1), "refund.order_id"),
        (Fact::Ordered { order_id: "o1".into(), net: Money::new(1, Currency::EUR), time: noon() }, "order.net_amount"),
    ] {
        let refusal = given::<Ledger>([]).when(record("e1", fact)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, field);
    }
}

proptest! {
    #[test]
    fn the_sum_is_the_same_in_whatever_order_and_however_often_facts_come(
        nets in prop::collection::vec(1_i64..1500, 1..8),
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let total = |indices: &mut dyn Iterator<Item = usize>| {
            let mut ledger = Ledger::default();
            let mut sum = 0;
            for index in indices.filter(|index| *index < nets.len()) {
                let id = format!("o{index}");
                for _ in 0..2 {
                    for (fact_id, fact) in [(id.clone(), ordered(&id, nets[index])), (format!("{id}/r"), refunded(&id, nets[index] / 3))] {
                        sum += earns(&mut ledger, &record(&fact_id, fact)).iter().map(|(_, minor)| minor).sum::<i64>();
                    }
                }
            }
            sum
        };
        let sorted = total(&mut (0..8));
        prop_assert_eq!(total(&mut order.into_iter()), sorted);
        prop_assert!(sorted <= 300);
    }
}

/// USD 100 of expenses, and 20 % of revenue.
fn refunding() -> Arc<Agreed> {
    let mut agreed = (*agreed(1, false)).clone();
    let cap = Some(usd(10_000).into());
    agreed.terms.clauses.push(clause("expenses", ClauseKind::Expenses(ExpensesClause { cap })));
    let share = RevenueShareClause { share_basis_points: 2000 };
    agreed.terms.clauses.push(clause("revenue", ClauseKind::RevenueShare(share)));
    agreed.rules = Rules::parse(&agreed.terms).unwrap();
    Arc::new(agreed)
}

fn reports(agreed: &Arc<Agreed>, fact_id: &str, fact: Fact) -> Record {
    let source = Source::reported(&agreed.contract, fact_id, noon());
    let description = "train to the shoot".into();
    Record { fact_id: fact_id.into(), fact, source, agreed: Arc::clone(agreed), description }
}

fn expense(amount: Money) -> Record {
    reports(&refunding(), "expenses/e1", Fact::ExpenseHandedIn { amount })
}

#[test]
fn what_is_reported_is_told_by_the_ledger_alone() {
    let context = Context { time: noon(), actor: "users/fred", resource: "ledgers/c1" };
    let events = Ledger::default().decide(&expense(usd(4000)), &context).unwrap();
    let [Event::FactRecorded(recorded)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(recorded.description, "train to the shoot");
    let [earning] = &recorded.earnings[..] else { panic!("{recorded:?}") };
    assert_eq!(earning.source_events, []);
    // The same id under another contract earns there too.
    let id = crate::accrued::hash(["contracts/c1/expenses/e1", "expenses", "0"]);
    assert_eq!(earning.name, format!("earnings/{id}"));
}

#[test]
fn expenses_are_refunded_up_to_the_cap() {
    let (mut ledger, agreed) = (Ledger::default(), refunding());
    let handed_in =
        |id: &str, minor| reports(&agreed, &format!("expenses/{id}"), Fact::ExpenseHandedIn { amount: usd(minor) });
    assert_eq!(earns(&mut ledger, &handed_in("e1", 6000)), [(EarningRule::Expenses, 6000)]);
    assert_eq!(earns(&mut ledger, &handed_in("e2", 6000)), [(EarningRule::Expenses, 4000)]);
    assert_eq!(earns(&mut ledger, &handed_in("e3", 6000)), []);
    assert_eq!(earns(&mut ledger, &handed_in("e1", 6000)), []);
}

#[test]
fn what_is_reported_with_other_figures_is_refused() {
    let mut later = expense(usd(4000));
    later.source.at = "2026-07-02T16:00:00Z".parse().unwrap();
    for other in [expense(usd(4001)), later] {
        let given = given::<Ledger>([]).when(expense(usd(4000))).happens();
        let refusal = given.when(other).then_refused(ErrorReason::ResourceExists);
        assert!(refusal.message.starts_with("expenses/e1 of contracts/c1 is recorded with "), "{refusal}");
    }
    given::<Ledger>([]).when(expense(usd(4000))).happens().when(expense(usd(4000))).then([]);
}

#[test]
fn what_no_clause_provides_for_is_refused() {
    let facts = [Fact::ExpenseHandedIn { amount: usd(4000) }, Fact::RevenueReported { net: usd(4000) }];
    for fact in facts {
        let report = reports(&agreed(1, false), "id", fact);
        let refusal = given::<Ledger>([]).when(report).then_refused(ErrorReason::TermsIncomplete);
        assert!(refusal.message.contains("by an amendment"), "{refusal}");
    }
}

#[test]
fn what_is_reported_in_another_currency_is_refused_by_its_field() {
    let amount = Money::new(4000, Currency::EUR);
    let refusal = given::<Ledger>([]).when(expense(amount)).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "amount");
    let revenue = reports(&refunding(), "revenueReports/r1", Fact::RevenueReported { net: amount });
    let refusal = given::<Ledger>([]).when(revenue).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "net_amount");
}
