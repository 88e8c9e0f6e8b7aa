//! The right as a resource: what the API shows and lists.
//!
//! Invariant: what a list filters and orders by is computed from the resource alone.

use tandem_proto::contracts::v1::UsageRight as Message;
use tandem_service::Resource;
use tandem_views::Column;

use super::UsageRight;

impl Resource for UsageRight {
    const VIEW: &'static str = "usage_rights";
    const VERSION: i32 = 1;
    type Message = Message;

    fn columns() -> Vec<Column<Message>> {
        vec![
            Column::text("name", |right: &Message| right.name.clone()),
            Column::text("brand", |right: &Message| right.brand.clone()),
            Column::text("creator", |right: &Message| right.creator.clone()).indexed(),
            Column::text("contract", |right: &Message| right.contract.clone()).indexed(),
            Column::text("participation", |right: &Message| right.participation.clone()),
            Column::text("deliverable", |right: &Message| right.deliverable.clone()).indexed(),
            Column::enumeration("kind", "tandem.contracts.v1.UsageKind", |right: &Message| right.kind),
            Column::enumeration("state", "tandem.contracts.v1.UsageRightState", |right: &Message| right.state),
            Column::time("start_time", |right: &Message| right.start_time),
            Column::time("end_time", |right: &Message| right.end_time).indexed(),
        ]
    }

    fn from_message(message: Message) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> Message {
        Message { etag, ..self.0 }
    }
}
