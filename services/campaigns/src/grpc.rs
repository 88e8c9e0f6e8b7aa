//! The gRPC services: transport only.
//!
//! Invariant: nothing is decided here but who may ask: a creator reaches what is theirs, and leaves to the brand what is
//! the brand's.

mod campaigns;
mod conversions;
mod participations;

pub(crate) use campaigns::Campaigns;
pub(crate) use conversions::Conversions;
pub(crate) use participations::Participations;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tandem_aggregate::{Executor, Loaded};
use tandem_proto::common::v1::ErrorReason;
use tandem_service::{Call, Caller, Resource, ResourceView, status};
use tandem_views::ViewHandle;
use tonic::{Response, Status};

/// The aggregates of a kind, and the view that lists them.
struct Resources<A: Resource> {
    executor: Arc<Executor<A>>,
    view: ViewHandle<ResourceView<A>>,
}

impl<A: Resource> Resources<A> {
    /// The aggregate that a request names; NOT_FOUND if it does not exist.
    async fn get<M>(&self, name: &str, call: &Call<M>) -> Result<Arc<Loaded<A>>, Status> {
        let loaded = self.executor.get(&call.caller.tenant, id(name)).await.map_err(|error| call.error(error))?;
        if loaded.exists() { Ok(loaded) } else { Err(call.not_found(name)) }
    }

    /// Runs a command on the aggregate of an id, and answers the resource after it.
    async fn execute<M>(&self, id: &str, command: &A::Command, call: &Call<M>) -> Result<Response<A::Message>, Status> {
        let done = self.executor.execute(id, command, &call.meta).await.map_err(|error| call.error(error))?.loaded;
        let etag = done.etag();
        Ok(call.written::<A, _>(done.state.into_message(etag), done.position))
    }
}

/// The resource as `Get` answers it.
fn message<A: Resource>(loaded: &Loaded<A>) -> A::Message {
    loaded.state.clone().into_message(loaded.etag())
}

/// The id in `{collection}/{id}`, whose form the proto file demands.
fn id(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, id)| id)
}

/// The id of a new resource: the one given, or one that is the same whenever the request is repeated.
fn new_id<M>(given: &str, call: &Call<M>) -> String {
    if !given.is_empty() {
        return given.to_owned();
    }
    let mut hash = Sha256::new();
    for part in [&call.caller.tenant, &call.meta.request_id] {
        hash.update(part);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..16])
}

/// Refuses creators, whatever their token permits.
fn require_brand(caller: &Caller) -> Result<(), Status> {
    match &caller.creator {
        Some(creator) => {
            let message = format!("The token is of {creator}, and this is for the brand to do. Ask someone there.");
            Err(status(ErrorReason::NotAParty, message))
        }
        None => Ok(()),
    }
}

/// What a list is held to for a creator: their own.
fn own(caller: &Caller) -> Vec<(&'static str, String)> {
    caller.creator.iter().map(|creator| ("creator", creator.clone())).collect()
}
