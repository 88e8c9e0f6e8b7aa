//! Civil days: when something is due.
//!
//! Invariant: a due date is a day on a calendar in a named time zone, and becomes an instant only by that zone's
//! rules, so a day is as long as it is there, daylight saving included.

use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use tandem_proto::google::r#type as wire;

/// Why a day can't be read or reckoned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// `google.type.Date` with a part left out, or a day that no calendar has.
    #[error("{year}-{month}-{day} is not a day: give year (1 to 9999), month and day")]
    NoSuchDay {
        /// The year given.
        year: i32,
        /// The month given.
        month: i32,
        /// The day given.
        day: i32,
    },
    /// The time zone is not in the IANA database.
    #[error("{name:?} is not a time zone: give an IANA name, as \"Europe/Berlin\"")]
    UnknownTimeZone {
        /// What was given.
        name: String,
    },
    /// The result lies beyond the year 9999.
    #[error("the day lies beyond the year 9999: give fewer days")]
    OutOfRange,
}

/// The time zone of an IANA name, by the rules compiled in: the machine's own database is not asked, so that every
/// process of a build comes to the same answer.
///
/// # Errors
/// [`DateError::UnknownTimeZone`].
pub fn time_zone(name: &str) -> Result<TimeZone, DateError> {
    static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    BUNDLED.get(name).map_err(|_| DateError::UnknownTimeZone { name: name.to_owned() })
}

/// The day on which `instant` falls in `zone`.
#[must_use]
pub fn day_of(instant: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(instant).date()
}

/// The first instant of `day` in `zone`: after the gap where daylight saving skips midnight, and where it skips all of
/// the day, that of the next one.
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn start_of_day(day: Date, zone: &TimeZone) -> Result<Timestamp, DateError> {
    day.to_zoned(zone.clone()).map(|midnight| midnight.timestamp()).map_err(|_| DateError::OutOfRange)
}

/// The instant at which `day` is over in `zone`, which is the first one of the next day: a deadline of that day is
/// kept before it and missed from it on.
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn end_of_day(day: Date, zone: &TimeZone) -> Result<Timestamp, DateError> {
    day.tomorrow().map_err(|_| DateError::OutOfRange).and_then(|next| start_of_day(next, zone))
}

/// Whether work is done on `day`: not on Saturdays, Sundays and `holidays`.
#[must_use]
pub fn is_business_day(day: Date, holidays: &[Date]) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(&day)
}

/// The business day that is `count` business days after `day`; `day` itself is not counted. With 0 it is `day`, or
/// the next business day if that is none.
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn add_business_days(day: Date, count: u32, holidays: &[Date]) -> Result<Date, DateError> {
    let next_day = |day: Date| day.tomorrow().map_err(|_| DateError::OutOfRange);
    let mut day = day;
    let mut left = count;
    while left > 0 || !is_business_day(day, holidays) {
        day = next_day(day)?;
        if left > 0 && is_business_day(day, holidays) {
            left -= 1;
        }
    }
    Ok(day)
}

/// The business day `count` business days after the day on which `instant` falls in `zone`: "within three business
/// days, Berlin time".
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn business_days_after(
    instant: Timestamp,
    count: u32,
    zone: &TimeZone,
    holidays: &[Date],
) -> Result<Date, DateError> {
    add_business_days(day_of(instant, zone), count, holidays)
}

/// The due date of "net `days`": so many calendar days after `day`, holidays or not.
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn net_days(day: Date, days: u32) -> Result<Date, DateError> {
    Span::new().try_days(days).and_then(|span| day.checked_add(span)).map_err(|_| DateError::OutOfRange)
}

/// A full day from the wire; a year or a month alone is refused.
///
/// # Errors
/// [`DateError::NoSuchDay`].
pub fn date_from_proto(date: &wire::Date) -> Result<Date, DateError> {
    let &wire::Date { year, month, day } = date;
    let civil = || Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok();
    // The wire has no years before 1; year 0 says "no year" there.
    civil().filter(|_| year > 0).ok_or(DateError::NoSuchDay { year, month, day })
}

/// The day as it goes to the wire.
#[must_use]
pub fn date_to_proto(date: Date) -> wire::Date {
    wire::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_and_holidays_are_passed_over() {
        let labour_day = [date(2026, 5, 1)];
        // Thursday + 1: Friday is a holiday, so it is Monday.
        assert_eq!(add_business_days(date(2026, 4, 30), 1, &labour_day), Ok(date(2026, 5, 4)));
        assert_eq!(add_business_days(date(2026, 4, 30), 1, &[]), Ok(date(2026, 5, 1)));
        assert_eq!(add_business_days(date(2026, 4, 30), 5, &[]), Ok(date(2026, 5, 7)));
        // From a Saturday, the first business day after is Monday; none to add leads there too.
        assert_eq!(add_business_days(date(2026, 5, 2), 1, &[]), Ok(date(2026, 5, 4)));
        assert_eq!(add_business_days(date(2026, 5, 2), 0, &[]), Ok(date(2026, 5, 4)));
        assert_eq!(add_business_days(date(2026, 5, 5), 0, &[]), Ok(date(2026, 5, 5)));
    }

    #[test]
    fn the_zone_decides_which_day_it_is() {
        let late = instant("2026-04-30T22:30:00Z");
        let berlin = time_zone("Europe/Berlin").unwrap();
        let new_york = time_zone("America/New_York").unwrap();
        assert_eq!(business_days_after(late, 1, &berlin, &[]), Ok(date(2026, 5, 4)));
        assert_eq!(business_days_after(late, 1, &new_york, &[]), Ok(date(2026, 5, 1)));
    }

    #[test]
    fn a_day_ends_when_the_next_begins_there() {
        for (zone, day, end) in [
            ("Europe/Berlin", date(2026, 3, 28), "2026-03-28T23:00:00Z"),
            // The days on which the clock is put forward and back: 23 and 25 hours.
            ("Europe/Berlin", date(2026, 3, 29), "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", date(2026, 10, 25), "2026-10-25T23:00:00Z"),
            // The next day had no midnight: its clock began at one.
            ("America/Sao_Paulo", date(2018, 11, 3), "2018-11-04T03:00:00Z"),
            // The next day was left out altogether.
            ("Pacific/Apia", date(2011, 12, 29), "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(end_of_day(day, &time_zone(zone).unwrap()), Ok(instant(end)), "{zone} {day}");
        }
    }

    #[test]
    fn a_day_begins_with_its_first_instant() {
        for (zone, day, start) in [
            ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00Z"),
            // No midnight, and no day at all.
            ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00Z"),
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(start_of_day(day, &time_zone(zone).unwrap()), Ok(instant(start)), "{zone} {day}");
        }
    }

    #[test]
    fn net_days_count_all_days() {
        assert_eq!(net_days(date(2026, 1, 31), 30), Ok(date(2026, 3, 2)));
        assert_eq!(net_days(date(2026, 1, 31), 0), Ok(date(2026, 1, 31)));
        assert_eq!(net_days(date(9999, 12, 31), 1), Err(DateError::OutOfRange));
        assert_eq!(net_days(date(2026, 1, 31), u32::MAX), Err(DateError::OutOfRange));
        assert_eq!(add_business_days(date(9999, 12, 31), 1, &[]), Err(DateError::OutOfRange));
    }

    #[test]
    fn what_is_no_day_or_zone_is_refused() {
        for (year, month, day) in [(0, 1, 1), (2026, 0, 0), (2026, 2, 29), (10_000, 1, 1), (2026, 257, 1), (-1, 1, 1)] {
            let refused = date_from_proto(&wire::Date { year, month, day });
            assert_eq!(refused, Err(DateError::NoSuchDay { year, month, day }));
        }
        assert_eq!(time_zone("Berlin"), Err(DateError::UnknownTimeZone { name: "Berlin".into() }));
    }

    proptest! {
        #[test]
        fn the_wire_keeps_every_day(year in 1_i16..=9999, month in 1_i8..=12, day in 1_i8..=28) {
            prop_assert_eq!(date_from_proto(&date_to_proto(date(year, month, day))), Ok(date(year, month, day)));
        }

        #[test]
        fn business_days_add_up(day in 1_i8..=28, first in 0_u32..40, second in 0_u32..40, holiday in 1_i8..=28) {
            let (start, holidays) = (date(2026, 6, day), [date(2026, 7, holiday)]);
            let there = add_business_days(start, first, &holidays).unwrap();
            prop_assert!(is_business_day(there, &holidays));
            let in_two = add_business_days(there, second, &holidays);
            if first > 0 {
                prop_assert_eq!(in_two, add_business_days(start, first + second, &holidays));
            }
        }

        #[test]
        fn an_instant_lies_before_the_end_of_its_day(second in 0_i64..4_102_444_800, zone in prop::sample::select(
            vec!["Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Auckland", "America/New_York"],
        )) {
            let (at, zone) = (Timestamp::from_second(second).unwrap(), time_zone(zone).unwrap());
            let end = end_of_day(day_of(at, &zone), &zone).unwrap();
            prop_assert!(at < end);
            prop_assert!(day_of(end, &zone) > day_of(at, &zone));
        }
    }
}
