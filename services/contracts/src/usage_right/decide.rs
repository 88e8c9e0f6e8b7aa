//! What becomes of a right: what is due first, then what is asked.
//!
//! Invariant: an end is announced only ahead of it, and in each window once for each number of days.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_aggregate::{Context, Refusal};
use tandem_money::dates::time_zone;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::UsageRightState as State;
use tandem_proto::contracts::v1::usage_right_event::Event;
use tandem_proto::time;

use super::Command;

/// Days ahead of the end on which it is announced, where the clause names none.
const WARNING_DAYS: [i32; 2] = [30, 7];

pub(super) fn decide(right: &pb::UsageRight, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    // A story told anew, under a test clock, does not turn back what has happened.
    let last = right.update_time.as_ref().and_then(time::from_proto);
    let now = last.map_or(context.time, |last| last.max(context.time));
    let due = due(right, now);
    let ended = matches!(due, Some(Event::Expired(_)));
    let state = if ended { State::Expired } else { right.state() };
    let asked = match command {
        Command::Define(defined) => define(right, state, defined, now),
        Command::Revoke { .. } if state == State::Unspecified => return Err(Refusal::not_found(context)),
        Command::Revoke { reason } if state == State::Active => {
            Some(Event::Revoked(pb::UsageRightRevoked { reason: reason.clone() }))
        }
        Command::Revoke { .. } | Command::ActOnDue => None,
    };
    // Who is told of another end, or of the end, need not be told that the old one is near.
    let due = due.filter(|_| ended || asked.is_none());
    Ok(due.into_iter().chain(asked).collect())
}

/// When something is due next.
pub(super) fn next_due(right: &pb::UsageRight) -> Option<Timestamp> {
    let end = end(right).filter(|_| right.state() == State::Active)?;
    let warnings = untold(right).filter_map(|days| ahead(right, end, days));
    Some(warnings.min().map_or(end, |warning| warning.min(end)))
}

/// The days ahead on which its end is announced.
pub(super) fn warning_days(right: &pb::UsageRight) -> &[i32] {
    if right.warning_days.is_empty() { &WARNING_DAYS } else { &right.warning_days }
}

fn define(right: &pb::UsageRight, state: State, defined: &pb::UsageRight, now: Timestamp) -> Option<Event> {
    let told = told_by_defining(defined, now);
    let defined = pb::UsageRight { warned_days: told, ..content(defined) };
    match state {
        State::Unspecified => Some(Event::Granted(pb::UsageRightGranted { right: Some(defined) })),
        State::Active if content(&defined) == content(right) => None,
        // What has ended stays so, unless it goes on.
        State::Expired | State::Revoked if end(&defined).is_none_or(|end| end <= now) => None,
        _ => Some(Event::Changed(pb::UsageRightChanged { right: Some(defined) })),
    }
}

/// What the contract says of a right, without what only the register knows.
fn content(right: &pb::UsageRight) -> pb::UsageRight {
    pb::UsageRight {
        name: String::new(),
        warned_days: Vec::new(),
        state: State::Unspecified.into(),
        revoke_reason: String::new(),
        create_time: None,
        update_time: None,
        etag: String::new(),
        ..right.clone()
    }
}

/// The days ahead that are past already when a right is granted or changed, which tells its end.
fn told_by_defining(right: &pb::UsageRight, now: Timestamp) -> Vec<i32> {
    let Some(end) = end(right) else { return Vec::new() };
    let begun = right.start_time.as_ref().and_then(time::from_proto).map_or(now, |start| start.max(now));
    let past = |days: &&i32| ahead(right, end, **days).is_none_or(|warning| warning <= begun);
    warning_days(right).iter().filter(past).copied().collect()
}

/// The end, or the nearest warning of it, if it is due.
fn due(right: &pb::UsageRight, now: Timestamp) -> Option<Event> {
    let end = end(right).filter(|_| right.state() == State::Active)?;
    let (contract, deliverable, kind) = (right.contract.clone(), right.deliverable.clone(), right.kind);
    let end_time = right.end_time;
    if end <= now {
        return Some(Event::Expired(pb::UsageRightExpired { end_time, contract, deliverable, kind }));
    }
    let due = untold(right).filter(|days| ahead(right, end, *days).is_some_and(|warning| warning <= now));
    let days_ahead = due.min()?;
    Some(Event::Expiring(pb::UsageRightExpiring { end_time, days_ahead, contract, deliverable, kind }))
}

fn untold(right: &pb::UsageRight) -> impl Iterator<Item = i32> {
    warning_days(right).iter().copied().filter(|days| !right.warned_days.contains(days))
}

/// So many days before the end, at the same hour there.
fn ahead(right: &pb::UsageRight, end: Timestamp, days: i32) -> Option<Timestamp> {
    let zone = time_zone(&right.time_zone).unwrap_or(TimeZone::UTC);
    let days = Span::new().try_days(days).ok()?;
    end.to_zoned(zone).checked_sub(days).ok().map(|warning| warning.timestamp())
}

fn end(right: &pb::UsageRight) -> Option<Timestamp> {
    right.end_time.as_ref().and_then(time::from_proto)
}
