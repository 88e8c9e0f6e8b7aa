//! Negotiation: a draft is offered, countered, and agreed or comes to nothing.
//!
//! Invariant: offers alternate between the parties, each is answered by the other one while it is valid, and every
//! round keeps its exact terms.

mod evolve;

use jiff::Timestamp as Instant;
use prost_types::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, Party, Round};
use tandem_proto::time;

pub(super) use evolve::{accepted, countered, declined, drafted, lapsed, proposed, withdrawn};

use super::decide::{Case, the};
use super::{Draft, origin};
use crate::terms::Terms;

impl Case<'_> {
    pub(super) fn draft(&self, draft: &Draft) -> Result<Event, Refusal> {
        self.require_brand("draft a contract")?;
        let Draft { brand, creator, title, terms, template } = draft.clone();
        let terms = Some(terms.message().clone());
        let mut drafted = pb::ContractDrafted { brand, creator, title, terms, ..pb::ContractDrafted::default() };
        if let Some(template) = &template {
            origin::draft_from(template, &mut drafted)?;
        }
        Ok(Event::Drafted(drafted))
    }

    pub(super) fn propose(&self, expire_time: Option<Instant>) -> Result<Event, Refusal> {
        if self.contract.state() != State::Draft {
            return Err(self.state_forbids("DRAFT", "proposed"));
        }
        self.require_brand("propose its draft")?;
        let expire_time = self.validity(expire_time)?;
        Ok(Event::Proposed(pb::ContractProposed { terms_hash: self.contract.terms_hash.clone(), expire_time }))
    }

    pub(super) fn counter(&self, terms: &Terms, expire_time: Option<Instant>) -> Result<Event, Refusal> {
        let offer = self.offer_of_other("countered", "counter")?;
        if terms.hash() == offer.terms_hash {
            return Err(Refusal::field("terms", "are those of the offer: change them, or accept the offer"));
        }
        Ok(Event::Countered(pb::ContractCountered {
            offered_by: self.by.into(),
            round: offer.number + 1,
            terms: Some(terms.message().clone()),
            terms_hash: terms.hash().to_owned(),
            expire_time: self.validity(expire_time)?.or(self.contract.offer_expire_time),
            ..pb::ContractCountered::default()
        }))
    }

    pub(super) fn accept(&self) -> Result<Event, Refusal> {
        let offer = self.offer_of_other("accepted", "accept")?;
        let (round, terms_hash) = (offer.number, offer.terms_hash.clone());
        Ok(Event::Accepted(pb::ContractAccepted { accepted_by: self.by.into(), round, terms_hash }))
    }

    pub(super) fn decline(&self, reason: &str) -> Result<Event, Refusal> {
        self.offer_of_other("declined", "decline")?;
        Ok(Event::Declined(pb::ContractDeclined { declined_by: self.by.into(), reason: reason.to_owned() }))
    }

    pub(super) fn withdraw(&self, reason: &str) -> Result<Event, Refusal> {
        let offer = self.offer("withdrawn")?;
        if offer.offered_by() != self.by {
            let message = format!(
                "Round {} of {} is the offer of {}, and only they can withdraw it. Decline or counter it instead.",
                offer.number,
                self.context.resource,
                the(offer.offered_by())
            );
            return Err(Refusal::new(ErrorReason::NotYourTurn, message));
        }
        Ok(Event::Withdrawn(pb::ContractWithdrawn { withdrawn_by: self.by.into(), reason: reason.to_owned() }))
    }

    /// The offer that waits for an answer.
    fn offer(&self, done: &str) -> Result<&Round, Refusal> {
        match (self.contract.state(), self.contract.rounds.last()) {
            (State::Proposed | State::Countered, Some(offer)) => Ok(offer),
            (State::Lapsed, Some(offer)) => Err(self.lapsed(offer, done)),
            _ => Err(self.state_forbids("PROPOSED or COUNTERED", done)),
        }
    }

    /// The offer that waits for this party's answer.
    fn offer_of_other(&self, done: &str, verb: &str) -> Result<&Round, Refusal> {
        let offer = self.offer(done)?;
        if offer.offered_by() == self.by {
            let message = format!(
                "Round {} of {} is {}'s own offer, and only the other party can {verb} it. Wait for their answer, or \
                 withdraw it.",
                offer.number,
                self.context.resource,
                the(self.by)
            );
            return Err(Refusal::new(ErrorReason::NotYourTurn, message));
        }
        Ok(offer)
    }

    fn lapsed(&self, offer: &Round, done: &str) -> Refusal {
        let until = expire_time(self.contract).map(|until| format!(" at {until}")).unwrap_or_default();
        let message = format!(
            "Round {} of {} lapsed{until}, and can't be {done} any more. Draft a new contract on these terms, and \
             propose it.",
            offer.number, self.context.resource
        );
        Refusal::new(ErrorReason::OutOfTime, message)
    }

    /// Until when an offer made now can be answered.
    fn validity(&self, expire_time: Option<Instant>) -> Result<Option<Timestamp>, Refusal> {
        let now = self.context.time;
        match expire_time {
            Some(until) if until <= now => {
                let description = format!("is {until}, not after now, {now}: give a later instant, or none");
                Err(Refusal::field("expire_time", description))
            }
            until => Ok(until.map(time::to_proto)),
        }
    }

    fn require_brand(&self, what: &str) -> Result<(), Refusal> {
        if self.by == Party::Brand {
            return Ok(());
        }
        let message =
            format!("Only the brand can {what}: {} is up to them. Wait for their offer.", self.context.resource);
        Err(Refusal::new(ErrorReason::NotYourTurn, message))
    }
}

/// When the open offer lapses.
pub(super) fn next_due(contract: &Contract) -> Option<Instant> {
    let open = matches!(contract.state(), State::Proposed | State::Countered);
    if open { expire_time(contract) } else { None }
}

pub(super) fn act(contract: &Contract, _now: Instant) -> Option<Event> {
    Some(Event::Lapsed(pb::ContractLapsed { expire_time: contract.offer_expire_time }))
}

fn expire_time(contract: &Contract) -> Option<Instant> {
    contract.offer_expire_time.as_ref().and_then(time::from_proto)
}
