//! A partnership as it was: the fold of the events until then.
//!
//! Invariant: what the view showed then. As there, an event that can't be folded is passed over with the later ones of
//! its aggregate, and those of other aggregates are not; one that a newer version has written is passed over alone.

use std::collections::HashSet;

use tandem_eventlog::RecordedEvent;
use tandem_proto::relationships::v1::Partnership;
use tandem_views::View as _;

use crate::Partnerships;

/// The partnership `{brand}~{creator}` after these events of it, which are in the order of the log.
pub(crate) fn partnership(key: &str, events: &[RecordedEvent]) -> Option<Partnership> {
    let mut blocked = HashSet::new();
    let mut row = None;
    for event in events.iter().filter(|event| is_read(event)) {
        if blocked.contains(&event.subject) {
            continue;
        }
        match Partnerships.fold(key, row.clone(), event) {
            Ok(folded) => row = folded,
            Err(error) => {
                tracing::warn!(position = event.position, subject = %event.subject, %error, "event passed over");
                if !error.is_newer() {
                    blocked.insert(event.subject.clone());
                }
            }
        }
    }
    row
}

fn is_read(event: &RecordedEvent) -> bool {
    let [_, context, aggregate, _] = event.tokens();
    Partnerships::KINDS.iter().any(|kind| kind.context == context && kind.aggregate == aggregate)
}

#[cfg(test)]
mod tests;
