//! Folding without a store: the error of a fold, and the fold of a row's events in memory.
//!
//! Invariant: nothing here reads anything but its arguments, so an answer *as of* a past position is the live fold's.

use std::fmt;

use tandem_eventlog::RecordedEvent;

use crate::view::View;

/// Why an event can't be folded. Its text is shown to operators with the parked event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FoldError(String);

impl FoldError {
    /// With what is wrong with the event, and with which of its fields.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl From<prost::DecodeError> for FoldError {
    fn from(error: prost::DecodeError) -> Self {
        Self(format!("the payload can't be decoded: {error}"))
    }
}

/// The row `key` as these events leave it, starting from none: those of the view's kinds that touch it are folded, the
/// others passed over.
///
/// With the events up to a past position it answers what the view showed then; with events that have not happened,
/// what it would show. The events are of one tenant, in the order of the log.
///
/// # Errors
/// At the first event that the view can't take.
pub fn fold_all<'a, V: View>(
    view: &V,
    key: &str,
    events: impl IntoIterator<Item = &'a RecordedEvent>,
) -> Result<Option<V::Row>, FoldError> {
    let mut row = None;
    let grouping = V::columns().into_iter().find(|column| column.grouping);
    for event in events.into_iter().filter(|event| reads::<V>(event)) {
        let group = grouping.as_ref().zip(row.as_ref()).and_then(|(column, row)| column.group(row));
        let in_group = |groups: Vec<String>| group.is_some_and(|group| groups.contains(&group));
        if view.keys(event)?.iter().any(|touched| touched == key) || in_group(view.groups(event)?) {
            row = view.fold(key, row, event)?;
        }
    }
    Ok(row)
}

/// Whether the event is of a kind that the view reads.
pub(crate) fn reads<V: View>(event: &RecordedEvent) -> bool {
    let [_, context, aggregate, _] = event.tokens();
    V::KINDS.is_empty() || V::KINDS.iter().any(|kind| kind.context == context && kind.aggregate == aggregate)
}
