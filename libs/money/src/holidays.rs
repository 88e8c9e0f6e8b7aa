//! Public holidays by country, for counting business days.
//!
//! Invariant: a calendar is data: rules with their legal source. Days are computed from the rules alone, so every build
//! comes to the same ones.

mod de;
mod fr;
mod gb;
mod rule;
#[cfg(test)]
mod tests;
mod us;

use std::ops::RangeInclusive;

use jiff::civil::Date;

use rule::Rule;

/// The public holidays of a country, or of the part of it that shares them.
#[derive(Debug)]
pub struct Calendar {
    /// ISO 3166-1 alpha-2.
    pub country_code: &'static str,
    /// Subdivisions (ISO 3166-2) that it does not hold for, because they have another.
    pub except: &'static [&'static str],
    /// Whose days they are, in words.
    pub name: &'static str,
    /// The law.
    pub source: &'static str,
    /// The years whose days were checked one by one. It has no days of earlier years; later ones go on by the same rules,
    /// for law stands until it is changed.
    pub checked: RangeInclusive<i16>,
    rules: &'static [Rule],
}

/// All that is known.
static CALENDARS: [&Calendar; 4] = [&us::FEDERAL, &de::NATIONWIDE, &gb::ENGLAND_AND_WALES, &fr::NATIONWIDE];

/// The calendar of a country (ISO 3166-1 alpha-2) and subdivision (ISO 3166-2, may be empty); none if it is not known.
///
/// Holidays that only a subdivision has are not in it: where the law of a part is agreed on, the days of the whole
/// country count.
#[must_use]
pub fn calendar(country_code: &str, subdivision_code: &str) -> Option<&'static Calendar> {
    let mut known = CALENDARS.into_iter().filter(|calendar| calendar.country_code == country_code);
    known.find(|calendar| !calendar.except.contains(&subdivision_code))
}

/// The public holidays of a country and subdivision in these years, in order; none where no calendar is known, so that
/// Monday to Friday are business days there.
#[must_use]
pub fn of(country_code: &str, subdivision_code: &str, years: RangeInclusive<i16>) -> Vec<Date> {
    calendar(country_code, subdivision_code).map(|calendar| calendar.days(years)).unwrap_or_default()
}

impl Calendar {
    /// The days on which these years' holidays are kept, in order. One that falls on a weekend is there, too, unless its
    /// law puts another day in its place.
    #[must_use]
    pub fn days(&self, years: RangeInclusive<i16>) -> Vec<Date> {
        // A New Year's Day may be kept in the year before.
        let until = years.end().saturating_add(1);
        let mut days: Vec<Date> = Vec::new();
        for year in *self.checked.start().max(years.start())..=until {
            rule::keep(self.rules, year, &mut days);
        }
        days.retain(|day| years.contains(&day.year()));
        days.sort_unstable();
        days.dedup();
        days
    }
}
