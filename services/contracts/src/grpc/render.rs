//! `RenderContract`: the contract for people.
//!
//! Invariant: transport only.

use tandem_proto::contracts::v1 as pb;
use tandem_service::Call;
use tonic::{Response, Status};

use super::{Grpc, no_such_round};
use crate::render;

pub(super) async fn render(
    grpc: &Grpc,
    call: &Call<pb::RenderContractRequest>,
) -> Result<Response<pb::RenderContractResponse>, Status> {
    let round = call.message.round;
    let loaded = grpc.load(call, &call.message.name).await?;
    let rendered = render::render(&loaded.state, round, call.message.format());
    let render::Rendered { content, media_type } = rendered.ok_or_else(|| no_such_round(call, round, &loaded.state))?;
    Ok(Response::new(pb::RenderContractResponse { content, media_type: media_type.to_owned() }))
}
