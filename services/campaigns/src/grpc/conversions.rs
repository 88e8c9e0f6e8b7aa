//! `ConversionService`.

use std::sync::Arc;

use tandem_aggregate::Executor;
use tandem_proto::campaigns::v1 as pb;
use tandem_proto::campaigns::v1::conversion_service_server::ConversionService;
use tandem_proto::common::v1::ErrorReason;
use tandem_service::{Call, Environment, Problem, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{Resources, message, own, require_brand};
use crate::conversion::{Command, Conversion};
use crate::tracking_code::TrackingCode;

/// The handlers.
pub(crate) struct Conversions {
    conversions: Resources<Conversion>,
    codes: Executor<TrackingCode>,
}

impl Conversions {
    pub(crate) fn new(env: &Environment, view: &ViewHandle<ResourceView<Conversion>>) -> Self {
        let conversions = Resources { executor: Arc::new(env.executor()), view: view.clone() };
        Self { conversions, codes: env.executor() }
    }
}

#[tonic::async_trait]
impl ConversionService for Conversions {
    async fn record_order(&self, request: Request<pb::RecordOrderRequest>) -> Result<Response<pb::Conversion>, Status> {
        let call = Call::accept(request)?;
        require_brand(&call.caller)?;
        let order = call.message.clone();
        // A code is assigned for good, so its owner still is when the order is decided on.
        let code =
            self.codes.get(&call.caller.tenant, &order.tracking_code).await.map_err(|error| call.error(error))?;
        let Some(owner) = code.state.0.clone() else {
            let message = format!(
                "No participation uses tracking code {}. Check the code; the creator may have to join the campaign first.",
                order.tracking_code
            );
            return Err(call.error(Problem::new(ErrorReason::TrackingCodeUnknown, message)));
        };
        let id = Conversion::id(&order.shop, &order.order_id);
        self.conversions.execute(&id, &Command::RecordOrder(order, owner), &call).await
    }

    async fn record_refund(
        &self,
        request: Request<pb::RecordRefundRequest>,
    ) -> Result<Response<pb::Conversion>, Status> {
        let call = Call::accept(request)?;
        require_brand(&call.caller)?;
        let refund = call.message.clone();
        let id = Conversion::id(&refund.shop, &refund.order_id);
        self.conversions.execute(&id, &Command::RecordRefund(refund), &call).await
    }

    async fn get_conversion(
        &self,
        request: Request<pb::GetConversionRequest>,
    ) -> Result<Response<pb::Conversion>, Status> {
        let call = Call::accept(request)?;
        let loaded = self.conversions.get(&call.message.name, &call).await?;
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(Response::new(message(loaded.as_ref())))
    }

    async fn list_conversions(
        &self,
        request: Request<pb::ListConversionsRequest>,
    ) -> Result<Response<pb::ListConversionsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListConversionsRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: own(&call.caller) };
        let page = list(&self.conversions.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListConversionsResponse {
                conversions: page.rows.into_iter().map(|(_, conversion)| conversion).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }
}
