//! Spans of time, and where the days of a clause end.
//!
//! Invariant: a window has its start and not its end, so of two windows that touch an instant is in one at most.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_money::dates::{DateError, day_of, end_of_day};
use tandem_proto::contracts::v1::UsageRightsClause;

/// From an instant on, up to another that is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Window {
    /// Always.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// Whether the instant is in it.
    #[must_use]
    pub fn contains(self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether no instant is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// What is in both.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

/// Where a clause's months or days from publication end: with the last day, which is so many months or days after that
/// of publication. A month that has no such day ends it with its last.
///
/// # Errors
/// [`DateError::OutOfRange`].
pub fn clause_end(
    clause: &UsageRightsClause,
    publish_time: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, DateError> {
    end_of_day(last_day(day_of(publish_time, zone), clause.months, clause.days)?, zone)
}

fn last_day(published: Date, months: i32, days: i32) -> Result<Date, DateError> {
    let span = Span::new().try_months(months).and_then(|span| span.try_days(days));
    span.and_then(|span| published.checked_add(span)).map_err(|_| DateError::OutOfRange)
}
