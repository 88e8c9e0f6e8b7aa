//! The book of a creator: all that their contracts bind them to, over all brands of a tenant.
//!
//! Invariant: what is reserved by a signature conflicts with nothing else in the book but what was overridden by name.

use std::collections::BTreeMap;

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_money::dates::date_to_proto;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::exclusivity_event::Event;
use tandem_proto::contracts::v1::{Commitment, ExclusivityConflict};

use super::commitment::{binds, last_day};
use super::conflict::conflicts;

/// Conflicts that a refusal explains; CheckExclusivity explains all.
const EXPLAINED: usize = 3;

/// What binds a creator, by contract. Its id is the creator's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    entries: BTreeMap<String, Entry>,
}

/// What a contract binds to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    commitment: Commitment,
    overridden: Vec<String>,
}

/// What can be asked of a book.
#[derive(Clone, Debug)]
pub enum Command {
    /// To be bound by a contract that is being signed.
    Reserve {
        /// To what.
        commitment: Commitment,
        /// What it may conflict with.
        overriding: Overriding,
    },
    /// To say what a signed contract binds to by now, whatever that conflicts with: it is agreed already.
    Keep(Commitment),
}

/// What may be signed in spite of.
#[derive(Clone, Debug)]
pub enum Overriding {
    /// These contracts, by name; nothing if there are none.
    These(Vec<String>),
    /// Whatever stands against it: a reason was given by somebody who may.
    All,
}

impl Book {
    /// What stands against a contract, signed or not; what itself has reserved does not.
    #[must_use]
    pub fn conflicts(&self, asked: &Commitment) -> Vec<ExclusivityConflict> {
        self.entries.values().flat_map(|entry| conflicts(asked, &entry.commitment)).collect()
    }

    /// What a contract binds to; none if it never did.
    #[must_use]
    pub fn commitment(&self, contract: &str) -> Option<&Commitment> {
        self.entries.get(contract).map(|entry| &entry.commitment)
    }

    /// Contracts that a contract binds in spite of.
    #[must_use]
    pub fn overridden(&self, contract: &str) -> &[String] {
        self.entries.get(contract).map_or(&[], |entry| &entry.overridden)
    }

    fn reserve(&self, commitment: &Commitment, overriding: &Overriding, by: &str) -> Result<Event, Refusal> {
        let conflicts = self.conflicts(commitment);
        let against = names(&conflicts);
        let overridden = match overriding {
            Overriding::All => true,
            Overriding::These(contracts) => against.iter().all(|contract| contracts.contains(contract)),
        };
        if overridden { Ok(reserved(commitment, against)) } else { Err(refusal(commitment, &conflicts, by)) }
    }

    fn keep(&self, commitment: &Commitment) -> Option<Event> {
        let against = names(&self.conflicts(commitment));
        let Some(held) = self.entries.get(&commitment.contract) else {
            return binds(commitment).then(|| reserved(commitment, against));
        };
        if held.commitment == *commitment {
            return None;
        }
        let last = last_day(commitment);
        let earlier = last < last_day(&held.commitment);
        if !earlier || against.iter().any(|contract| !held.overridden.contains(contract)) {
            return Some(reserved(commitment, against));
        }
        Some(Event::Released(pb::ExclusivityReleased {
            contract: commitment.contract.clone(),
            end_date: binds(commitment).then(|| date_to_proto(last)),
            commitment: Some(commitment.clone()),
        }))
    }
}

impl Aggregate for Book {
    const KIND: Kind = Kind { context: "contracts", aggregate: "exclusivity" };
    const COLLECTION: &'static str = "exclusivities";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Reserve { commitment, overriding } => {
                Ok(vec![self.reserve(commitment, overriding, context.actor)?])
            }
            Command::Keep(commitment) => Ok(self.keep(commitment).into_iter().collect()),
        }
    }

    fn evolve(&mut self, event: &Event, _envelope: &Envelope) {
        match event {
            Event::Reserved(pb::ExclusivityReserved { commitment, overridden_contracts }) => {
                let commitment = commitment.clone().unwrap_or_default();
                let entry = Entry { commitment, overridden: overridden_contracts.clone() };
                self.entries.insert(entry.commitment.contract.clone(), entry);
            }
            Event::Released(pb::ExclusivityReleased { contract, commitment, .. }) => {
                if let Some(entry) = self.entries.get_mut(contract) {
                    entry.commitment = commitment.clone().unwrap_or_default();
                }
            }
        }
    }

    fn partnership(&self, event: &Event) -> String {
        let commitment = match event {
            Event::Reserved(event) => event.commitment.as_ref(),
            Event::Released(event) => event.commitment.as_ref(),
        };
        commitment.map_or_else(String::new, |commitment| {
            let brand = commitment.brand.trim_start_matches("brands/");
            let creator = commitment.creator.trim_start_matches("creators/");
            format!("partnerships/{brand}~{creator}")
        })
    }
}

/// The contracts that conflicts are with, each once.
fn names(conflicts: &[ExclusivityConflict]) -> Vec<String> {
    let mut names: Vec<_> = conflicts.iter().map(|conflict| conflict.contract.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn reserved(commitment: &Commitment, overridden_contracts: Vec<String>) -> Event {
    Event::Reserved(pb::ExclusivityReserved { commitment: Some(commitment.clone()), overridden_contracts })
}

/// Names all contracts that stand against it, and says why of the first.
fn refusal(commitment: &Commitment, conflicts: &[ExclusivityConflict], by: &str) -> Refusal {
    let against = names(conflicts);
    let explained: Vec<_> = conflicts.iter().take(EXPLAINED).map(|conflict| conflict.explanation.as_str()).collect();
    let more = match conflicts.len().saturating_sub(EXPLAINED) {
        0 => String::new(),
        more => format!(" CheckExclusivity tells {more} more."),
    };
    let remedy = if by.starts_with("creators/") {
        "Agree on other terms, or let the brand sign first in spite of it."
    } else {
        "Agree on other terms, end or amend the other contract, or sign in spite of it with an \
         exclusivity_override_reason, which needs the permission contracts.override."
    };
    let (contract, explained) = (&commitment.contract, explained.join(" "));
    let message = format!("{contract} conflicts with {}. {explained}{more} {remedy}", against.join(", "));
    Refusal::new(ErrorReason::ExclusivityConflict, message).with("contracts", against.join(","))
}
