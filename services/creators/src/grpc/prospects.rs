//! ProspectService over gRPC.
//!
//! Invariant: transport only; what a prospect must know of the creator comes in with the command.

use std::sync::Arc;

use tandem_aggregate::Executor;
use tandem_proto::creators::v1 as pb;
use tandem_proto::creators::v1::prospect_service_server::ProspectService;
use tandem_proto::creators::v1::{
    ApproveProspectRequest, CreateProspectRequest, GetProspectRequest, ListProspectsRequest, ListProspectsResponse,
    RecordFindingRequest, RecordReplyRequest, RejectProspectRequest, SendOutreachRequest,
};
use tandem_service::{Call, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{id_of, require_staff};
use crate::creator::Creator;
use crate::prospect::{Command, Prospect};

pub(crate) struct ProspectHandlers {
    pub(crate) prospects: Executor<Prospect>,
    pub(crate) creators: Arc<Executor<Creator>>,
    pub(crate) view: ViewHandle<ResourceView<Prospect>>,
}

impl ProspectHandlers {
    async fn execute<M>(&self, call: &Call<M>, id: &str, command: Command) -> Result<Response<pb::Prospect>, Status> {
        let done = self.prospects.execute(id, &command, &call.meta).await.map_err(|error| call.error(error))?;
        let (position, etag) = (done.loaded.position, done.loaded.etag());
        Ok(call.written::<Prospect, _>(done.loaded.state.into_message(etag), position))
    }
}

#[tonic::async_trait]
impl ProspectService for ProspectHandlers {
    async fn create_prospect(&self, request: Request<CreateProspectRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        // Required by the proto file.
        let pb::Prospect { brand, creator, .. } = call.message.prospect.clone().unwrap_or_default();
        let found = self.creators.get(&call.caller.tenant, id_of(&creator)).await.map_err(|error| call.error(error))?;
        if !found.exists() {
            return Err(call.not_found(&creator));
        }
        let id = format!("{}~{}", id_of(&brand), id_of(&creator));
        self.execute(&call, &id, Command::Shortlist { brand, creator: Box::new(found.state.clone()) }).await
    }

    async fn get_prospect(&self, request: Request<GetProspectRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let name = &call.message.name;
        let loaded = self.prospects.get(&call.caller.tenant, id_of(name)).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(name));
        }
        Ok(Response::new(loaded.state.clone().into_message(loaded.etag())))
    }

    async fn list_prospects(
        &self,
        request: Request<ListProspectsRequest>,
    ) -> Result<Response<ListProspectsResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let ListProspectsRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: Vec::new() };
        let page = list(&self.view, &call, query).await?;
        let prospects = page.rows.into_iter().map(|(_, prospect)| prospect).collect();
        let (next_page_token, total_size) = (page.next_page_token, page.total_size);
        Ok(listed(page.position, ListProspectsResponse { prospects, next_page_token, total_size }))
    }

    async fn record_finding(&self, request: Request<RecordFindingRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        // Required by the proto file.
        let finding = call.message.finding.clone().unwrap_or_default();
        self.execute(&call, id_of(&call.message.name), Command::RecordFinding(finding)).await
    }

    async fn approve_prospect(
        &self,
        request: Request<ApproveProspectRequest>,
    ) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.execute(&call, id_of(&call.message.name), Command::Approve).await
    }

    async fn reject_prospect(&self, request: Request<RejectProspectRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.execute(&call, id_of(&call.message.name), Command::Reject).await
    }

    async fn send_outreach(&self, request: Request<SendOutreachRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let SendOutreachRequest { name, template, medium, .. } = &call.message;
        let command = Command::SendOutreach { template: template.clone(), medium: medium.clone() };
        self.execute(&call, id_of(name), command).await
    }

    async fn record_reply(&self, request: Request<RecordReplyRequest>) -> Result<Response<pb::Prospect>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.execute(&call, id_of(&call.message.name), Command::RecordReply(call.message.outcome())).await
    }
}
