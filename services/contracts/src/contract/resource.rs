//! The contract as a resource: what the API shows and lists.
//!
//! Invariant: what a list filters and orders by is computed from the resource alone.

use prost_types::Timestamp;
use tandem_proto::contracts::v1::{AmendmentState, Contract as Message, ContractState as State, Party};
use tandem_proto::google::r#type::Date;
use tandem_service::Resource;
use tandem_views::Column;

use super::decide::other;
use super::{Contract, term};

impl Resource for Contract {
    const VIEW: &'static str = "contracts";
    const VERSION: i32 = 5;
    type Message = Message;

    fn columns() -> Vec<Column<Message>> {
        vec![
            Column::text("name", |contract: &Message| contract.name.clone()),
            Column::text("brand", |contract: &Message| contract.brand.clone()).indexed(),
            Column::text("creator", |contract: &Message| contract.creator.clone()).indexed(),
            Column::enumeration("state", "tandem.contracts.v1.ContractState", |contract: &Message| contract.state)
                .indexed(),
            Column::text("title", |contract: &Message| contract.title.clone()),
            Column::text("start_date", |contract: &Message| {
                day(contract.terms.as_ref().and_then(|terms| terms.start_date))
            }),
            Column::text("end_date", |contract: &Message| {
                day(contract.end_date.or_else(|| contract.terms.as_ref()?.end_date))
            })
            .indexed(),
            Column::enumeration_set("awaiting", "tandem.contracts.v1.Party", |contract: &Message| {
                awaited(contract).into_iter().map(i32::from).collect()
            }),
            Column::flag("conflicting", |contract: &Message| contract.exclusivity_override.is_some()),
            Column::flag("flagged", |contract: &Message| !contract.statutory_findings.is_empty()),
            Column::text("template", |contract: &Message| contract.template.clone()),
            Column::time("create_time", |contract: &Message| -> Option<Timestamp> { contract.create_time }),
            Column::time("update_time", |contract: &Message| -> Option<Timestamp> { contract.update_time }),
        ]
    }

    fn from_message(message: Message) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> Message {
        Message { etag, ..self.0 }
    }
}

/// The parties whose action is awaited: an answer to an offer, an amendment or a proposal to end the contract, or a
/// signature.
pub(super) fn awaited(contract: &Message) -> Vec<Party> {
    let mut parties = Vec::new();
    match contract.state() {
        State::Proposed | State::Countered => {
            parties.extend(contract.rounds.last().map(|offer| other(offer.offered_by())));
        }
        State::Accepted => {
            let signed = |party| contract.signatures.iter().any(|signature| signature.party() == party);
            parties.extend([Party::Brand, Party::Creator].into_iter().filter(|party| !signed(*party)));
        }
        _ if term::in_force(contract) => {
            let open = contract.amendments.iter().filter(|amendment| amendment.state() == AmendmentState::Proposed);
            parties.extend(open.map(|amendment| other(amendment.proposed_by())));
            parties.extend(contract.proposed_termination.iter().map(|proposal| other(proposal.party())));
        }
        _ => {}
    }
    parties.sort();
    parties.dedup();
    parties
}

/// Whether nothing follows any more.
pub(super) fn has_ended(contract: &Message) -> bool {
    match contract.state() {
        State::Declined | State::Withdrawn | State::Lapsed | State::Expired | State::Terminated => true,
        State::Unspecified
        | State::Draft
        | State::Proposed
        | State::Countered
        | State::Accepted
        | State::Upcoming
        | State::Active
        | State::Suspended => false,
    }
}

/// The state without its prefix, as "ACTIVE": for people.
pub(super) fn state_name(contract: &Message) -> String {
    contract.state().as_str_name().trim_start_matches("CONTRACT_STATE_").to_owned()
}

impl Contract {
    /// With the terms of a round that was, or none if there was no such round.
    #[must_use]
    pub fn at_round(mut self, number: i32) -> Option<Self> {
        let round = self.0.rounds.iter().find(|round| round.number == number)?;
        // The last round's terms are the contract's, until an amendment follows.
        if round.terms.is_some() {
            self.0.terms.clone_from(&round.terms);
        }
        self.0.terms_hash.clone_from(&round.terms_hash);
        self.0.round = number;
        Some(self)
    }
}

/// A day as "2026-07-01", so that days order as texts do.
fn day(date: Option<Date>) -> String {
    let date = date.unwrap_or_default();
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}
