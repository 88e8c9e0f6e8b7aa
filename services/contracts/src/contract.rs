//! The contract: terms negotiated in rounds, accepted, and signed by both parties.
//!
//! Invariant: a contract is SIGNED only if one party accepted the other's last offer and both have signed its hash.

mod decide;
mod evolve;
mod resource;
#[cfg(test)]
mod tests;

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Party, SignatureMethod};

use crate::terms::Terms;

/// A contract; its state is the resource that the API shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract(pub pb::Contract);

/// What a party asks of a contract.
#[derive(Clone, Debug)]
pub struct Command {
    /// For whom the caller acts: one of the two, never unspecified.
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
    Propose,
    /// To be offered back on other terms.
    Counter(Terms),
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
}

impl Aggregate for Contract {
    const KIND: Kind = Kind { context: "contracts", aggregate: "contract" };
    const COLLECTION: &'static str = "contracts";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        decide::decide(&self.0, command, context).map(|event| vec![event])
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        evolve::evolve(&mut self.0, event, envelope);
    }

    fn partnership(&self, _event: &Event) -> String {
        let brand = self.0.brand.trim_start_matches("brands/");
        let creator = self.0.creator.trim_start_matches("creators/");
        format!("partnerships/{brand}~{creator}")
    }
}
