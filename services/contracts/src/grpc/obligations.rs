//! `ObligationService` over gRPC: transport only.
//!
//! Invariant: a creator sees what concerns their own contracts.

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::obligation_service_server::ObligationService;
use tandem_service::{Call, listed};
use tandem_views::{AnyView as _, ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::obligation::Obligations as View;

/// The handler, over the view.
pub(crate) struct Obligations(pub(crate) ViewHandle<View>);

#[tonic::async_trait]
impl ObligationService for Obligations {
    async fn list_obligations(
        &self,
        request: Request<pb::ListObligationsRequest>,
    ) -> Result<Response<pb::ListObligationsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListObligationsRequest { page_size, page_token, filter, order_by } = &call.message;
        let fixed = call.caller.creator.iter().map(|creator| ("creator", creator.clone())).collect();
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed };
        self.0.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        let page = self.0.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))?;
        Ok(listed(
            page.position,
            pb::ListObligationsResponse {
                obligations: page.rows.into_iter().map(|(_, obligation)| obligation).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }
}
