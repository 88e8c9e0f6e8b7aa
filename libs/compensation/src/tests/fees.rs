//! Fees: in instalments, for each deliverable.

use tandem_proto::contracts::v1::PerDeliverableFeeClause;
use tandem_proto::payouts::v1::EarningRule;

use super::*;
use crate::line::percent;

#[test]
fn a_milestone_makes_its_instalments_earned() {
    let mut contract = given([
        content(&[("reel", ContentType::ShortVideo)]),
        fee(400_000, &[(Milestone::Signing, 5000), (Milestone::Publication, 3000), (Milestone::Publication, 2000)]),
        plain(1000),
    ]);
    let expected = Line {
        clause_id: "fee".into(),
        part: "0".into(),
        held_back: false,
        rule: EarningRule::FeeInstalment,
        amount: usd(200_000),
        base: usd(400_000),
        rate_basis_points: 5000,
        explanation: "50 % of the fee of USD 4,000.00 on signing".into(),
        due_date: jiff::civil::date(2026, 7, 1),
        payable: true,
    };
    assert_eq!(contract.lines(Fact::Signed), [expected]);
    assert_eq!(contract.earns(published("story", false)), [0_i64; 0]);
    let last = contract.lines(published("reel", true));
    let parts: Vec<_> = last.iter().map(|line| (&line.part[..], line.amount.minor())).collect();
    assert_eq!(parts, [("1", 120_000), ("2", 80_000)]);
    assert_eq!(last[1].explanation, "20 % of the fee of USD 4,000.00 on publication");
}

#[test]
fn an_instalment_is_earned_once() {
    let mut contract = given([fee(100, &[(Milestone::Signing, 5000), (Milestone::Publication, 5000)])]);
    assert_eq!(contract.earns(Fact::Signed), [50]);
    assert_eq!(contract.earns(Fact::Signed), [0_i64; 0]);
    assert_eq!(contract.earns(published("reel", true)), [50]);
    assert_eq!(contract.earns(published("reel", true)), [0_i64; 0]);
}

#[test]
fn each_deliverable_of_the_kind_earns_its_fee_once() {
    let per_reel =
        PerDeliverableFeeClause { amount: Some(usd(25_000).into()), content_type: ContentType::ShortVideo.into() };
    let owed =
        [("reel-1", ContentType::ShortVideo), ("reel-2", ContentType::ShortVideo), ("story", ContentType::Story)];
    let mut contract = given([content(&owed), clause("per-reel", Kind::PerDeliverableFee(per_reel.clone()))]);
    let lines = contract.lines(published("reel-1", false));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line.part[..], line.rule, line.amount), ("reel-1", EarningRule::PerDeliverableFee, usd(25_000)));
    assert_eq!(line.explanation, "fee for the publication of reel-1");
    assert_eq!(contract.earns(published("reel-1", false)), [0_i64; 0]);
    assert_eq!(contract.earns(published("story", false)), [0_i64; 0]);
    assert_eq!(contract.earns(published("reel-2", true)), [25_000]);

    // Of any kind.
    let any = PerDeliverableFeeClause { content_type: 0, ..per_reel };
    let mut contract = given([content(&owed), clause("per-piece", Kind::PerDeliverableFee(any))]);
    assert_eq!(contract.earns(published("story", false)), [25_000]);
}

#[test]
fn shares_read_as_people_write_them() {
    let read = [10_000, 1250, 1205, 5, 0].map(percent);
    assert_eq!(read, ["100 %", "12.5 %", "12.05 %", "0.05 %", "0 %"]);
}
