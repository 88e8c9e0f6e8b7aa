//! Where days and months end.

use jiff::civil::Date;
use proptest::prelude::*;
use tandem_money::dates::{day_of, end_of_day, time_zone};
use tandem_proto::contracts::v1::UsageRightsClause;

use super::{END, PUBLISHED, ads, instant};
use crate::rights::window::{Window, clause_end};

fn end(months: i32, days: i32, published: &str, zone: &str) -> String {
    let clause = UsageRightsClause { months, days, ..ads() };
    clause_end(&clause, instant(published), &time_zone(zone).unwrap()).unwrap().to_string()
}

#[test]
fn months_are_counted_from_the_day_of_publication_in_the_contracts_time_zone() {
    assert_eq!(end(6, 0, PUBLISHED, "America/New_York"), END);
    // In Berlin it is the third of July already.
    assert_eq!(end(6, 0, PUBLISHED, "Europe/Berlin"), "2027-01-03T23:00:00Z");
}

#[test]
fn days_are_counted_after_the_day_of_publication() {
    assert_eq!(end(0, 1, PUBLISHED, "America/New_York"), "2026-07-04T04:00:00Z");
    assert_eq!(end(0, 30, PUBLISHED, "America/New_York"), "2026-08-02T04:00:00Z");
}

#[test]
fn a_month_without_that_day_ends_it_with_its_last() {
    let noon = |day: &str| format!("{day}T12:00:00Z");
    for (published, months, next) in [
        ("2026-01-31", 1, "2026-03-01T00:00:00Z"),
        ("2027-08-31", 6, "2028-03-01T00:00:00Z"),
        ("2026-10-31", 1, "2026-12-01T00:00:00Z"),
        // From a leap day on, and to one.
        ("2028-02-29", 12, "2029-03-01T00:00:00Z"),
        ("2028-02-29", 48, "2032-03-01T00:00:00Z"),
        ("2027-11-29", 3, "2028-03-01T00:00:00Z"),
        ("2027-11-28", 3, "2028-02-29T00:00:00Z"),
    ] {
        assert_eq!(end(months, 0, &noon(published), "UTC"), next, "{published} and {months} months");
    }
}

#[test]
fn a_day_is_as_long_as_it_is_there() {
    // One day after 28 March: the day of 23 hours is over, and so is that of 25 in October.
    assert_eq!(end(0, 1, "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T22:00:00Z");
    assert_eq!(end(0, 1, "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T23:00:00Z");
    // Midnight was left out: the day after began at one.
    assert_eq!(end(0, 1, "2018-11-02T12:00:00Z", "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
}

#[test]
fn an_end_beyond_the_calendar_is_refused() {
    let clause = UsageRightsClause { months: 120, ..ads() };
    clause_end(&clause, instant("9995-01-01T00:00:00Z"), &time_zone("UTC").unwrap()).unwrap_err();
}

#[test]
fn a_window_has_its_start_and_not_its_end() {
    let window = Window { start: instant(PUBLISHED), end: instant(END) };
    assert!(window.contains(instant(PUBLISHED)) && !window.contains(instant(END)));
    assert!(window.contains(instant("2027-01-03T04:59:59.999999999Z")));
    assert!(Window { start: window.end, ..window }.is_empty() && !window.is_empty());
}

proptest! {
    #[test]
    fn windows_that_touch_do_not_overlap(
        start in 0_i64..4_000_000_000, first in 1_i64..40_000_000, second in 1_i64..40_000_000, at in 0_i64..90_000_000,
    ) {
        let at_second = |second: i64| jiff::Timestamp::from_second(second).unwrap();
        let before = Window { start: at_second(start), end: at_second(start + first) };
        let after = Window { start: before.end, end: at_second(start + first + second) };
        prop_assert!(before.within(after).is_empty());
        let both = Window { start: before.start, end: after.end };
        let at = at_second(start - 1_000 + at);
        prop_assert_eq!(usize::from(both.contains(at)), usize::from(before.contains(at)) + usize::from(after.contains(at)));
    }

    #[test]
    fn it_ends_with_a_day_there_and_not_before_the_publication(
        second in 0_i64..4_000_000_000, months in 0_i32..=120, days in 0_i32..=3660, zone in prop::sample::select(
            vec!["Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Auckland", "Australia/Lord_Howe"],
        ),
    ) {
        let zone = time_zone(zone).unwrap();
        let published = jiff::Timestamp::from_second(second).unwrap();
        let end = clause_end(&UsageRightsClause { months, days, ..ads() }, published, &zone).unwrap();
        prop_assert!(published < end);
        let last: Date = day_of(end.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap(), &zone);
        prop_assert_eq!(end_of_day(last, &zone), Ok(end));
        if months == 0 {
            let reached = last.since(day_of(published, &zone)).unwrap().get_days();
            prop_assert!(reached == days || (reached + 1 == days), "{} of {} days", reached, days);
        }
    }
}
