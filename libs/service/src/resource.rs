//! The resource of an aggregate: what `Get` answers from the aggregate and `List` from a view.
//!
//! Invariant: both are the same fold, [`Aggregate::evolve`], so a listed resource is what `Get` would have answered at
//! the view's position.

use std::marker::PhantomData;

use prost::Message;
use tandem_aggregate::{Aggregate, etag};
use tandem_eventlog::{Kind, Position, RecordedEvent};
use tandem_proto::read_event;
use tandem_views::{AnyView as _, Column, FoldError, ListQuery, Page, View, ViewHandle};
use tonic::{Response, Status};

use crate::Call;

/// An aggregate whose whole state is in the resource that the API shows.
pub trait Resource: Aggregate {
    /// Name of the view that lists it, for example `contracts`.
    const VIEW: &'static str;
    /// Raise it when `evolve`, the columns or the message's meaning change: the view is then built anew.
    const VERSION: i32;
    /// Its kind, as a slice for the view.
    const KINDS: &'static [Kind] = &[Self::KIND];
    /// The public resource.
    type Message: Message + Default + Clone + PartialEq + 'static;

    /// What a list may filter and order by.
    fn columns() -> Vec<Column<Self::Message>>;
    /// The aggregate out of its resource.
    fn from_message(message: Self::Message) -> Self;
    /// The resource of the aggregate, with its etag.
    fn into_message(self, etag: String) -> Self::Message;
}

/// The view that lists the resources of `A`.
pub struct ResourceView<A>(PhantomData<fn() -> A>);

impl<A> Default for ResourceView<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: Resource> View for ResourceView<A> {
    const NAME: &'static str = A::VIEW;
    const VERSION: i32 = A::VERSION;
    const KINDS: &'static [Kind] = A::KINDS;
    const ROW_PER_AGGREGATE: bool = true;
    type Row = A::Message;

    fn columns() -> Vec<Column<Self::Row>> {
        A::columns()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn fold(&self, _key: &str, row: Option<Self::Row>, event: &RecordedEvent) -> Result<Option<Self::Row>, FoldError> {
        let decoded = read_event::<A::Event>(&event.envelope.event_type, &event.payload)?;
        let mut state = row.map_or_else(A::default, A::from_message);
        state.evolve(&decoded, &event.envelope);
        Ok(Some(state.into_message(etag(event.position))))
    }
}

/// Response metadata: how far the view that answers has read the log, at least.
const VIEW_POSITION: &str = "tandem-view-position";

/// The answer of a view that has read the log at least up to `position`, which the answer tells: also one that can't be
/// told anything newer, for the log is away, says what it is good for.
#[must_use]
pub fn listed<T>(position: Position, message: T) -> Response<T> {
    let mut response = Response::new(message);
    response.metadata_mut().insert(VIEW_POSITION, position.into());
    response
}

/// A page of resources, read after the writes that the caller has seen.
///
/// # Errors
/// If filter, order or page token are wrong, or the view does not catch up before the deadline.
pub async fn list<A: Resource, M>(
    view: &ViewHandle<ResourceView<A>>,
    call: &Call<M>,
    query: ListQuery<'_>,
) -> Result<Page<A::Message>, Status> {
    view.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
    view.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))
}
