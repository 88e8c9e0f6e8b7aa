//! What a contract allows: state first, then whose turn it is, then what was said.
//!
//! Invariant: every action is one event or a refusal that says what stands against it and what to do.

use tandem_aggregate::{Context, Refusal};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{ContractState as State, Party, Round, Signature};
use tandem_proto::time;

use super::{Action, Command, Consent, Draft, amendment, termination};
use crate::terms::{Terms, committed_amount};

pub(super) fn decide(contract: &pb::Contract, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let case = Case { contract, by: command.by, context };
    let exists = contract.state() != State::Unspecified;
    let event = match &command.action {
        Action::Draft(_) if exists => Err(Refusal::exists(context)),
        Action::Draft(draft) => case.draft(draft),
        _ if !exists => Err(Refusal::not_found(context)),
        Action::Propose { .. } => case.propose(),
        Action::Counter { terms, .. } => case.counter(terms),
        Action::Accept => case.accept(),
        Action::Decline { reason } => case.decline(reason),
        Action::Withdraw { reason } => case.withdraw(reason),
        Action::Sign(consent) => case.sign(consent),
        Action::Attach(_) => Err(case.state_forbids("DRAFT", "given documents")),
        Action::Amend(action) => return amendment::decide(&case, action),
        Action::End(action) => return termination::decide(&case, action),
        Action::ActOnDue => return Ok(Vec::new()),
    };
    event.map(|event| vec![event])
}

/// A contract before which a party stands.
pub(super) struct Case<'a> {
    pub(super) contract: &'a pb::Contract,
    pub(super) by: Party,
    pub(super) context: &'a Context<'a>,
}

impl Case<'_> {
    fn draft(&self, draft: &Draft) -> Result<Event, Refusal> {
        self.require_brand("draft a contract")?;
        let Draft { brand, creator, title, terms, .. } = draft;
        Ok(Event::Drafted(pb::ContractDrafted {
            brand: brand.clone(),
            creator: creator.clone(),
            title: title.clone(),
            terms: Some(terms.message().clone()),
            ..pb::ContractDrafted::default()
        }))
    }

    fn propose(&self) -> Result<Event, Refusal> {
        if self.contract.state() != State::Draft {
            return Err(self.state_forbids("DRAFT", "proposed"));
        }
        self.require_brand("propose its draft")?;
        Ok(Event::Proposed(pb::ContractProposed {
            terms_hash: self.contract.terms_hash.clone(),
            ..pb::ContractProposed::default()
        }))
    }

    fn counter(&self, terms: &Terms) -> Result<Event, Refusal> {
        let offer = self.offer_of_other("countered", "counter")?;
        if terms.hash() == offer.terms_hash {
            return Err(Refusal::field("terms", "are those of the offer: change them, or accept the offer"));
        }
        Ok(Event::Countered(pb::ContractCountered {
            offered_by: self.by.into(),
            round: offer.number + 1,
            terms: Some(terms.message().clone()),
            terms_hash: terms.hash().to_owned(),
            ..pb::ContractCountered::default()
        }))
    }

    fn accept(&self) -> Result<Event, Refusal> {
        let offer = self.offer_of_other("accepted", "accept")?;
        let (round, terms_hash) = (offer.number, offer.terms_hash.clone());
        Ok(Event::Accepted(pb::ContractAccepted { accepted_by: self.by.into(), round, terms_hash }))
    }

    fn decline(&self, reason: &str) -> Result<Event, Refusal> {
        self.offer_of_other("declined", "decline")?;
        Ok(Event::Declined(pb::ContractDeclined { declined_by: self.by.into(), reason: reason.to_owned() }))
    }

    fn withdraw(&self, reason: &str) -> Result<Event, Refusal> {
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

    fn sign(&self, consent: &Consent) -> Result<Event, Refusal> {
        let (contract, resource) = (self.contract, self.context.resource);
        if contract.signatures.iter().any(|signature| signature.party() == self.by) {
            let message = format!("{resource} is signed by {} already. Nothing is left to do for them.", the(self.by));
            return Err(Refusal::new(ErrorReason::AlreadySigned, message));
        }
        if contract.state() != State::Accepted {
            return Err(self.state_forbids("ACCEPTED", "signed"));
        }
        if consent.terms_hash != contract.terms_hash {
            let message = format!(
                "The terms of {resource} that were agreed have the hash {}, not {}. Get the contract, read its terms, and \
                 sign their terms_hash.",
                contract.terms_hash, consent.terms_hash
            );
            return Err(Refusal::new(ErrorReason::TermsHashMismatch, message));
        }
        let signature = Some(self.signature(consent));
        if contract.signatures.is_empty() {
            return Ok(Event::SignatureAdded(pb::SignatureAdded { signature, ..pb::SignatureAdded::default() }));
        }
        Ok(Event::Signed(pb::ContractSigned {
            signature,
            version: contract.round,
            brand: contract.brand.clone(),
            creator: contract.creator.clone(),
            committed_amount: contract.terms.as_ref().map(committed_amount),
            ..pb::ContractSigned::default()
        }))
    }

    fn signature(&self, consent: &Consent) -> Signature {
        let Consent { terms_hash, capacity, method, .. } = consent.clone();
        Signature {
            party: self.by.into(),
            signer: self.context.actor.to_owned(),
            capacity,
            method: method.into(),
            terms_hash,
            sign_time: Some(time::to_proto(self.context.time)),
        }
    }

    /// The offer that waits for an answer.
    fn offer(&self, done: &str) -> Result<&Round, Refusal> {
        match (self.contract.state(), self.contract.rounds.last()) {
            (State::Proposed | State::Countered, Some(offer)) => Ok(offer),
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

    fn require_brand(&self, what: &str) -> Result<(), Refusal> {
        if self.by == Party::Brand {
            return Ok(());
        }
        let message =
            format!("Only the brand can {what}: {} is up to them. Wait for their offer.", self.context.resource);
        Err(Refusal::new(ErrorReason::NotYourTurn, message))
    }

    pub(super) fn state_forbids(&self, needed: &str, done: &str) -> Refusal {
        let state = super::resource::state_name(self.contract);
        let message = format!("{} is {state}; only a contract in {needed} can be {done}.", self.context.resource);
        Refusal::new(ErrorReason::StateForbids, message)
    }
}

/// A party, in a sentence.
pub(super) fn the(party: Party) -> &'static str {
    if party == Party::Creator { "the creator" } else { "the brand" }
}
