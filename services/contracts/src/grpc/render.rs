//! `RenderContract`: the contract for people.
//!
//! Invariant: transport only.

use tandem_proto::contracts::v1 as pb;
use tandem_service::Call;
use tonic::{Response, Status};

use super::Grpc;

pub(super) async fn render(
    grpc: &Grpc,
    call: &Call<pb::RenderContractRequest>,
) -> Result<Response<pb::RenderContractResponse>, Status> {
    grpc.load(call, &call.message.name).await?;
    Err(Status::unimplemented("not there yet"))
}
