//! EarningService over gRPC.
//!
//! Invariant: transport only; a creator's own token reaches nothing but what they have earned.

use std::sync::Arc;

use tandem_aggregate::Executor;
use tandem_proto::payouts::v1::earning_service_server::EarningService;
use tandem_proto::payouts::v1::{
    self as pb, CreateEarningRequest, GetEarningRequest, ListEarningsRequest, ListEarningsResponse,
};
use tandem_service::{Call, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{id_of, require_staff};
use crate::earning::{Command, Earning};

pub(crate) struct Handlers {
    pub earnings: Arc<Executor<Earning>>,
    pub view: ViewHandle<ResourceView<Earning>>,
}

#[tonic::async_trait]
impl EarningService for Handlers {
    async fn create_earning(&self, request: Request<CreateEarningRequest>) -> Result<Response<pb::Earning>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let command = Command::Accrue(Box::new(call.message.earning.clone().unwrap_or_default()));
        let outcome = self.earnings.execute(&call.message.earning_id, &command, &call.meta).await;
        let loaded = outcome.map_err(|error| call.error(error))?.loaded;
        let (etag, position) = (loaded.etag(), loaded.position);
        Ok(call.written::<Earning, _>(loaded.state.into_message(etag), position))
    }

    async fn get_earning(&self, request: Request<GetEarningRequest>) -> Result<Response<pb::Earning>, Status> {
        let call = Call::accept(request)?;
        let id = id_of(&call.message.name);
        let loaded = self.earnings.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(&call.message.name));
        }
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(Response::new(loaded.state.clone().into_message(loaded.etag())))
    }

    async fn list_earnings(
        &self,
        request: Request<ListEarningsRequest>,
    ) -> Result<Response<ListEarningsResponse>, Status> {
        let call = Call::accept(request)?;
        let ListEarningsRequest { filter, order_by, page_size, page_token } = &call.message;
        let own = call.caller.creator.iter().map(|creator| ("creator", creator.clone())).collect();
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: own };
        let page = list(&self.view, &call, query).await?;
        Ok(listed(
            page.position,
            ListEarningsResponse {
                earnings: page.rows.into_iter().map(|(_, row)| row).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }
}
