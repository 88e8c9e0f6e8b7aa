//! Bonuses, revenue, products, expenses, kill fees, holdbacks.

use tandem_proto::contracts::v1::{
    BonusClause, ExpensesClause, KillFeeClause, KillFeeStep, Metric, ProductValueClause, RevenueShareClause,
    WorkProgress,
};
use tandem_proto::payouts::v1::EarningRule;

use super::*;

fn bonus(clause_id: &str, metric: Metric, threshold: i64, minor: i64) -> Clause {
    let amount = Some(usd(minor).into());
    clause(clause_id, Kind::Bonus(BonusClause { metric: metric.into(), threshold, amount }))
}

fn measured(metric: Metric, value: i64, source: &str) -> Fact {
    Fact::Measured { metric, value, source: source.into() }
}

fn kill_fee(steps: &[(WorkProgress, i32)]) -> Clause {
    let step = |&(progress, share_basis_points): &(WorkProgress, i32)| KillFeeStep {
        progress: progress.into(),
        share_basis_points,
    };
    clause("kill-fee", Kind::KillFee(KillFeeClause { steps: steps.iter().map(step).collect() }))
}

#[test]
fn a_bonus_is_earned_once_when_its_figure_is_reached() {
    let mut contract =
        given([bonus("views", Metric::Impressions, 1000, 5000), bonus("more", Metric::Impressions, 2000, 7000)]);
    assert_eq!(contract.earns(measured(Metric::Impressions, 999, "")), [0_i64; 0]);
    assert_eq!(contract.earns(measured(Metric::Clicks, 5000, "")), [0_i64; 0]);
    let lines = contract.lines(measured(Metric::Impressions, 1000, ""));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line.clause_id[..], line.rule, line.amount), ("views", EarningRule::Bonus, usd(5000)));
    assert_eq!(line.explanation, "bonus for 1000 impressions: 1000 reached");
    assert_eq!(contract.earns(measured(Metric::Impressions, 1500, "")), [0_i64; 0]);
    assert_eq!(contract.earns(measured(Metric::Impressions, 2500, "")), [7000]);
}

#[test]
fn figures_of_different_content_add_up_and_those_of_the_same_do_not() {
    let mut contract = given([bonus("views", Metric::Impressions, 1000, 5000)]);
    assert_eq!(contract.earns(measured(Metric::Impressions, 600, "reel-1")), [0_i64; 0]);
    assert_eq!(contract.earns(measured(Metric::Impressions, 700, "reel-1")), [0_i64; 0]);
    // Late, and lower than what is known.
    assert_eq!(contract.earns(measured(Metric::Impressions, 500, "reel-1")), [0_i64; 0]);
    assert_eq!(contract.earns(measured(Metric::Impressions, 300, "reel-2")), [5000]);
}

#[test]
fn attributed_orders_are_counted_for_a_bonus() {
    let mut contract = given([bonus("orders", Metric::Orders, 3, 5000)]);
    assert_eq!(contract.earns(ordered("a", 1, "2026-07-01")), [0_i64; 0]);
    assert_eq!(contract.earns(ordered("b", 1, "2026-07-01")), [0_i64; 0]);
    assert_eq!(contract.earns(ordered("c", 1, "2026-07-01")), [5000]);
    assert_eq!(contract.earns(refunded("c", 1)), [0_i64; 0]);
    assert_eq!(contract.earns(ordered("d", 1, "2026-07-01")), [0_i64; 0]);
    // Or reported in sum, as a quote may.
    assert_eq!(given([bonus("orders", Metric::Orders, 3, 5000)]).earns(measured(Metric::Orders, 3, "")), [5000]);
}

#[test]
fn reported_revenue_is_shared_report_by_report() {
    let share = RevenueShareClause { share_basis_points: 250 };
    let mut contract = given([clause("share", Kind::RevenueShare(share))]);
    for _ in 0..2 {
        let lines = contract.lines(Fact::RevenueReported { net: usd(100_000) });
        assert_eq!((lines[0].rule, lines[0].amount), (EarningRule::RevenueShare, usd(2500)));
        assert_eq!(lines[0].explanation, "2.5 % of reported revenue of USD 1,000.00");
    }
}

#[test]
fn products_are_accounted_for_and_not_paid_out() {
    let products = ProductValueClause { value: Some(usd(30_000).into()), description: "two serums".into() };
    let mut contract = given([clause("products", Kind::ProductValue(products)), holdback(5000, 10)]);
    let lines = contract.lines(Fact::Signed);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.rule, line.amount, line.payable), (EarningRule::ProductValue, usd(30_000), false));
    assert_eq!(line.explanation, "in kind, not paid out: two serums");
    assert_eq!(contract.lines(Fact::Signed), []);
}

#[test]
fn expenses_are_refunded_up_to_their_cap() {
    let expenses = ExpensesClause { cap: Some(usd(10_000).into()) };
    let mut contract = given([clause("expenses", Kind::Expenses(expenses))]);
    assert_eq!(contract.earns(Fact::ExpenseHandedIn { amount: usd(8000) }), [8000]);
    let lines = contract.lines(Fact::ExpenseHandedIn { amount: usd(3000) });
    assert_eq!((lines[0].rule, lines[0].amount), (EarningRule::Expenses, usd(2000)));
    assert_eq!(lines[0].explanation, "expense of USD 30.00, limited by the cap of USD 100.00");
    assert_eq!(contract.earns(Fact::ExpenseHandedIn { amount: usd(1) }), [0_i64; 0]);
    assert_eq!(given([]).earns(Fact::ExpenseHandedIn { amount: usd(1) }), [0_i64; 0]);
}

#[test]
fn a_kill_fee_goes_by_how_far_the_work_had_come() {
    let scale = [(WorkProgress::Signed, 2500), (WorkProgress::DraftApproved, 7500)];
    for (progress, owed) in [
        (WorkProgress::Signed, 100_000),
        (WorkProgress::DraftSubmitted, 100_000),
        (WorkProgress::DraftApproved, 300_000),
    ] {
        let mut contract = given([kill_fee(&scale), fee(400_000, &[(Milestone::Publication, 10_000)])]);
        assert_eq!(contract.earns(Fact::Cancelled { progress }), [owed], "{progress:?}");
        assert_eq!(contract.earns(Fact::Cancelled { progress }), [0_i64; 0]);
    }
    let late = [(WorkProgress::DraftApproved, 7500)];
    let mut contract = given([kill_fee(&late), fee(400_000, &[(Milestone::Publication, 10_000)])]);
    assert_eq!(contract.earns(Fact::Cancelled { progress: WorkProgress::Signed }), [0_i64; 0]);
    let lines = contract.lines(Fact::Cancelled { progress: WorkProgress::DraftApproved });
    assert_eq!(lines[0].explanation, "75 % of the fee of USD 4,000.00: ended after a draft was approved");
    // A share of nothing.
    assert_eq!(given([kill_fee(&scale)]).earns(Fact::Cancelled { progress: WorkProgress::Signed }), [0_i64; 0]);
}

#[test]
fn a_part_of_everything_is_held_back() {
    let mut contract = given([
        payment(30, PaymentBasis::Earning),
        holdback(1000, 60),
        plain(1000),
        fee(105, &[(Milestone::Signing, 10_000)]),
    ]);
    let lines = contract.lines(Fact::Signed);
    let parts: Vec<_> =
        lines.iter().map(|line| (line.held_back, line.amount.minor(), line.due_date.to_string())).collect();
    // What doesn't split evenly is held back.
    assert_eq!(parts, [(false, 94, "2026-07-31".to_owned()), (true, 11, "2026-09-29".to_owned())]);
    assert!(lines[1].explanation.ends_with("; 10 % of it held back for 60 days"), "{}", lines[1].explanation);
    // What is taken back is taken from both.
    assert_eq!(contract.earns(ordered("o1", 10_000, "2026-07-01")), [900, 100]);
    assert_eq!(contract.earns(refunded("o1", 10_000)), [-900, -100]);
    assert_eq!(given([holdback(10_000, 60), plain(1000)]).earns(ordered("o1", 100, "2026-07-01")), [10]);
}
