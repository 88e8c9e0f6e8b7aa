//! The term: when a contract begins, and at its end renews itself or expires.
//!
//! Invariant: days are those of the contract's time zone. A renewal ends whole calendar months after the end that the
//! terms name, so its day of the month does not drift however often it renews.
//!
//! Terms are the newest agreed ones. Suspension doesn't stop the term: a suspended contract expires, or renews itself
//! and stays suspended.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_money::dates::{self, date_from_proto, date_to_proto};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, Party, RenewalClause};
use tandem_proto::time;

use super::warning;

/// Whether it is signed by both and not ended.
pub(super) fn in_force(contract: &Contract) -> bool {
    matches!(contract.state(), State::Upcoming | State::Active | State::Suspended)
}

/// UPCOMING if the first day is yet to come, else ACTIVE: where a contract stands that is signed and not suspended.
pub(super) fn state_in_force(contract: &Contract, now: prost_types::Timestamp) -> State {
    let upcoming = start(contract).zip(time::from_proto(&now)).is_some_and(|(start, now)| now < start);
    if upcoming { State::Upcoming } else { State::Active }
}

/// The time zone in which its days are counted; as all here, none only if the terms could not be parsed.
pub(super) fn zone(contract: &Contract) -> Option<TimeZone> {
    dates::time_zone(&contract.terms.as_ref()?.time_zone).ok()
}

/// The first instant of its first day.
pub(super) fn start(contract: &Contract) -> Option<Timestamp> {
    dates::start_of_day(first_day(contract)?, &zone(contract)?).ok()
}

/// The instant at which its last day, after renewals, is over.
pub(super) fn end(contract: &Contract) -> Option<Timestamp> {
    dates::end_of_day(last_day(contract)?, &zone(contract)?).ok()
}

/// Its last day, after renewals.
pub(super) fn last_day(contract: &Contract) -> Option<Date> {
    date_from_proto(contract.end_date.as_ref()?).ok()
}

/// Its clause on renewal.
pub(super) fn renewal(contract: &Contract) -> Option<&RenewalClause> {
    contract.terms.as_ref()?.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Renewal(renewal)) => Some(renewal),
        _ => None,
    })
}

/// Its clause on renewal, if it will renew itself at the end of this term: that is agreed, and nobody has given notice.
pub(crate) fn renews(contract: &Contract) -> Option<&RenewalClause> {
    renewal(contract).filter(|clause| clause.auto_renew && contract.renewal_notice_by() == Party::Unspecified)
}

/// The last day for notice against renewal at the end of this term.
pub(super) fn last_day_for_notice(contract: &Contract) -> Option<Date> {
    days_before(last_day(contract)?, renewal(contract)?.notice_days)
}

pub(super) fn days_before(day: Date, days: i32) -> Option<Date> {
    day.checked_sub(Span::new().try_days(days).ok()?).ok()
}

/// When the first day begins, a warning is to be given, or the last day is over.
pub(super) fn next_due(contract: &Contract) -> Option<Timestamp> {
    if !in_force(contract) {
        return None;
    }
    let start = start(contract).filter(|_| contract.state() == State::Upcoming);
    [start, warning::next_due(contract), end(contract)].into_iter().flatten().min()
}

/// A term that is over is not warned of any more.
pub(super) fn act(contract: &Contract, now: Timestamp) -> Option<Event> {
    if contract.state() == State::Upcoming && start(contract)? <= now {
        let start_date = Some(date_to_proto(first_day(contract)?));
        return Some(Event::Started(pb::ContractStarted { start_date }));
    }
    if end(contract)? > now {
        return warning::act(contract, now).map(Event::DeadlineWarned);
    }
    let renewed = next_term(contract).map(|(start, end)| pb::ContractRenewed {
        renewal_count: contract.renewal_count + 1,
        start_date: Some(date_to_proto(start)),
        end_date: Some(date_to_proto(end)),
    });
    let expired = || Event::Expired(pb::ContractExpired { end_date: contract.end_date });
    Some(renewed.map_or_else(expired, Event::Renewed))
}

/// First and last day of the term that follows by renewal; none if none does, for the calendar's end if for no other
/// reason.
fn next_term(contract: &Contract) -> Option<(Date, Date)> {
    let (first_end, end) = (date_from_proto(contract.terms.as_ref()?.end_date.as_ref()?).ok()?, last_day(contract)?);
    // As long as days of the month are only cut off, the months between are whole.
    let months = months(end) - months(first_end) + renews(contract)?.term_months;
    let next_end = first_end.checked_add(Span::new().try_months(months).ok()?).ok()?;
    dates::end_of_day(next_end, &zone(contract)?).ok()?;
    Some((end.tomorrow().ok()?, next_end))
}

fn months(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month())
}

fn first_day(contract: &Contract) -> Option<Date> {
    date_from_proto(contract.terms.as_ref()?.start_date.as_ref()?).ok()
}

/// Follows a change of the terms by amendment: if that moves the end that the terms name, the contract ends there, and
/// renewals are counted from there.
pub(super) fn follow(contract: &mut Contract, before: &pb::Terms) {
    let named = contract.terms.as_ref().and_then(|terms| terms.end_date);
    if named != before.end_date {
        contract.end_date = named;
    }
}

pub(super) fn started(contract: &mut Contract) {
    contract.set_state(State::Active);
}

pub(super) fn renewed(contract: &mut Contract, event: &pb::ContractRenewed) {
    contract.renewal_count = event.renewal_count;
    contract.end_date = event.end_date;
}

pub(super) fn expired(contract: &mut Contract) {
    // Nothing is left to be decided on, nor to end by notice.
    contract.suspension = None;
    contract.termination = None;
    contract.proposed_termination = None;
    contract.set_state(State::Expired);
}
