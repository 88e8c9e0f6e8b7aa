//! The campaigns service: campaigns, the creators who take part in them, the content that these owe, and the orders
//! that it brings.
//!
//! | module | is |
//! |---|---|
//! | [`campaign`] | the aggregate: planned, launched with KPIs and a budget, closed |
//! | [`participation`] | the aggregate: a creator in a campaign, from joining to published content |
//! | [`tracking_code`] | the aggregate: to whom a code belongs |
//! | [`conversion`] | the aggregate: an order and its refunds |
//! | [`disclosure`] | whether a caption says that the partnership is paid |
//! | `contracts` | the contracts service, asked when a creator joins |
//! | `grpc` | the three gRPC services over these |
//!
//! Invariant: an aggregate is decided on by itself and by the facts that come with the command. The one command that
//! changes two, joining, commits both or neither.

pub mod campaign;
mod contracts;
pub mod conversion;
pub mod disclosure;
mod fields;
mod grpc;
pub mod participation;
mod partnership;
pub mod tracking_code;

use std::sync::Arc;

use tandem_client::Endpoints;
use tandem_proto::campaigns::v1::campaign_service_server::CampaignServiceServer;
use tandem_proto::campaigns::v1::conversion_service_server::ConversionServiceServer;
use tandem_proto::campaigns::v1::participation_service_server::ParticipationServiceServer;
use tandem_service::{Environment, ResourceView, Service, Wired};

use campaign::Campaign;
use contracts::Contracts;
use conversion::Conversion;
use participation::Participation;

/// The service.
pub struct Campaigns;

#[tonic::async_trait]
impl Service for Campaigns {
    const NAME: &'static str = "campaigns";
    const DEFAULT_PORT: u16 = 7403;
    type Args = Endpoints;

    async fn wire(env: &Environment, endpoints: &Endpoints) -> anyhow::Result<Wired> {
        let contracts = Contracts::new(env.peers(endpoints.clone(), [Contracts::PERMISSION])?);
        let campaigns = env.view(ResourceView::<Campaign>::default()).await?;
        let participations = env.view(ResourceView::<Participation>::default()).await?;
        let participating = Arc::new(env.executor::<Participation>());
        let timers = env.timers(&participating).await?;
        let conversions = env.view(ResourceView::<Conversion>::default()).await?;
        Ok(Wired::new()
            .service(CampaignServiceServer::new(grpc::Campaigns::new(env, &campaigns)))
            .service(ParticipationServiceServer::new(grpc::Participations::new(
                env,
                participating,
                &participations,
                contracts,
            )))
            .service(ConversionServiceServer::new(grpc::Conversions::new(env, &conversions)))
            .view(&campaigns)
            .view(&participations)
            .view(&conversions)
            .timers(timers))
    }
}
