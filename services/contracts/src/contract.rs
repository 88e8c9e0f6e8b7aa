//! The contract: terms negotiated in rounds, accepted, signed by both parties, and in force until they end.
//!
//! Invariant: a contract is in force only if one party accepted the other's last offer and both have signed its hash.

pub mod amendment;
mod calendar;
mod decide;
mod document;
mod evolve;
pub mod in_force;
mod negotiation;
mod origin;
mod resource;
mod schedule;
mod signing;
mod statutory;
pub(crate) mod term;
pub mod termination;
#[cfg(test)]
mod tests;
mod warning;

use jiff::Timestamp;
use tandem_aggregate::{Aggregate, Context, Refusal, Scheduled};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Party, SignatureMethod};

use crate::template::ContractTemplate;
use crate::terms::Terms;

/// A contract; its state is the resource that the API shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract(pub pb::Contract);

/// What a party asks of a contract.
#[derive(Clone, Debug)]
pub struct Command {
    /// For whom the caller acts: one of the two, and unspecified only for [`Action::ActOnDue`].
    pub by: Party,
    /// What they want.
    pub action: Action,
}

/// What can be asked of a contract.
#[derive(Clone, Debug)]
pub enum Action {
    /// To come into being.
    Draft(Draft),
    /// To be offered to the creator.
    Propose {
        /// Until when it can be answered; for ever if none.
        expire_time: Option<Timestamp>,
    },
    /// To be offered back on other terms.
    Counter {
        /// The other terms.
        terms: Terms,
        /// Until when it can be answered; as long as the offer before if none.
        expire_time: Option<Timestamp>,
    },
    /// To be agreed as offered.
    Accept,
    /// To come to nothing, by who was offered it.
    Decline {
        /// Why.
        reason: String,
    },
    /// To come to nothing, by who offered it.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// To be bound by it.
    Sign(Consent),
    /// To have a document that belongs to it.
    Attach(pb::Document),
    /// To be changed after signature.
    Amend(amendment::Action),
    /// Not to go on, or to end.
    End(termination::Action),
    /// What is due by itself by now.
    ActOnDue,
}

/// What a contract begins with.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `brands/{brand}`.
    pub brand: String,
    /// `creators/{creator}`.
    pub creator: String,
    /// For people.
    pub title: String,
    /// To be offered.
    pub terms: Terms,
    /// What they are drafted from.
    pub template: Option<FromTemplate>,
}

/// The template that a contract is drafted from.
#[derive(Clone, Debug)]
pub struct FromTemplate {
    /// As it is now.
    pub template: ContractTemplate,
    /// Which version of it; the newest if 0.
    pub version: i32,
}

/// What a signer declares.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Hash of the terms that they have read.
    pub terms_hash: String,
    /// In what capacity they sign.
    pub capacity: String,
    /// How.
    pub method: SignatureMethod,
    /// The signed document.
    pub document: Option<pb::Document>,
    /// Conflicts of exclusivity that it is signed in spite of.
    pub exclusivity_override: Option<pb::ExclusivityOverride>,
}

impl Aggregate for Contract {
    const KIND: Kind = Kind { context: "contracts", aggregate: "contract" };
    const COLLECTION: &'static str = "contracts";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        decide::decide(&self.0, command, context)
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        evolve::evolve(&mut self.0, event, &envelope.resource, envelope.time);
    }

    fn partnership(&self, _event: &Event) -> String {
        let brand = self.0.brand.trim_start_matches("brands/");
        let creator = self.0.creator.trim_start_matches("creators/");
        format!("partnerships/{brand}~{creator}")
    }
}

impl Scheduled for Contract {
    fn next_due(&self) -> Option<Timestamp> {
        schedule::next_due(&self.0)
    }

    fn act_on_due() -> Command {
        Command { by: Party::Unspecified, action: Action::ActOnDue }
    }
}
