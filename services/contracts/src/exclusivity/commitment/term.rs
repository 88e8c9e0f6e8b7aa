//! The days of a contract, and those of each version of its terms.
//!
//! Invariant: no day has two versions of the terms.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_money::dates::{date_from_proto, day_of, time_zone};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{ContractState as State, Effect, Terms};
use tandem_proto::time;

use crate::contract::term::renews;
use crate::exclusivity::days::Days;

/// The days of a contract, and what becomes of its clauses after them.
pub(super) struct Term<'a> {
    /// All its days, without end while it renews itself.
    pub(super) days: Days,
    /// Its last day as things stand, whether it will renew itself or not.
    pub(super) last: Date,
    zone: TimeZone,
    effects: &'a [pb::ClauseEffect],
}

impl<'a> Term<'a> {
    /// None if there is no day on which the contract runs.
    pub(super) fn of(contract: &'a pb::Contract) -> Option<Self> {
        let terms = contract.terms.as_ref()?;
        let zone = time_zone(&terms.time_zone).ok()?;
        let first = date_from_proto(terms.start_date.as_ref()?).ok()?;
        let agreed = date_from_proto(contract.end_date.as_ref().or(terms.end_date.as_ref())?).ok()?;
        let (ended, effects) = match &contract.termination {
            Some(termination) => (last_day_before(termination.effective_time, &zone), &termination.effects[..]),
            None => (None, &[][..]),
        };
        let over = matches!(contract.state(), State::Expired | State::Terminated);
        let renews = !over && renews(contract).is_some();
        let last = match ended {
            // It may renew itself until then.
            Some(ended) if renews => ended,
            Some(ended) => ended.min(agreed),
            None => agreed,
        };
        let open = renews && ended.is_none();
        // A last day before the first is no term, whether it renews itself or not.
        Days::new(first, Some(last))?;
        Some(Self { days: Days::new(first, (!open).then_some(last))?, last, zone, effects })
    }

    /// The days on which an exclusivity clause would hold if its terms always applied.
    pub(super) fn exclusive(&self, clause_id: &str, clause: &pb::ExclusivityClause) -> Option<Days> {
        let ends = self.effects.iter().any(|effect| effect.clause_id == clause_id && effect.effect() == Effect::Ends);
        let after = if ends { 0 } else { clause.days_after_end };
        // Beyond the calendar is without end.
        let last = self.days.last().and_then(|last| last.checked_add(Span::new().days(after)).ok());
        Days::new(self.days.first(), last)
    }
}

/// The last day of a contract that ends at an instant; that day is part of it unless the instant is its very beginning.
fn last_day_before(end: Option<prost_types::Timestamp>, zone: &TimeZone) -> Option<Date> {
    let end = time::from_proto(&end?)?;
    let moment_before = end.checked_sub(Span::new().nanoseconds(1)).unwrap_or(Timestamp::MIN);
    Some(day_of(moment_before, zone))
}

/// The terms with the days on which they are in force, in the order of these. A version applies from its day on, until one
/// that was agreed later applies.
pub(super) fn versions<'a>(contract: &'a pb::Contract, term: &Term<'_>) -> Vec<(&'a Terms, Days)> {
    let from = |version: &pb::TermsVersion| {
        let effective = version.effective_time.as_ref().and_then(time::from_proto);
        effective.map_or(Date::MIN, |instant| day_of(instant, &term.zone)).max(term.days.first())
    };
    let mut versions = Vec::new();
    for (index, version) in contract.versions.iter().enumerate() {
        let next = contract.versions.iter().skip(index + 1).map(from).min();
        let last = next.and_then(|next| next.yesterday().ok());
        let terms = version.terms.as_ref().or(contract.terms.as_ref());
        versions.extend(terms.zip(Days::new(from(version), last)));
    }
    if contract.versions.is_empty() {
        versions.extend(contract.terms.as_ref().zip(Days::new(term.days.first(), None)));
    }
    versions.sort_by_key(|(_, days)| days.first());
    versions
}
