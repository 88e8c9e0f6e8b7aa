//! The template as a resource: what the API shows and lists.
//!
//! Invariant: what a list filters and orders by is computed from the resource alone.

use tandem_aggregate::Refusal;
use tandem_proto::contracts::v1::ContractTemplate as Message;
use tandem_service::Resource;
use tandem_views::Column;

use super::ContractTemplate;

impl Resource for ContractTemplate {
    const VIEW: &'static str = "contract_templates";
    const VERSION: i32 = 1;
    type Message = Message;

    fn columns() -> Vec<Column<Message>> {
        vec![
            Column::text("name", |template: &Message| template.name.clone()),
            Column::text("brand", |template: &Message| template.brand.clone()).indexed(),
            Column::text("title", |template: &Message| template.title.clone()),
            Column::enumeration("state", "tandem.contracts.v1.ContractTemplateState", |template: &Message| {
                template.state
            }),
            Column::time("create_time", |template: &Message| template.create_time),
            Column::time("update_time", |template: &Message| template.update_time),
        ]
    }

    fn from_message(message: Message) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> Message {
        Message { etag, ..self.0 }
    }
}

impl ContractTemplate {
    /// With the clauses of a version; as it is if that is 0.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if there is no such version.
    pub fn at_version(mut self, number: i32) -> Result<Self, Refusal> {
        let (version, clauses) = self.version(number, "version")?;
        if version != self.0.version {
            self.0.clauses = clauses.to_vec();
            self.0.version = version;
        }
        Ok(self)
    }
}
