//! Stretches of civil days.
//!
//! Invariant: a stretch has at least one day, and both its first and its last day are part of it: one that ends on the
//! day before another begins touches it and does not overlap.
//!
//! Days are compared as they stand on the calendar, whatever the time zones of the two contracts: exclusivity is agreed in
//! days, and a shift of hours makes no conflict.

use std::fmt;

use jiff::civil::Date;
use tandem_money::dates::{date_from_proto, date_to_proto};
use tandem_proto::google::r#type as wire;

/// Days from a first to a last one, or without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: Date,
    last: Option<Date>,
}

impl Days {
    /// From a first day to a last one, without end if there is none; nothing if it would end before it begins.
    #[must_use]
    pub fn new(first: Date, last: Option<Date>) -> Option<Self> {
        (last.is_none_or(|last| first <= last)).then_some(Self { first, last })
    }

    /// From the wire, where a day left out is no day; nothing if the first one is missing.
    #[must_use]
    pub fn from_proto(first: Option<&wire::Date>, last: Option<&wire::Date>) -> Option<Self> {
        let first = date_from_proto(first?).ok()?;
        let last = last.map(date_from_proto).transpose().ok()?;
        Self::new(first, last)
    }

    /// The first day.
    #[must_use]
    pub fn first(&self) -> Date {
        self.first
    }

    /// The last day; none if there is no end.
    #[must_use]
    pub fn last(&self) -> Option<Date> {
        self.last
    }

    /// The last day on the wire, absent if there is no end.
    #[must_use]
    pub fn last_to_proto(&self) -> Option<wire::Date> {
        self.last.map(date_to_proto)
    }

    /// The days that are in both.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let last = match (self.last, other.last) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self::new(self.first.max(other.first), last)
    }

    /// Whether the other begins on the day after this ends.
    #[must_use]
    pub fn touches(&self, other: &Self) -> bool {
        self.last.and_then(|last| last.tomorrow().ok()) == Some(other.first)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) if last == self.first => write!(f, "on {last}"),
            Some(last) => write!(f, "from {} to {last}", self.first),
            None => write!(f, "from {} on, without an end so far", self.first),
        }
    }
}
