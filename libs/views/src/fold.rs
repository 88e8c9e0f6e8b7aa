//! Folding without a store: the error of a fold, and the fold of a row's events in memory.
//!
//! Invariant: nothing here reads anything but its arguments, so an answer *as of* a past position is the live fold's.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tandem_eventlog::RecordedEvent;
use tandem_proto::Unreadable;

use crate::view::View;

/// Why an event can't be folded. Its text is shown to operators with the parked event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FoldError {
    text: String,
    newer: bool,
}

impl FoldError {
    /// With what is wrong with the event, and with which of its fields.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { text: reason.to_string(), newer: false }
    }

    /// Whether nothing is wrong with the event but that a newer version has written it: it is passed over.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.newer
    }
}

impl From<Unreadable> for FoldError {
    fn from(error: Unreadable) -> Self {
        Self { text: error.to_string(), newer: error.is_newer() }
    }
}

impl From<prost::DecodeError> for FoldError {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(format!("the payload can't be decoded: {error}"))
    }
}

/// The row `key` as these events leave it, starting from none: those of the view's kinds that touch it are folded, the
/// others passed over, as are events of types that a newer version has written.
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
        let concerned =
            |(keys, groups): (Vec<String>, _)| keys.iter().any(|touched| touched == key) || in_group(groups);
        let folded = match touched(view, event).map(concerned) {
            Ok(false) => continue,
            Ok(true) => fold(view, key, row.clone(), event),
            Err(error) => Err(error),
        };
        match folded {
            Err(error) if error.is_newer() => {}
            folded => row = folded?,
        }
    }
    Ok(row)
}

/// Keys and groups that the event touches.
pub(crate) fn touched<V: View>(view: &V, event: &RecordedEvent) -> Result<(Vec<String>, Vec<String>), FoldError> {
    guarded(|| Ok((view.keys(event)?, view.groups(event)?)))
}

/// The row after the event.
pub(crate) fn fold<V: View>(
    view: &V,
    key: &str,
    row: Option<V::Row>,
    event: &RecordedEvent,
) -> Result<Option<V::Row>, FoldError> {
    guarded(|| view.fold(key, row, event))
}

/// An event that a view panics at is one that it can't take: it must not end the view for all others. The panic's hook has
/// written where.
fn guarded<T>(fold: impl FnOnce() -> Result<T, FoldError>) -> Result<T, FoldError> {
    catch_unwind(AssertUnwindSafe(fold)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(FoldError::new(format!("the fold panicked: {}", text.unwrap_or("no message"))))
    })
}

/// Whether the view takes the type of an event that it once passed over as a newer version's.
pub(crate) fn knows<V: View>(view: &V, event: &RecordedEvent) -> bool {
    let folded = touched(view, event).and_then(|(keys, _)| match keys.first() {
        Some(key) => fold(view, key, None, event).map(drop),
        None => Ok(()),
    });
    !folded.is_err_and(|error| error.is_newer())
}

/// Whether the event is of a kind that the view reads.
pub(crate) fn reads<V: View>(event: &RecordedEvent) -> bool {
    let [_, context, aggregate, _] = event.tokens();
    V::KINDS.is_empty() || V::KINDS.iter().any(|kind| kind.context == context && kind.aggregate == aggregate)
}
