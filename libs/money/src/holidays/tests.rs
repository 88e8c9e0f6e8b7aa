//! The days of each calendar, one by one, for the years that it was checked for.

use jiff::civil::date;

use super::*;
use crate::dates::{add_business_days, is_business_day};

/// Month and day of the holidays that are kept, a year a line.
fn days(country: &str, subdivision: &str) -> Vec<String> {
    let line = |year| {
        let days = of(country, subdivision, year..=year);
        days.iter().map(|day| day.strftime("%m-%d").to_string()).collect::<Vec<_>>().join(" ")
    };
    (2024..=2030).map(line).collect()
}

#[test]
fn federal_holidays_of_the_united_states() {
    let kept = [
        "01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
        "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
        // Independence Day is a Saturday.
        "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
        // Juneteenth and Christmas are Saturdays, Independence Day is a Sunday, and so is New Year's Day of 2028 kept.
        "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31",
        "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25",
        "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25",
        "01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
    ];
    assert_eq!(days("US", ""), kept);
    assert_eq!(days("US", "US-NY"), kept);
}

#[test]
fn holidays_of_all_of_germany() {
    let kept = [
        "01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26",
        "01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26",
        "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26",
        "01-01 03-26 03-29 05-01 05-06 05-17 10-03 12-25 12-26",
        "01-01 04-14 04-17 05-01 05-25 06-05 10-03 12-25 12-26",
        "01-01 03-30 04-02 05-01 05-10 05-21 10-03 12-25 12-26",
        "01-01 04-19 04-22 05-01 05-30 06-10 10-03 12-25 12-26",
    ];
    assert_eq!(days("DE", "DE-BY"), kept);
}

#[test]
fn bank_holidays_of_england_and_wales() {
    let kept = [
        "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
        "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
        // Boxing Day is a Saturday.
        "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
        // Christmas and Boxing Day are a weekend.
        "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
        // New Year's Day is a Saturday.
        "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
        "01-01 03-30 04-02 05-07 05-28 08-27 12-25 12-26",
        "01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
    ];
    assert_eq!(days("GB", ""), kept);
    assert_eq!(days("GB", "GB-ENG"), kept);
    // Christmas of 2033 is a Sunday, and Boxing Day keeps its Monday.
    assert_eq!(of("GB", "", 2033..=2033)[6..], [date(2033, 12, 26), date(2033, 12, 27)]);
}

#[test]
fn holidays_of_all_of_france() {
    let kept = [
        "01-01 04-01 05-01 05-08 05-09 05-20 07-14 08-15 11-01 11-11 12-25",
        "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25",
        "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
        "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25",
        "01-01 04-17 05-01 05-08 05-25 06-05 07-14 08-15 11-01 11-11 12-25",
        "01-01 04-02 05-01 05-08 05-10 05-21 07-14 08-15 11-01 11-11 12-25",
        "01-01 04-22 05-01 05-08 05-30 06-10 07-14 08-15 11-01 11-11 12-25",
    ];
    assert_eq!(days("FR", ""), kept);
}

#[test]
fn where_no_calendar_is_known_there_are_no_holidays() {
    for (country, subdivision) in [("IT", ""), ("GB", "GB-SCT"), ("GB", "GB-NIR"), ("", ""), ("us", "")] {
        assert!(calendar(country, subdivision).is_none(), "{country} {subdivision}");
        assert!(of(country, subdivision, 2026..=2026).is_empty());
    }
    // Nor in years before those checked.
    assert!(of("US", "", 2000..=2023).is_empty());
    assert!(of("US", "", i16::MIN..=i16::MIN).is_empty());
    assert!(of("US", "", i16::MAX..=i16::MAX).is_empty());
}

#[test]
fn every_calendar_says_by_what_law_and_for_which_years() {
    for calendar in CALENDARS {
        assert!(!calendar.source.is_empty() && !calendar.name.is_empty(), "{calendar:?}");
        assert_eq!(calendar.checked, 2024..=2030);
        for year in 2031..2060 {
            assert!((7..=12).contains(&calendar.days(year..=year).len()), "{} {year}", calendar.name);
        }
    }
}

#[test]
fn years_together_are_the_years_one_by_one() {
    for calendar in CALENDARS {
        let singly: Vec<_> = (2024..=2060).flat_map(|year| calendar.days(year..=year)).collect();
        assert_eq!(calendar.days(2024..=2060), singly, "{}", calendar.name);
    }
}

#[test]
fn business_days_pass_over_them() {
    let holidays = of("GB", "", 2026..=2027);
    assert!(!is_business_day(date(2026, 12, 28), &holidays));
    // Wednesday before Christmas; Friday and Monday are holidays.
    assert_eq!(add_business_days(date(2026, 12, 23), 3, &holidays), Ok(date(2026, 12, 30)));
}
