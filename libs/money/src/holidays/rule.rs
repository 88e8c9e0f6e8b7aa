//! How a law says when a holiday is.
//!
//! Invariant: a rule gives at most one day a year.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan as _};

/// When a holiday is, and what if it falls on a weekend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) day: Day,
    pub(super) on_weekend: OnWeekend,
}

/// When a holiday is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Day {
    /// Month and day.
    Fixed(i8, i8),
    /// The nth such weekday of a month; -1 is the last.
    Nth(i8, Weekday, i8),
    /// So many days after Easter Sunday.
    Easter(i32),
}

/// What becomes of a holiday that falls on a weekend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnWeekend {
    /// Nothing.
    Stays,
    /// It is kept on the weekday nearest to it: Friday for Saturday, Monday for Sunday.
    Nearest,
    /// It is kept on the next weekday that is no holiday.
    Next,
}

pub(super) const fn fixed(month: i8, day: i8) -> Rule {
    Rule { day: Day::Fixed(month, day), on_weekend: OnWeekend::Stays }
}

pub(super) const fn nth(nth: i8, weekday: Weekday, month: i8) -> Rule {
    Rule { day: Day::Nth(nth, weekday, month), on_weekend: OnWeekend::Stays }
}

pub(super) const fn easter(days: i32) -> Rule {
    Rule { day: Day::Easter(days), on_weekend: OnWeekend::Stays }
}

impl Rule {
    pub(super) const fn or(self, on_weekend: OnWeekend) -> Self {
        Self { on_weekend, ..self }
    }

    fn date(&self, year: i16) -> Option<Date> {
        match self.day {
            Day::Fixed(month, day) => Date::new(year, month, day).ok(),
            Day::Nth(nth, weekday, month) => Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok(),
            Day::Easter(days) => easter_sunday(year)?.checked_add(Span::new().try_days(days).ok()?).ok(),
        }
    }
}

/// Adds the days on which a year's holidays are kept.
pub(super) fn keep(rules: &[Rule], year: i16, days: &mut Vec<Date>) {
    let dates = || rules.iter().filter_map(|rule| Some((rule.on_weekend, rule.date(year)?)));
    let moves = |(on_weekend, day): &(OnWeekend, Date)| *on_weekend != OnWeekend::Stays && is_weekend(*day);
    // First those that are where they are, for others give way to them.
    days.extend(dates().filter(|date| !moves(date)).map(|(_, day)| day));
    for (on_weekend, day) in dates().filter(moves) {
        let kept = match on_weekend {
            OnWeekend::Nearest if day.weekday() == Weekday::Saturday => day.yesterday().ok(),
            OnWeekend::Nearest => day.tomorrow().ok(),
            _ => day.series(1.day()).find(|day| !is_weekend(*day) && !days.contains(day)),
        };
        days.extend(kept);
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Easter Sunday in the Gregorian calendar, by the method of an anonymous correspondent of Nature (20 April 1876), as in
/// J. Meeus, Astronomical Algorithms, chapter 8.
fn easter_sunday(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}
