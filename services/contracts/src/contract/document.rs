//! Documents that belong to a contract, known by the hash of their bytes.
//!
//! Invariant: a contract has no two documents of one hash, and none is added after its end.

use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{Contract, Document};
use tandem_proto::time;

use super::decide::Case;
use super::resource::{has_ended, state_name};

impl Case<'_> {
    /// Nothing follows if it is there already.
    pub(super) fn attach(&self, document: &Document) -> Result<Option<Event>, Refusal> {
        if has_ended(self.contract) {
            let message = format!(
                "{} is {}: documents are attached before a contract's end. Attach it to a contract that goes on.",
                self.context.resource,
                state_name(self.contract)
            );
            return Err(Refusal::new(ErrorReason::StateForbids, message));
        }
        if has(self.contract, document) {
            return Ok(None);
        }
        let document = Some(self.attached(document));
        Ok(Some(Event::DocumentAttached(pb::DocumentAttached { document })))
    }

    /// The document, with when and by whom it is attached.
    pub(super) fn attached(&self, document: &Document) -> Document {
        let attach_time = Some(time::to_proto(self.context.time));
        Document { attach_time, attached_by: self.context.actor.to_owned(), ..document.clone() }
    }
}

/// Takes in a document; the second of the same hash is left out.
pub(super) fn add(contract: &mut Contract, document: Option<&Document>) {
    contract.documents.extend(document.filter(|document| !has(contract, document)).cloned());
}

fn has(contract: &Contract, document: &Document) -> bool {
    contract.documents.iter().any(|other| other.sha256 == document.sha256)
}
