//! What a contract binds its creator to: work in categories, and not to work for others.
//!
//! Invariant: a function of the contract alone, the same before and after it is signed.
//!
//! What the terms leave open is read so:
//! - The work is in the categories of the deliverables clause, else in those of the contract's own exclusivity. A contract
//!   with neither says nothing of what it is for, and conflicts with nothing.
//! - It is on the channels of the deliverables; on all of them if none are owed.
//! - It is for the territories that content may be used in; for the whole world if no use is granted.
//! - It takes all days of the contract, and as many as there will be while the contract renews itself.
//! - An exclusivity clause holds on the days of the contract and the agreed days after its end, as long as the version of
//!   the terms that has it is the one in force. The work is that of all versions that apply on any day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_money::dates::{date_from_proto, date_to_proto, day_of, time_zone};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{Commitment, ContractState as State, Effect, ExclusivityWindow, Terms};
use tandem_proto::time;

use super::days::Days;
use crate::contract::term::renews;

/// All territories.
pub const WORLD: &str = "WORLD";

/// What a contract binds its creator to, or would if it was signed as it is. It has neither categories nor windows if it
/// binds to nothing, as one does that was declined or ended before its first day.
#[must_use]
pub fn commitment(contract: &pb::Contract) -> Commitment {
    let nothing = Commitment {
        contract: contract.name.clone(),
        brand: contract.brand.clone(),
        creator: contract.creator.clone(),
        ..Commitment::default()
    };
    let refused = matches!(contract.state(), State::Declined | State::Withdrawn | State::Lapsed);
    let Some(term) = Term::of(contract).filter(|_| !refused) else { return nothing };
    let mut bound = Commitment {
        start_date: Some(date_to_proto(term.days.first())),
        end_date: Some(date_to_proto(term.last)),
        open_ended: term.days.last().is_none(),
        ..nothing
    };
    let mut everywhere = false;
    for (terms, days) in versions(contract, &term) {
        if days.overlap(&term.days).is_some() {
            everywhere |= add_work(&mut bound, terms);
        }
        for clause in &terms.clauses {
            let Some(Kind::Exclusivity(exclusivity)) = &clause.clause else { continue };
            if let Some(days) = term.exclusive(&clause.clause_id, exclusivity).and_then(|held| held.overlap(&days)) {
                add_window(&mut bound.windows, window(&clause.clause_id, exclusivity, days), days);
            }
        }
    }
    if everywhere {
        bound.channels.clear();
    }
    bound
}

/// Whether a commitment binds to anything.
#[must_use]
pub fn binds(commitment: &Commitment) -> bool {
    !commitment.categories.is_empty() || !commitment.windows.is_empty()
}

/// The last day on which a commitment binds to anything; the end of the calendar if it has none yet, its beginning if it
/// binds to nothing.
#[must_use]
pub fn last_day(commitment: &Commitment) -> Date {
    if !binds(commitment) {
        return Date::MIN;
    }
    let windows = commitment.windows.iter().map(|window| window.end_date);
    let work = commitment.end_date.filter(|_| !commitment.open_ended);
    let days = windows.chain([work]).map(|day| day.and_then(|day| date_from_proto(&day).ok()).unwrap_or(Date::MAX));
    days.max().unwrap_or(Date::MAX)
}

/// The days of a contract, and what becomes of its clauses after them.
struct Term<'a> {
    /// All its days, without end while it renews itself.
    days: Days,
    /// Its last day as things stand, whether it will renew itself or not.
    last: Date,
    zone: TimeZone,
    effects: &'a [pb::ClauseEffect],
}

impl<'a> Term<'a> {
    /// None if there is no day on which the contract runs.
    fn of(contract: &'a pb::Contract) -> Option<Self> {
        let terms = contract.terms.as_ref()?;
        let zone = time_zone(&terms.time_zone).ok()?;
        let first = date_from_proto(terms.start_date.as_ref()?).ok()?;
        let agreed = date_from_proto(contract.end_date.as_ref().or(terms.end_date.as_ref())?).ok()?;
        let (ended, effects) = match &contract.termination {
            Some(termination) => (last_day_before(termination.effective_time, &zone), &termination.effects[..]),
            None => (None, &[][..]),
        };
        let last = ended.map_or(agreed, |ended| ended.min(agreed));
        let over = matches!(contract.state(), State::Expired | State::Terminated);
        let renews = ended.is_none() && !over && renews(contract).is_some();
        // A last day before the first is no term, whether it renews itself or not.
        Days::new(first, Some(last))?;
        Some(Self { days: Days::new(first, (!renews).then_some(last))?, last, zone, effects })
    }

    /// The days on which an exclusivity clause would hold if its terms always applied.
    fn exclusive(&self, clause_id: &str, clause: &pb::ExclusivityClause) -> Option<Days> {
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
fn versions<'a>(contract: &'a pb::Contract, term: &Term<'_>) -> Vec<(&'a Terms, Days)> {
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

/// Adds what the terms are for. Answers whether that is on all channels.
fn add_work(bound: &mut Commitment, terms: &Terms) -> bool {
    let kinds = || terms.clauses.iter().filter_map(|clause| clause.clause.as_ref());
    let owed = kinds().find_map(|kind| match kind {
        Kind::Deliverables(clause) => Some(clause),
        _ => None,
    });
    match owed.map(|clause| &clause.categories).filter(|categories| !categories.is_empty()) {
        Some(categories) => add(&mut bound.categories, categories),
        None => kinds().for_each(|kind| {
            if let Kind::Exclusivity(clause) = kind {
                add(&mut bound.categories, &clause.categories);
            }
        }),
    }
    add(&mut bound.channels, owed.iter().flat_map(|clause| &clause.deliverables).map(|owed| &owed.channel));
    let mut used = kinds().filter_map(|kind| match kind {
        Kind::UsageRights(clause) => Some(&clause.territories),
        _ => None,
    });
    match used.next() {
        Some(first) => {
            add(&mut bound.territories, used.fold(first.clone(), |all, more| [&all[..], more].concat()).iter())
        }
        None => add(&mut bound.territories, [&WORLD.to_owned()]),
    }
    owed.is_none()
}

/// Adds what is not there yet.
fn add<'a>(to: &mut Vec<String>, values: impl IntoIterator<Item = &'a String>) {
    for value in values {
        if !to.contains(value) {
            to.push(value.clone());
        }
    }
}

fn window(clause_id: &str, clause: &pb::ExclusivityClause, days: Days) -> ExclusivityWindow {
    ExclusivityWindow {
        clause_id: clause_id.to_owned(),
        categories: clause.categories.clone(),
        territories: clause.territories.clone(),
        channels: clause.channels.clone(),
        start_date: Some(date_to_proto(days.first())),
        end_date: days.last_to_proto(),
    }
}

/// Adds a window; to the one before it, where a later version of the terms left the clause as it was.
fn add_window(windows: &mut Vec<ExclusivityWindow>, window: ExclusivityWindow, days: Days) {
    let goes_on = windows.iter_mut().find(|before| {
        let same = ExclusivityWindow { start_date: before.start_date, end_date: before.end_date, ..window.clone() };
        let held = Days::from_proto(before.start_date.as_ref(), before.end_date.as_ref());
        **before == same && held.is_some_and(|held| held.touches(&days))
    });
    match goes_on {
        Some(before) => before.end_date = window.end_date,
        None => windows.push(window),
    }
}
