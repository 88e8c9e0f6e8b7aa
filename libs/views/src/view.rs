//! What a view is.

use prost::Message;
use tandem_eventlog::{Kind, RecordedEvent};

use crate::{Column, FoldError};

/// A fold of the log into rows, each kept under `(tenant, key)`.
///
/// `keys` and `fold` are pure: no clock, no randomness, nothing read from elsewhere. The same fold serves the live
/// view, its rebuild and [`fold_all`]. Raise [`View::VERSION`] whenever fold, keys, kinds or columns change: the new
/// version is then built beside the old one at the next start.
pub trait View: Send + Sync + 'static {
    /// Unique in its store, `[a-z][a-z0-9_]*`, at most 40 characters, for example `contracts`.
    const NAME: &'static str;
    /// Of the fold and the columns, from 1.
    const VERSION: i32;
    /// The aggregates whose events it reads; all if empty.
    const KINDS: &'static [Kind];
    /// Whether all events that touch a row are of one aggregate, so that nothing overtakes what is parked: it can be taken in
    /// later, where other views have to be built anew.
    const ROW_PER_AGGREGATE: bool = false;
    /// The public resource or a stored message. Kept as protobuf.
    type Row: Message + Default + Clone + PartialEq + 'static;

    /// What a list may filter and order by, beside `id`.
    fn columns() -> Vec<Column<Self::Row>>;

    /// Keys of the rows that the event touches, in the event's tenant; none if it does not concern this view. A key
    /// named twice is folded once.
    ///
    /// # Errors
    /// If the event can't be understood. It is parked; if a newer version has written it
    /// ([`Unreadable::Newer`](tandem_proto::Unreadable)), it is passed over and marked.
    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError>;

    /// Groups, in the event's tenant, of which it touches every row that is there, beside those of [`Self::keys`]: what
    /// ends with a contract, where the event names the contract alone. A row's group is told by the column that is
    /// [`Column::grouping`].
    ///
    /// # Errors
    /// As [`Self::keys`].
    fn groups(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        let _ = event;
        Ok(Vec::new())
    }

    /// The row after the event; `None` for no row.
    ///
    /// # Errors
    /// If the event can't be folded. It is parked, and none of the rows that it touches changes.
    fn fold(&self, key: &str, row: Option<Self::Row>, event: &RecordedEvent) -> Result<Option<Self::Row>, FoldError>;
}
