//! The service over gRPC.
//!
//! Invariant: transport only; what is allowed is decided by the aggregates, and a creator's own token reaches nothing
//! but what is theirs.

mod creators;
mod prospects;

pub(crate) use creators::CreatorHandlers;
pub(crate) use prospects::ProspectHandlers;

use tandem_service::Call;
use tonic::Status;

/// The id in a resource name whose form was validated.
fn id_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

/// Keeps creators out of what concerns others as well: lists, imports, merges, what a brand thinks of them.
fn require_staff<M>(call: &Call<M>) -> Result<(), Status> {
    // No creator has this name, so none is a party.
    call.caller.require_party("creators/")
}
