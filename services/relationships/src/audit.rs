//! The audit trail: one entry an event, in the order of the log.
//!
//! Invariant: every event of the log has exactly one entry, whether this version knows its type or not.

use std::collections::BTreeSet;

use tandem_eventlog::{Kind, RecordedEvent};
use tandem_proto::payouts::v1::payout_run_event::Event as PayoutRunEvent;
use tandem_proto::relationships::v1::AuditEntry;
use tandem_proto::{EventSet as _, time};
use tandem_views::{Column, FoldError, View};

use crate::describe::describe;

/// The view of all events, by position.
pub struct Audit;

impl View for Audit {
    const NAME: &'static str = "audit";
    const VERSION: i32 = 3;
    const KINDS: &'static [Kind] = &[];
    const ROW_PER_AGGREGATE: bool = true;
    type Row = AuditEntry;

    fn columns() -> Vec<Column<AuditEntry>> {
        vec![
            Column::set("partnership", |row: &AuditEntry| row.partnerships.clone()),
            Column::text("resource", |row: &AuditEntry| row.resource.clone()).indexed(),
            Column::text("actor", |row: &AuditEntry| row.actor.clone()),
            Column::text("type", |row: &AuditEntry| row.r#type.clone()),
            Column::text("command", |row: &AuditEntry| row.command.clone()),
            Column::text("correlation_id", |row: &AuditEntry| row.correlation_id.clone()),
            Column::time("time", |row: &AuditEntry| row.time),
        ]
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        // Padded, so that keys sort as positions do.
        Ok(vec![format!("{:020}", event.position)])
    }

    fn fold(
        &self,
        _key: &str,
        _row: Option<AuditEntry>,
        event: &RecordedEvent,
    ) -> Result<Option<AuditEntry>, FoldError> {
        let envelope = event.envelope.clone();
        Ok(Some(AuditEntry {
            position: i64::try_from(event.position).unwrap_or(i64::MAX),
            event_id: envelope.id,
            summary: describe(&envelope.event_type, &event.payload),
            r#type: envelope.event_type,
            resource: envelope.resource,
            partnerships: partnerships(event),
            partnership: envelope.partnership,
            time: Some(time::to_proto(envelope.time)),
            actor: envelope.actor,
            command: envelope.command,
            reason: envelope.reason,
            request_id: envelope.request_id,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
        }))
    }
}

/// All partnerships that an event concerns: the one of its header and, for a payout run, which belongs to none alone,
/// those whose money it is.
fn partnerships(event: &RecordedEvent) -> Vec<String> {
    let named = match PayoutRunEvent::decode(&event.envelope.event_type, &event.payload) {
        Ok(Some(PayoutRunEvent::Created(event))) => event.partnerships,
        Ok(Some(PayoutRunEvent::Approved(event))) => event.partnerships,
        Ok(Some(PayoutRunEvent::Cancelled(event))) => event.partnerships,
        Ok(Some(PayoutRunEvent::Submitted(event))) => event.partnerships,
        // Of another kind, or not to be read here: the header is all that is known.
        Ok(Some(PayoutRunEvent::Settled(_)) | None) | Err(_) => Vec::new(),
    };
    let header = Some(event.envelope.partnership.clone()).filter(|partnership| !partnership.is_empty());
    let all: BTreeSet<String> = header.into_iter().chain(named).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests;
