//! The APIs of the service over gRPC.
//!
//! Invariant: transport, and what a decision needs to know from elsewhere; a creator's own token reaches nothing but what
//! is theirs.

pub(crate) mod compensation_facts;
pub(crate) mod earnings;
pub(crate) mod payout_runs;

use tandem_service::Call;
use tonic::Status;

/// The id in a resource name whose form was validated.
fn id_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

/// Keeps creators out of what concerns others as well.
fn require_staff<M: tandem_proto::RequestMessage>(call: &Call<M>) -> Result<(), Status> {
    // No creator has this name, so none is a party.
    call.caller.require_party("creators/")
}
