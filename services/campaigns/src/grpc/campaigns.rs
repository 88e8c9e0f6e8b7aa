//! `CampaignService`.

use std::sync::Arc;

use tandem_proto::RequestMessage;
use tandem_proto::campaigns::v1 as pb;
use tandem_proto::campaigns::v1::campaign_service_server::CampaignService;
use tandem_service::{Call, Environment, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{Resources, id, message, new_id, require_brand};
use crate::campaign::{Campaign, Command};

/// The handlers.
pub(crate) struct Campaigns(Resources<Campaign>);

impl Campaigns {
    pub(crate) fn new(env: &Environment, view: &ViewHandle<ResourceView<Campaign>>) -> Self {
        Self(Resources { executor: Arc::new(env.executor()), view: view.clone() })
    }

    /// Runs a command on the campaign that the request names.
    async fn act<M: RequestMessage>(
        &self,
        call: &Call<M>,
        command: &Command,
    ) -> Result<Response<pb::Campaign>, Status> {
        require_brand(&call.caller)?;
        self.0.execute(id(call.message.name()), command, call).await
    }
}

#[tonic::async_trait]
impl CampaignService for Campaigns {
    async fn create_campaign(
        &self,
        request: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        let mut call = Call::accept(request)?;
        require_brand(&call.caller)?;
        let plan = call.message.campaign.take().unwrap_or_default();
        let id = new_id(&call.message.campaign_id, &call);
        self.0.execute(&id, &Command::Plan(Box::new(plan)), &call).await
    }

    async fn get_campaign(&self, request: Request<pb::GetCampaignRequest>) -> Result<Response<pb::Campaign>, Status> {
        let call = Call::accept(request)?;
        Ok(Response::new(message(self.0.get(&call.message.name, &call).await?.as_ref())))
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListCampaignsRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: Vec::new() };
        let page = list(&self.0.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListCampaignsResponse {
                campaigns: page.rows.into_iter().map(|(_, campaign)| campaign).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn set_campaign_kpis(
        &self,
        request: Request<pb::SetCampaignKpisRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        let call = Call::accept(request)?;
        self.act(&call, &Command::SetKpis(call.message.kpis.clone())).await
    }

    async fn launch_campaign(
        &self,
        request: Request<pb::LaunchCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        self.act(&Call::accept(request)?, &Command::Launch).await
    }

    async fn close_campaign(
        &self,
        request: Request<pb::CloseCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        self.act(&Call::accept(request)?, &Command::Close).await
    }
}
