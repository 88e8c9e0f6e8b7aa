//! Signing: both parties bind themselves to the terms that were agreed.
//!
//! Invariant: every signature is over the hash of the terms agreed, and a party signs once; with the second one the
//! contract is concluded.

use prost_types::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, ContractState as State, ExclusivityOverride, Signature};
use tandem_proto::time;

use super::decide::{Case, the};
use super::{Consent, document, term};
use crate::terms::committed_amount;

impl Case<'_> {
    pub(super) fn sign(&self, consent: &Consent) -> Result<Event, Refusal> {
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
        let document = consent.document.as_ref().map(|document| self.attached(document));
        let exclusivity_override = consent.exclusivity_override.clone();
        if contract.signatures.is_empty() {
            return Ok(Event::SignatureAdded(pb::SignatureAdded { signature, document, exclusivity_override }));
        }
        Ok(Event::Signed(pb::ContractSigned {
            signature,
            version: contract.round,
            brand: contract.brand.clone(),
            creator: contract.creator.clone(),
            committed_amount: contract.terms.as_ref().map(committed_amount),
            document,
            exclusivity_override,
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
}

pub(super) fn added(contract: &mut Contract, event: &pb::SignatureAdded) {
    contract.signatures.extend(event.signature.clone());
    document::add(contract, event.document.as_ref());
    override_conflicts(contract, event.exclusivity_override.as_ref());
}

/// The terms agreed become the first version, and the term begins to run.
pub(super) fn signed(contract: &mut Contract, event: &pb::ContractSigned, now: Timestamp) {
    contract.signatures.extend(event.signature.clone());
    document::add(contract, event.document.as_ref());
    override_conflicts(contract, event.exclusivity_override.as_ref());
    contract.sign_time = Some(now);
    contract.version = event.version;
    contract.versions = vec![pb::TermsVersion {
        version: event.version,
        terms_hash: contract.terms_hash.clone(),
        agree_time: Some(now),
        ..pb::TermsVersion::default()
    }];
    contract.end_date = contract.terms.as_ref().and_then(|terms| terms.end_date);
    contract.set_state(term::state_in_force(contract, now));
}

/// Both signatures may be given in spite of conflicts: the contract shows all of them, with the later reason.
fn override_conflicts(contract: &mut Contract, given: Option<&ExclusivityOverride>) {
    let Some(given) = given else { return };
    let mut all = given.clone();
    if let Some(before) = contract.exclusivity_override.take() {
        all.contracts.extend(before.contracts);
        all.contracts.sort();
        all.contracts.dedup();
    }
    contract.exclusivity_override = Some(all);
}
