//! `QuoteCompensation`: what facts would pay under the terms.
//!
//! Invariant: transport only.

use tandem_proto::contracts::v1 as pb;
use tandem_service::Call;
use tonic::{Response, Status};

use super::Grpc;

pub(super) async fn quote(
    grpc: &Grpc,
    call: &Call<pb::QuoteCompensationRequest>,
) -> Result<Response<pb::QuoteCompensationResponse>, Status> {
    grpc.load(call, &call.message.name).await?;
    Err(Status::unimplemented("not there yet"))
}
