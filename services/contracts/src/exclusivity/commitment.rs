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

mod term;

use jiff::civil::Date;
use tandem_money::dates::{date_from_proto, date_to_proto};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{Commitment, ContractState as State, ExclusivityWindow, Terms};

use super::days::Days;
use term::{Term, versions};

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
    let everywhere = vec![WORLD.to_owned()];
    let first = used.next().unwrap_or(&everywhere);
    add(&mut bound.territories, first.iter().chain(used.flatten()));
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
