//! Commission: on what was kept, through tiers and caps.

use tandem_proto::payouts::v1::EarningRule;

use super::*;

const DAY: &str = "2026-07-01";

#[test]
fn a_sale_earns_its_commission() {
    let mut contract = given([plain(1250)]);
    let lines = contract.lines(ordered("o1", 10_000, DAY));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.rule, line.amount, line.base), (EarningRule::Commission, usd(1250), usd(10_000)));
    assert_eq!((&line.part[..], line.rate_basis_points), ("0", 1250));
    assert_eq!(line.explanation, "12.5 % commission on a sale of USD 100.00");
}

#[test]
fn half_a_cent_goes_to_the_even_one() {
    for (net, earned) in [(5, vec![]), (15, vec![2]), (25, vec![2]), (35, vec![4]), (6, vec![1]), (4, vec![])] {
        assert_eq!(given([plain(1000)]).earns(ordered("o1", net, DAY)), earned, "{net}");
    }
}

#[test]
fn a_refund_takes_its_commission_back() {
    let mut contract = given([plain(1000)]);
    assert_eq!(contract.earns(ordered("o1", 10_000, DAY)), [1000]);
    assert_eq!(contract.earns(refunded("o1", 1000)), [-100]);
    let lines = contract.lines(refunded("o1", 2000));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.rule, line.amount, line.base), (EarningRule::CommissionClawback, usd(-200), usd(2000)));
    assert_eq!(
        line.explanation,
        "10 % commission taken back on a refund of USD 20.00: USD 70.00 of a sale of USD 100.00 kept, not USD 90.00"
    );
}

#[test]
fn an_order_is_cut_where_it_crosses_into_a_tier() {
    let mut contract = given([commission(1000, &[(10_000, 1500), (20_000, 2000)], [None; 3])]);
    assert_eq!(contract.earns(ordered("o1", 6000, DAY)), [600]);
    let lines = contract.lines(ordered("o2", 20_000, DAY));
    // 40 at 10 %, 100 at 15 %, 60 at 20 %.
    assert_eq!(lines[0].amount, usd(400 + 1500 + 1200));
    assert_eq!(
        lines[0].explanation,
        "commission on a sale of USD 200.00: 10 % of USD 40.00, 15 % of USD 100.00, 20 % of USD 60.00"
    );
    assert_eq!((lines[0].base, lines[0].rate_basis_points), (usd(20_000), 1000));
    // On the border, the next tier begins.
    let mut contract = given([commission(1000, &[(10_000, 1500)], [None; 3])]);
    assert_eq!(contract.earns(ordered("o1", 10_000, DAY)), [1000]);
    assert_eq!(contract.earns(ordered("o2", 100, DAY)), [15]);
}

#[test]
fn a_refund_moves_later_orders_down_the_tiers() {
    let mut contract = given([commission(500, &[(1000, 1000)], [None; 3])]);
    assert_eq!(contract.earns(ordered("o1", 1000, "2026-07-01")), [50]);
    assert_eq!(contract.earns(ordered("o2", 1000, "2026-07-02")), [100]);
    // The second is the first thousand now, and earns 5 % only.
    let lines = contract.lines(refunded("o1", 1000));
    assert_eq!(lines[0].amount, usd(-100));
    assert!(lines[0].explanation.ends_with("; other orders earn otherwise with it"), "{:?}", lines[0].explanation);
}

#[test]
fn caps_limit_an_order_a_month_and_all() {
    let mut contract = given([commission(1000, &[], [Some(100), Some(250), Some(400)])]);
    let lines = contract.lines(ordered("a", 5000, "2026-07-01"));
    assert_eq!(lines[0].amount, usd(100));
    assert_eq!(lines[0].explanation, "10 % commission on a sale of USD 50.00; at most USD 1.00 an order");
    assert_eq!(contract.earns(ordered("b", 900, "2026-07-02")), [90]);
    let lines = contract.lines(ordered("c", 900, "2026-07-03"));
    assert_eq!(lines[0].amount, usd(60));
    assert_eq!(lines[0].explanation, "10 % commission on a sale of USD 9.00; at most USD 2.50 for 2026-07");
    assert_eq!(contract.earns(ordered("d", 900, "2026-07-04")), [0_i64; 0]);
    assert_eq!(contract.earns(ordered("e", 900, "2026-08-01")), [90]);
    let lines = contract.lines(ordered("f", 900, "2026-08-02"));
    assert_eq!(lines[0].amount, usd(60));
    assert_eq!(lines[0].explanation, "10 % commission on a sale of USD 9.00; at most USD 4.00 in all");
    assert_eq!(contract.earns(ordered("g", 900, "2026-09-01")), [0_i64; 0]);
}

#[test]
fn a_refund_below_a_cap_takes_nothing_back_until_it_is_undershot() {
    let mut contract = given([commission(1000, &[], [Some(100), None, None])]);
    assert_eq!(contract.earns(ordered("o1", 5000, DAY)), [100]);
    assert_eq!(contract.earns(refunded("o1", 4000)), [0_i64; 0]);
    assert_eq!(contract.earns(refunded("o1", 500)), [-50]);
    assert_eq!(contract.earns(refunded("o1", 500)), [-50]);
}

#[test]
fn months_are_those_of_the_contract_s_time_zone() {
    let mut contract = given([commission(1000, &[], [None, Some(100), None])]);
    let at = |id: &str, time: &str| Fact::Ordered { order_id: id.into(), net: usd(1000), time: at(time) };
    assert_eq!(contract.earns(at("july", "2026-08-01T03:59:59Z")), [100]);
    assert_eq!(contract.earns(at("july too", "2026-07-01T04:00:00Z")), [0_i64; 0]);
    assert_eq!(contract.earns(at("august", "2026-08-01T04:00:00Z")), [100]);
}

#[test]
fn an_order_reported_late_takes_its_place_among_the_others() {
    let clauses = || [commission(500, &[(1000, 1000)], [Some(80), None, None])];
    let early = ordered("early", 1000, "2026-07-01");
    let late = ordered("late", 1000, "2026-07-02");
    let (mut in_order, mut reversed) = (given(clauses()), given(clauses()));
    assert_eq!((in_order.earns(early.clone()), in_order.earns(late.clone())), (vec![50], vec![80]));
    assert_eq!((reversed.earns(late), reversed.earns(early)), (vec![50], vec![80]));
}

#[test]
fn an_order_keeps_the_rate_that_it_was_sold_at() {
    let (before, after) = (rules([plain(1000)]), rules([plain(2000)]));
    let mut ledger = Ledger::default();
    let now = noon(DAY);
    ledger.take(&before, &ordered("o1", 10_000, "2026-07-01"), now).unwrap();
    assert_eq!(ledger.take(&after, &ordered("o2", 10_000, "2026-07-02"), now).unwrap()[0].amount, usd(2000));
    assert_eq!(ledger.take(&after, &refunded("o1", 10_000), now).unwrap()[0].amount, usd(-1000));
    assert_eq!(ledger.take(&after, &refunded("o2", 10_000), now).unwrap()[0].amount, usd(-2000));
}

#[test]
fn what_was_recorded_otherwise_is_reckoned_against() {
    // As an older version of the rules might have recorded it.
    let rules = rules([plain(1000)]);
    let mut ledger = Ledger::default();
    let fact = ordered("o1", 1000, DAY);
    let mut lines = ledger.price(&rules, &fact, noon(DAY)).unwrap();
    lines[0].amount = usd(90);
    ledger.record(&rules, &fact, &lines);
    let lines = ledger.take(&rules, &ordered("o2", 1000, DAY), noon(DAY)).unwrap();
    assert_eq!(lines[0].amount, usd(110));
}

#[test]
fn without_commission_orders_earn_nothing() {
    let mut contract = given([]);
    for fact in [Fact::Signed, published("reel", true), ordered("o1", 100, DAY), refunded("o1", 1)] {
        assert_eq!(contract.earns(fact.clone()), [0_i64; 0], "{fact:?}");
    }
    // 10 % of a cent, earned and taken back.
    let mut contract = given([plain(1000)]);
    assert_eq!(contract.earns(ordered("o1", 1, DAY)), [0_i64; 0]);
    assert_eq!(contract.earns(refunded("o1", 1)), [0_i64; 0]);
}
