use proptest::prelude::*;
use tandem_money::Currency;
use tandem_proto::contracts::v1::{Clause, CommissionClause, DeliverablesClause, Instalment};

use super::*;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn clause(clause_id: &str, kind: Kind) -> Clause {
    Clause { clause_id: clause_id.into(), clause: Some(kind) }
}

fn fee(minor: i64, instalments: &[(Milestone, i32)]) -> Clause {
    let instalments = instalments
        .iter()
        .map(|&(milestone, share_basis_points)| Instalment { milestone: milestone.into(), share_basis_points });
    clause("fee", Kind::Fee(FeeClause { amount: Some(usd(minor).into()), instalments: instalments.collect() }))
}

fn commission(rate_basis_points: i32) -> Clause {
    clause("commission", Kind::Commission(CommissionClause { rate_basis_points, ..Default::default() }))
}

fn terms(clauses: impl IntoIterator<Item = Clause>) -> Terms {
    Terms { currency_code: "USD".into(), clauses: clauses.into_iter().collect(), ..Terms::default() }
}

fn amounts(terms: &Terms, fact: Fact) -> Vec<i64> {
    price(terms, fact).unwrap().into_iter().map(|line| line.amount.minor()).collect()
}

#[test]
fn a_milestone_makes_its_instalments_earned() {
    let terms = terms([
        clause("content", Kind::Deliverables(DeliverablesClause::default())),
        fee(400_000, &[(Milestone::Signing, 5000), (Milestone::Publication, 3000), (Milestone::Publication, 2000)]),
        commission(1000),
    ]);
    let signed = price(&terms, Fact::Signed).unwrap();
    let expected = Line {
        clause_id: "fee".into(),
        part: 0,
        rule: EarningRule::FeeInstalment,
        amount: usd(200_000),
        base: usd(400_000),
        rate_basis_points: 5000,
        explanation: "50 % of the fee of USD 4,000.00 on signing".into(),
    };
    assert_eq!(signed, [expected]);
    let published = price(&terms, Fact::Published).unwrap();
    let parts: Vec<_> = published.iter().map(|line| (line.part, line.amount.minor())).collect();
    assert_eq!(parts, [(1, 120_000), (2, 80_000)]);
    assert_eq!(published[1].explanation, "20 % of the fee of USD 4,000.00 on publication");
}

#[test]
fn a_sale_earns_its_commission() {
    let terms = terms([fee(400_000, &[(Milestone::Signing, 10_000)]), commission(1250)]);
    let sold = price(&terms, Fact::Sold { net: usd(10_000) }).unwrap();
    let expected = Line {
        clause_id: "commission".into(),
        part: 0,
        rule: EarningRule::Commission,
        amount: usd(1250),
        base: usd(10_000),
        rate_basis_points: 1250,
        explanation: "12.5 % commission on a sale of USD 100.00".into(),
    };
    assert_eq!(sold, [expected]);
}

#[test]
fn half_a_cent_goes_to_the_even_one() {
    let terms = terms([commission(1000)]);
    for (net, earned) in [(5, vec![]), (15, vec![2]), (25, vec![2]), (35, vec![4]), (6, vec![1]), (4, vec![])] {
        assert_eq!(amounts(&terms, Fact::Sold { net: usd(net) }), earned, "{net}");
    }
}

#[test]
fn a_refund_takes_its_commission_back() {
    let terms = terms([commission(1000)]);
    let refunded = price(&terms, Fact::Refunded { net: usd(10_000), before: usd(1000), refund: usd(2000) }).unwrap();
    let expected = Line {
        clause_id: "commission".into(),
        part: 0,
        rule: EarningRule::CommissionClawback,
        amount: usd(-200),
        base: usd(2000),
        rate_basis_points: 1000,
        explanation:
            "10 % commission taken back on a refund of USD 20.00: USD 70.00 of a sale of USD 100.00 kept, not \
                      USD 90.00"
                .into(),
    };
    assert_eq!(refunded, [expected]);
}

#[test]
fn what_grants_nothing_makes_no_line() {
    let refund = Fact::Refunded { net: usd(100), before: usd(0), refund: usd(1) };
    for fact in [Fact::Signed, Fact::Published, Fact::Sold { net: usd(100) }, refund] {
        assert_eq!(amounts(&terms([]), fact), [0_i64; 0], "{fact:?}");
    }
    // 10 % of a cent, earned and taken back.
    assert_eq!(amounts(&terms([commission(1000)]), Fact::Sold { net: usd(1) }), [0_i64; 0]);
    assert_eq!(amounts(&terms([commission(1000)]), refund), [0_i64; 0]);
}

#[test]
fn terms_that_cannot_be_reckoned_with_are_errors() {
    assert_eq!(price(&terms([fee(100, &[(Milestone::Signing, 0)])]), Fact::Signed), Err(MoneyError::NoWeight));
    let mut strange = terms([fee(100, &[(Milestone::Signing, 10_000)])]);
    if let Some(Kind::Fee(fee)) = &mut strange.clauses[0].clause {
        fee.amount.as_mut().unwrap().currency_code = "XQQ".into();
    }
    assert_eq!(price(&strange, Fact::Signed), Err(MoneyError::UnknownCurrency { code: "XQQ".into() }));
    let mixed = Fact::Refunded { net: usd(100), before: usd(0), refund: Money::new(1, Currency::EUR) };
    assert!(matches!(price(&terms([commission(1000)]), mixed), Err(MoneyError::CurrencyMismatch { .. })));
}

#[test]
fn shares_read_as_people_write_them() {
    let read = [10_000, 1250, 1205, 5, 0].map(percent);
    assert_eq!(read, ["100 %", "12.5 %", "12.05 %", "0.05 %", "0 %"]);
}

proptest! {
    #[test]
    fn instalments_sum_up_to_the_fee(
        minor in 1_i64..1_000_000_000_000,
        shares in prop::collection::vec((1_i32..10_000, any::<bool>()), 1..12),
    ) {
        let milestone = |on_signing| if on_signing { Milestone::Signing } else { Milestone::Publication };
        let instalments: Vec<_> = shares.iter().map(|&(share, on_signing)| (milestone(on_signing), share)).collect();
        let terms = terms([fee(minor, &instalments)]);
        let lines = [price(&terms, Fact::Signed).unwrap(), price(&terms, Fact::Published).unwrap()].concat();
        prop_assert_eq!(Money::total(Currency::USD, lines.iter().map(|line| line.amount)), Ok(usd(minor)));
        let mut parts: Vec<_> = lines.iter().map(|line| line.part).collect();
        parts.sort_unstable();
        parts.dedup();
        prop_assert_eq!(parts.len(), lines.len());
    }

    #[test]
    fn what_is_earned_in_the_end_is_the_commission_on_what_was_kept(
        net in 1_i64..100_000_000,
        rate in 1_i32..=10_000,
        steps in prop::collection::vec(0.0_f64..1.0, 0..20),
    ) {
        let terms = terms([commission(rate)]);
        let mut earned: i64 = amounts(&terms, Fact::Sold { net: usd(net) }).iter().sum();
        let mut refunded = 0;
        for step in steps {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any part of the rest will do")]
            let refund = ((net - refunded) as f64 * step) as i64;
            let taken_back: i64 =
                amounts(&terms, Fact::Refunded { net: usd(net), before: usd(refunded), refund: usd(refund) }).iter().sum();
            prop_assert!(taken_back <= 0);
            earned += taken_back;
            refunded += refund;
        }
        let kept = usd(net - refunded).basis_points(i64::from(rate)).unwrap();
        prop_assert_eq!(usd(earned), kept);
    }
}
