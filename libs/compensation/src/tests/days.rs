//! When what is earned is due.

use proptest::prelude::*;

use super::*;

/// The day on which something earned at an instant is due.
fn due(net_days: i32, basis: PaymentBasis, earned: &str) -> String {
    let rules = rules([payment(net_days, basis), fee(1, &[(Milestone::Signing, 10_000)])]);
    Ledger::default().price(&rules, &Fact::Signed, at(earned)).unwrap()[0].due_date.to_string()
}

#[test]
fn net_days_count_from_the_day_of_earning_in_the_contract_s_zone() {
    use PaymentBasis::{Earning, EndOfMonth, Unspecified};
    for (net, basis, earned, day) in [
        // The first of June in New York still.
        (30, Earning, "2026-06-02T02:00:00Z", "2026-07-01"),
        (0, Unspecified, "2026-07-01T16:00:00Z", "2026-07-01"),
        // Over the ends of months, and a leap day.
        (30, Earning, "2026-01-31T16:00:00Z", "2026-03-02"),
        (30, Earning, "2028-01-31T16:00:00Z", "2028-03-01"),
        (365, Earning, "2028-02-29T16:00:00Z", "2029-02-28"),
        (1, Earning, "2026-12-31T16:00:00Z", "2027-01-01"),
        // From the end of the month: 28, 29, 30 and 31 days.
        (0, EndOfMonth, "2026-02-03T16:00:00Z", "2026-02-28"),
        (30, EndOfMonth, "2028-02-29T16:00:00Z", "2028-03-30"),
        (30, EndOfMonth, "2026-04-30T16:00:00Z", "2026-05-30"),
        (30, EndOfMonth, "2026-12-01T16:00:00Z", "2027-01-30"),
        // The last of July there.
        (10, EndOfMonth, "2026-08-01T03:59:59Z", "2026-08-10"),
        (10, EndOfMonth, "2026-08-01T04:00:00Z", "2026-09-10"),
    ] {
        assert_eq!(due(net, basis, earned), day, "{net} days, {basis:?}, {earned}");
    }
}

#[test]
fn without_payment_terms_it_is_due_on_the_day() {
    let rules = rules([fee(1, &[(Milestone::Signing, 10_000)])]);
    let lines = Ledger::default().price(&rules, &Fact::Signed, at("2026-06-02T02:00:00Z")).unwrap();
    assert_eq!(lines[0].due_date.to_string(), "2026-06-01");
}

#[test]
fn a_day_beyond_the_calendar_is_an_error_of_the_fact() {
    let rules = rules([payment(30, PaymentBasis::Earning), plain(1000)]);
    let fact = ordered("o1", 100, "2026-07-01");
    let error = Ledger::default().price(&rules, &fact, at("9999-12-30T16:00:00Z")).unwrap_err();
    assert_eq!(error.field, "order.net_amount");
}

proptest! {
    #[test]
    fn the_end_of_a_month_never_comes_before_what_is_earned_in_it(second in 0_i64..4_000_000_000, net in 0_i32..=365) {
        let earned = Timestamp::from_second(second).unwrap();
        let day = |basis| {
            let rules = rules([payment(net, basis), fee(1, &[(Milestone::Signing, 10_000)])]);
            Ledger::default().price(&rules, &Fact::Signed, earned).unwrap()[0].due_date
        };
        let (plain, end_of_month) = (day(PaymentBasis::Earning), day(PaymentBasis::EndOfMonth));
        let later = (end_of_month - plain).get_days();
        prop_assert!((0..31).contains(&later));
    }
}
