//! Days from now, as a contract counts them.
//!
//! Invariant: a day becomes an instant, and an instant a day, only in the time zone of the terms.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_money::dates::{self, DateError};
use tandem_proto::contracts::v1::Contract;

use super::term;

/// A contract's calendar, opened at an instant.
pub(super) struct Calendar {
    zone: TimeZone,
    now: Timestamp,
}

impl Calendar {
    pub(super) fn of(contract: &Contract, now: Timestamp) -> Self {
        // Terms are parsed before they are offered, so there is one.
        Self { zone: term::zone(contract).unwrap_or(TimeZone::UTC), now }
    }

    pub(super) fn today(&self) -> Date {
        self.day_of(self.now)
    }

    pub(super) fn day_of(&self, instant: Timestamp) -> Date {
        dates::day_of(instant, &self.zone)
    }

    /// The first instant of a day.
    pub(super) fn start_of(&self, day: Date) -> Result<Timestamp, DateError> {
        dates::start_of_day(day, &self.zone)
    }

    /// The instant at which a day is over.
    pub(super) fn end_of(&self, day: Date) -> Result<Timestamp, DateError> {
        dates::end_of_day(day, &self.zone)
    }

    /// When a period of so many days that begins now is over: the day on which it begins doesn't count, the last one
    /// counts in full. A period of no days is over at once.
    pub(super) fn after(&self, days: i32) -> Result<Timestamp, DateError> {
        match u32::try_from(days).unwrap_or(0) {
            0 => Ok(self.now),
            days => self.end_of(dates::net_days(self.today(), days)?),
        }
    }
}
