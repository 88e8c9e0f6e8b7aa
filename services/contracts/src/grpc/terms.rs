//! `GetTerms`: the terms in force at an instant, as known at an instant.
//!
//! Invariant: transport only.

use tandem_proto::contracts::v1 as pb;
use tandem_service::Call;
use tonic::{Response, Status};

use super::Grpc;

pub(super) async fn get(
    grpc: &Grpc,
    call: &Call<pb::GetTermsRequest>,
) -> Result<Response<pb::GetTermsResponse>, Status> {
    grpc.load(call, &call.message.name).await?;
    Err(Status::unimplemented("not there yet"))
}
