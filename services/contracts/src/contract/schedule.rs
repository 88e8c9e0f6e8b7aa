//! What is due when: the clocks of a contract, and catching up with them.
//!
//! Invariant: acting at or after [`next_due`] changes the contract, and what is due first happens first; so a timer that
//! is armed for it is never armed twice for nothing, and a late one leads to the same contract as one on time.

use std::borrow::Cow;

use jiff::Timestamp;
use tandem_aggregate::Context;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::contracts::v1::contract_event::Event;

use super::{evolve, negotiation, term, termination};

/// At most so many events at once: half of what the log takes in one batch.
pub(super) const AT_ONCE: usize = 500;

/// Something that comes to pass by time alone.
struct Clock {
    /// When it does; none if it doesn't.
    next_due: fn(&Contract) -> Option<Timestamp>,
    /// What it is then, as seen from a later instant; some from [`Self::next_due`] on.
    act: fn(&Contract, Timestamp) -> Option<Event>,
}

/// All clocks. What is due at the same instant happens in this order: a contract that is terminated with the end of its
/// last day is not renewed.
const CLOCKS: [Clock; 3] = [
    Clock { next_due: negotiation::next_due, act: negotiation::act },
    Clock { next_due: termination::next_due, act: termination::act },
    Clock { next_due: term::next_due, act: term::act },
];

/// When something is due next.
pub(super) fn next_due(contract: &Contract) -> Option<Timestamp> {
    CLOCKS.iter().filter_map(|clock| (clock.next_due)(contract)).min()
}

/// Whether something is due by an instant.
pub(super) fn is_due(contract: &Contract, now: Timestamp) -> bool {
    next_due(contract).is_some_and(|due| due <= now)
}

/// All that is due by the time of the context, at most [`AT_ONCE`], and the contract after it.
pub(super) fn catch_up<'a>(contract: &'a Contract, context: &Context<'_>) -> (Vec<Event>, Cow<'a, Contract>) {
    let mut contract = Cow::Borrowed(contract);
    let mut events = Vec::new();
    while events.len() < AT_ONCE
        && let Some(event) = act(&contract, context.time)
    {
        evolve::evolve(contract.to_mut(), &event, context.resource, context.time);
        events.push(event);
    }
    (events, contract)
}

/// What is due first, if it is due by now.
fn act(contract: &Contract, now: Timestamp) -> Option<Event> {
    let dues = CLOCKS.iter().filter_map(|clock| Some(((clock.next_due)(contract)?, clock)));
    // Of equals the first.
    let (due, clock) = dues.min_by_key(|(due, _)| *due)?;
    if due <= now { (clock.act)(contract, now) } else { None }
}
