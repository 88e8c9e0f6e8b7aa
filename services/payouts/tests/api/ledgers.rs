//! What is earned by what else happened under the contract.

use std::collections::BTreeMap;

use tandem_client::Error;
use tandem_money::Money as Amount;
use tandem_proto::campaigns::v1::{self as campaigns, Performance};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{self as contracts, ClauseEffect, Effect, Metric, TermsVersion, WorkProgress};
use tandem_proto::payouts::v1::{Earning, EarningRule};

use crate::fixtures::{clause, contract, instant, order, published, refund, run, signed, usd};
use crate::world::{CONTRACT, CONVERSION, PARTICIPATION, World};

const C1: &str = "contracts/c1";

/// `contracts/c1` with other clauses.
fn of(clauses: impl IntoIterator<Item = contracts::Clause>) -> contracts::Contract {
    let mut contract = contract(C1);
    contract.terms.as_mut().unwrap().clauses = clauses.into_iter().collect();
    contract
}

/// 5 %, and 10 % from USD 100 on; at most USD 40 in all.
fn tiered() -> contracts::Clause {
    let tier = contracts::CommissionTier { from_amount: usd(10_000), rate_basis_points: 1000 };
    let commission = contracts::CommissionClause {
        rate_basis_points: 500,
        tiers: vec![tier],
        total_cap: usd(4000),
        ..Default::default()
    };
    clause("commission", Kind::Commission(commission))
}

/// All earnings, once all is handled.
async fn earned(world: &World) -> Vec<Earning> {
    world.all_handled().await;
    let fred = world.fred().seeing(world).await;
    let mut all = Vec::new();
    for id in fred.earnings("", "earn_time, name").await {
        all.push(fred.get_earning_named(&format!("earnings/{id}")).await);
    }
    all
}

fn minor(earning: &Earning) -> i64 {
    Amount::try_from(earning.amount.as_ref().unwrap()).unwrap().minor()
}

/// What is earned, by rule.
fn by_rule(earnings: &[Earning]) -> BTreeMap<&'static str, i64> {
    let mut sums = BTreeMap::new();
    for earning in earnings {
        *sums.entry(earning.rule().as_str_name().trim_start_matches("EARNING_RULE_")).or_default() += minor(earning);
    }
    sums
}

#[tokio::test]
async fn tiers_and_caps_hold_over_all_orders_however_they_come() {
    let mut world = World::start().await;
    world.contracts.set(of([tiered()]));
    // All at once: they are handled side by side.
    for index in 0..12 {
        let id = format!("o{index}");
        world.happens("acme", CONVERSION, &id, &order(C1, 5000)).await;
        if index % 3 == 0 {
            world.happens("acme", CONVERSION, &id, &refund(C1, 5000, 0, 4000)).await;
            world.happens("acme", CONVERSION, &id, &refund(C1, 5000, 4000, 1000)).await;
        }
    }
    // Eight of USD 50 are kept: 100 at 5 %, 300 at 10 %.
    let all = earned(&world).await;
    assert_eq!(all.iter().map(minor).sum::<i64>(), 3500);
    for earning in &all {
        assert_eq!((earning.contract_version, &earning.clause_id[..]), (2, "commission"));
        assert_eq!(earning.rule() == EarningRule::CommissionClawback, minor(earning) < 0);
    }

    world.stop_service().await;
    world.forget_what_was_handled().await;
    world.start_service().await;
    assert_eq!(earned(&world).await, all);

    // Beyond the cap nothing is earned, and a refund of it takes nothing back.
    for index in 12..15 {
        world.happens("acme", CONVERSION, &format!("o{index}"), &order(C1, 5000)).await;
    }
    assert_eq!(earned(&world).await.iter().map(minor).sum::<i64>(), 4000);
    world.happens("acme", CONVERSION, "o14", &refund(C1, 5000, 0, 5000)).await;
    assert_eq!(earned(&world).await.iter().map(minor).sum::<i64>(), 4000);
}

#[tokio::test]
async fn a_bonus_is_earned_once_when_all_content_reaches_its_figure() {
    let world = World::start().await;
    let bonus = contracts::BonusClause { metric: Metric::Impressions.into(), threshold: 1000, amount: usd(50_000) };
    world.contracts.set(of([clause("reach", Kind::Bonus(bonus))]));
    let participation = campaigns::Participation { contract: C1.into(), ..Default::default() };
    let joined = campaigns::CampaignJoined { participation: Some(participation) };
    world.happens("acme", PARTICIPATION, "p1", &joined).await;
    let measured = |deliverable: &str, impressions| campaigns::PerformanceRecorded {
        deliverable_id: deliverable.into(),
        performance: Some(Performance { impressions, clicks: 5000, ..Default::default() }),
    };
    world.happens("acme", PARTICIPATION, "p1", &measured("reel-1", 600)).await;
    world.happens("acme", PARTICIPATION, "p1", &measured("reel-1", 900)).await;
    assert_eq!(earned(&world).await, []);
    world.happens("acme", PARTICIPATION, "p1", &measured("reel-2", 100)).await;
    world.happens("acme", PARTICIPATION, "p1", &measured("reel-2", 5000)).await;
    let all = earned(&world).await;
    assert_eq!(by_rule(&all), BTreeMap::from([("BONUS", 50_000)]));
    assert_eq!(all.len(), 1);
    assert!(all[0].calculation.as_ref().unwrap().explanation.starts_with("bonus for 1000 impressions: "));
}

#[tokio::test]
async fn each_deliverable_earns_its_fee_once() {
    let world = World::start().await;
    let fee = contracts::PerDeliverableFeeClause { amount: usd(25_000), content_type: 0 };
    let products = contracts::ProductValueClause { value: usd(30_000), description: "two serums".into() };
    world
        .contracts
        .set(of([clause("per-piece", Kind::PerDeliverableFee(fee)), clause("products", Kind::ProductValue(products))]));
    world.happens("acme", CONTRACT, "c1", &signed()).await;
    world.happens("acme", PARTICIPATION, "p1", &published(C1, 1)).await;
    world.happens("acme", PARTICIPATION, "p2", &published(C1, 1)).await;
    let other = campaigns::DeliverablePublished { deliverable_id: "story-1".into(), ..published(C1, 0) };
    world.happens("acme", PARTICIPATION, "p1", &other).await;
    // What is given in kind is not paid out.
    assert_eq!(by_rule(&earned(&world).await), BTreeMap::from([("PER_DELIVERABLE_FEE", 50_000)]));
}

#[tokio::test]
async fn a_termination_owes_its_kill_fee_and_takes_back_what_it_says() {
    let world = World::start().await;
    let step = contracts::KillFeeStep { progress: WorkProgress::Signed.into(), share_basis_points: 2500 };
    let mut ended = contract(C1);
    let terms = ended.terms.as_mut().unwrap();
    terms.clauses.push(clause("kill-fee", Kind::KillFee(contracts::KillFeeClause { steps: vec![step] })));
    world.contracts.set(ended);
    let effect = |clause_id: &str, effect: Effect, amount| ClauseEffect {
        clause_id: clause_id.into(),
        effect: effect.into(),
        amount,
        explanation: "as agreed".into(),
    };
    let termination = contracts::Termination {
        effects: vec![
            effect("fee", Effect::Owed, usd(200_001)),
            effect("kill-fee", Effect::Owed, usd(100_000)),
            effect("commission", Effect::Ends, None),
            effect("termination", Effect::ClawedBack, usd(40_000)),
        ],
        ..Default::default()
    };
    world.happens("acme", CONTRACT, "c1", &signed()).await;
    let terminated = contracts::ContractTerminated { termination: Some(termination) };
    world.happens("acme", CONTRACT, "c1", &terminated).await;
    let expected =
        BTreeMap::from([("FEE_INSTALMENT", 200_001), ("KILL_FEE", 100_000), ("TERMINATION_CLAWBACK", -40_000)]);
    assert_eq!(by_rule(&earned(&world).await), expected);
}

#[tokio::test]
async fn an_amendment_changes_what_is_earned_from_its_day_on() -> Result<(), Error> {
    let world = World::start().await;
    let commission = |rate_basis_points| {
        let commission = contracts::CommissionClause { rate_basis_points, ..Default::default() };
        clause("commission", Kind::Commission(commission))
    };
    let mut amended = of([commission(2000)]);
    let before = of([commission(1000)]).terms;
    amended.version = 3;
    amended.versions = vec![
        TermsVersion { version: 2, terms: before, ..Default::default() },
        TermsVersion {
            version: 3,
            effective_time: Some(instant("2026-07-01T04:00:00Z")),
            // Back-dated: it was agreed later than it takes effect.
            agree_time: Some(instant("2026-07-05T12:00:00Z")),
            ..Default::default()
        },
    ];
    world.contracts.set(amended);
    for (id, time) in [("early", "2026-07-02T12:00:00Z"), ("late", "2026-07-06T12:00:00Z")] {
        world.happens_at("acme", CONVERSION, id, &order(C1, 10_000), time).await;
    }
    world.happens_at("acme", CONVERSION, "early", &refund(C1, 10_000, 0, 5000), "2026-07-07T12:00:00Z").await;
    // What was not known when it was earned changes nothing, and a refund takes back what its order earned.
    let told: Vec<_> = earned(&world).await.iter().map(|earning| (earning.contract_version, minor(earning))).collect();
    assert_eq!(told, [(2, 1000), (3, 2000), (2, -500)]);

    let fred = world.fred();
    let mut request = run("r1");
    request.payout_run.as_mut().unwrap().due_date = Some(crate::fixtures::date(2026, 8, 31));
    fred.create_payout_run(request).await?;
    for line in fred.explain("payoutRuns/r1/payouts/zoe").await?.lines {
        let Some(Kind::Commission(clause)) = line.clause.unwrap().clause else { panic!() };
        let earning = line.earning.unwrap();
        assert_eq!(clause.rate_basis_points, if earning.contract_version == 2 { 1000 } else { 2000 });
        assert_eq!(earning.calculation.unwrap().rate_basis_points, clause.rate_basis_points);
        assert_eq!(earning.source_events.len(), 1);
    }
    Ok(())
}
