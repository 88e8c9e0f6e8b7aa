//! The contract as a resource: what the API shows and lists.
//!
//! Invariant: what a list filters and orders by is computed from the resource alone.

use prost_types::Timestamp;
use tandem_proto::contracts::v1::{Contract as Message, Terms};
use tandem_proto::google::r#type::Date;
use tandem_service::Resource;
use tandem_views::Column;

use super::Contract;

impl Resource for Contract {
    const VIEW: &'static str = "contracts";
    const VERSION: i32 = 2;
    type Message = Message;

    fn columns() -> Vec<Column<Message>> {
        vec![
            Column::text("name", |contract: &Message| contract.name.clone()),
            Column::text("brand", |contract: &Message| contract.brand.clone()).indexed(),
            Column::text("creator", |contract: &Message| contract.creator.clone()).indexed(),
            Column::enumeration("state", "tandem.contracts.v1.ContractState", |contract: &Message| contract.state)
                .indexed(),
            Column::text("title", |contract: &Message| contract.title.clone()),
            Column::text("start_date", |contract| day(contract, |terms| terms.start_date)),
            Column::text("end_date", |contract| day(contract, |terms| terms.end_date)).indexed(),
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

/// The state without its prefix, as "SIGNED": for people.
pub(super) fn state_name(contract: &Message) -> String {
    contract.state().as_str_name().trim_start_matches("CONTRACT_STATE_").to_owned()
}

impl Contract {
    /// With the terms of a round that was, or none if there was no such round.
    #[must_use]
    pub fn at_round(mut self, number: i32) -> Option<Self> {
        let round = self.0.rounds.iter().find(|round| round.number == number)?;
        if number != self.0.round {
            self.0.terms.clone_from(&round.terms);
            self.0.terms_hash.clone_from(&round.terms_hash);
            self.0.round = number;
        }
        Some(self)
    }
}

/// A day of the terms as "2026-07-01", so that days order as texts do.
fn day(contract: &Message, of: impl Fn(&Terms) -> Option<Date>) -> String {
    let date = contract.terms.as_ref().and_then(of).unwrap_or_default();
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}
