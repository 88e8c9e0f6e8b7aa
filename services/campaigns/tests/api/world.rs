//! A campaigns service of one's own, and those who call it.

use std::net::SocketAddr;

use tandem_campaigns::Campaigns;
use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::google::r#type::Money;
use tandem_client::{Claims, Client, Endpoints, Error, MintedToken, RetryPolicy};
use tandem_eventlog::{EventLog as _, JetStreamLog, JetStreamOptions, Kind, RecordedEvent, Subject};
use tandem_nats_server::NatsServer;
use tandem_service::testing::{Running, settings};
use tempfile::TempDir;
use tonic::Code;

use crate::contracts::{Contracts, signed};

pub const MIRA: &str = "creators/mira";
pub const ZOE: &str = "creators/zoe";

/// The service over an empty log. Each test has its own.
pub struct World {
    // Dropped in this order.
    service: Running,
    nats: NatsServer,
    _views: TempDir,
    pub contracts: Contracts,
    contracts_address: SocketAddr,
}

impl World {
    /// With Mira's contract `c1` and Zoe's `c2` signed, in the tenant `acme`.
    pub async fn start() -> Self {
        let world = Self::start_without_contracts().await;
        world.start_contracts().await;
        world
    }

    /// The same, but the contracts service is down until [`Self::start_contracts`].
    pub async fn start_without_contracts() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let views = TempDir::new().unwrap();
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let contracts_address = free.local_addr().unwrap();
        drop(free);
        let args = Endpoints { contracts: format!("http://{contracts_address}"), ..Endpoints::default() };
        let service = Running::start::<Campaigns>(settings(&nats.url(), views.path()), args).await.unwrap();
        let contracts = Contracts::default();
        contracts.put("acme", signed("c1", MIRA));
        contracts.put("acme", signed("c2", ZOE));
        Self { service, nats, _views: views, contracts, contracts_address }
    }

    pub async fn start_contracts(&self) {
        self.contracts.serve(self.contracts_address).await;
    }

    /// Somebody of a tenant who may do everything here.
    pub fn user(&self, user: &str, tenant: &str) -> Api {
        self.client(Claims::new(format!("users/{user}"), tenant))
    }

    /// Ada of the brand.
    pub fn brand(&self) -> Api {
        self.user("ada", "acme")
    }

    /// A creator, whose token permits more than it should.
    pub fn creator(&self, creator: &str) -> Api {
        self.client(Claims::new("users/portal", "acme").with_creator(creator))
    }

    fn client(&self, claims: Claims) -> Api {
        let claims = claims.with_permissions(["campaigns.*", "participations.*", "conversions.*", "timers.act"]);
        let client = Client::builder().campaigns(self.service.uri()).token(MintedToken::development(claims));
        Api(client.retry(RetryPolicy::NEVER).build().unwrap())
    }

    /// The events of an aggregate, as they are in the log.
    pub async fn events(&self, tenant: &str, aggregate: &'static str, id: &str) -> Vec<RecordedEvent> {
        let nats = async_nats::connect(self.nats.url()).await.unwrap();
        let log = JetStreamLog::open(nats, JetStreamOptions::default()).await.unwrap();
        let subject = Subject::new(tenant, Kind { context: "campaigns", aggregate }, id).unwrap();
        log.read(&subject, 0).await.unwrap()
    }
}

/// A caller, with one method for each of the API's, whose request is the argument.
#[derive(Clone)]
pub struct Api(pub Client);

macro_rules! methods {
    ($($service:ident.$method:ident: $request:ident -> $response:ident;)*) => {
        impl Api {
            $(pub async fn $method(&self, request: pb::$request) -> Result<pb::$response, Error> {
                Ok(self.0.$service().$method(request).await?.into_inner())
            })*
        }
    };
}

methods! {
    campaigns.create_campaign: CreateCampaignRequest -> Campaign;
    campaigns.get_campaign: GetCampaignRequest -> Campaign;
    campaigns.list_campaigns: ListCampaignsRequest -> ListCampaignsResponse;
    campaigns.set_campaign_kpis: SetCampaignKpisRequest -> Campaign;
    campaigns.launch_campaign: LaunchCampaignRequest -> Campaign;
    campaigns.close_campaign: CloseCampaignRequest -> Campaign;
    participations.create_participation: CreateParticipationRequest -> Participation;
    participations.get_participation: GetParticipationRequest -> Participation;
    participations.list_participations: ListParticipationsRequest -> ListParticipationsResponse;
    participations.submit_draft: SubmitDraftRequest -> Participation;
    participations.request_changes: RequestChangesRequest -> Participation;
    participations.approve_draft: ApproveDraftRequest -> Participation;
    participations.record_publication: RecordPublicationRequest -> Participation;
    participations.record_performance: RecordPerformanceRequest -> Participation;
    participations.check_disclosure: CheckDisclosureRequest -> CheckDisclosureResponse;
    conversions.record_order: RecordOrderRequest -> Conversion;
    conversions.record_refund: RecordRefundRequest -> Conversion;
    conversions.get_conversion: GetConversionRequest -> Conversion;
    conversions.list_conversions: ListConversionsRequest -> ListConversionsResponse;
}

/// The usual requests, in short.
impl Api {
    /// A campaign of this id, launched.
    pub async fn launched(&self, id: &str) -> pb::Campaign {
        let planned = self.create_campaign(plan(id)).await.unwrap();
        self.launch_campaign(pb::LaunchCampaignRequest { name: planned.name, ..Default::default() }).await.unwrap()
    }

    pub async fn participation(&self, name: &str) -> Result<pb::Participation, Error> {
        self.get_participation(pb::GetParticipationRequest { name: name.into() }).await
    }

    /// `participations/p1` of Mira in `campaigns/winter`, with the code MIRA15.
    pub async fn joined(&self) -> pb::Participation {
        self.launched("winter").await;
        self.create_participation(join("p1", "c1", "MIRA15")).await.unwrap()
    }
}

pub fn usd(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

pub fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

pub fn plan(id: &str) -> pb::CreateCampaignRequest {
    let campaign = pb::Campaign {
        brand: "brands/glowco".into(),
        title: "Winter glow".into(),
        objective: pb::Objective::Conversion.into(),
        brief: "Show the serum in your own routine.".into(),
        kpis: vec![pb::Kpi { metric: pb::Metric::Orders.into(), target: 500 }],
        budgets: vec![pb::RegionBudget { region: "US".into(), amount: usd(20_000) }],
        ..Default::default()
    };
    pb::CreateCampaignRequest { campaign: Some(campaign), campaign_id: id.into(), ..Default::default() }
}

/// A request to join `campaigns/winter`.
pub fn join(id: &str, contract: &str, tracking_code: &str) -> pb::CreateParticipationRequest {
    let participation = pb::Participation {
        campaign: "campaigns/winter".into(),
        contract: format!("contracts/{contract}"),
        tracking_code: tracking_code.into(),
        ..Default::default()
    };
    pb::CreateParticipationRequest {
        participation: Some(participation),
        participation_id: id.into(),
        request_id: format!("join-{id}"),
    }
}

/// A draft of `participations/p1`.
pub fn draft(deliverable_id: &str, caption: &str) -> pb::SubmitDraftRequest {
    let draft = pb::Draft {
        caption: caption.into(),
        media_uri: "https://media.example/1".into(),
        platform_label: true,
        ..Default::default()
    };
    pb::SubmitDraftRequest {
        name: "participations/p1".into(),
        deliverable_id: deliverable_id.into(),
        draft: Some(draft),
        ..Default::default()
    }
}

pub fn changes(deliverable_id: &str) -> pb::RequestChangesRequest {
    pb::RequestChangesRequest {
        name: "participations/p1".into(),
        deliverable_id: deliverable_id.into(),
        reason: "Disclose at the start.".into(),
        ..Default::default()
    }
}

pub fn approval(deliverable_id: &str) -> pb::ApproveDraftRequest {
    pb::ApproveDraftRequest {
        name: "participations/p1".into(),
        deliverable_id: deliverable_id.into(),
        ..Default::default()
    }
}

pub fn publication(deliverable_id: &str) -> pb::RecordPublicationRequest {
    pb::RecordPublicationRequest {
        name: "participations/p1".into(),
        deliverable_id: deliverable_id.into(),
        published_uri: format!("https://tiktok.example/{deliverable_id}"),
        ..Default::default()
    }
}

pub fn order(order_id: &str, tracking_code: &str) -> pb::RecordOrderRequest {
    pb::RecordOrderRequest {
        shop: "shop-us".into(),
        order_id: order_id.into(),
        tracking_code: tracking_code.into(),
        net_amount: usd(100),
        order_time: at(1_767_000_000),
        ..Default::default()
    }
}

pub fn refund(order_id: &str, refund_id: &str, units: i64) -> pb::RecordRefundRequest {
    pb::RecordRefundRequest {
        shop: "shop-us".into(),
        order_id: order_id.into(),
        refund_id: refund_id.into(),
        net_amount: usd(units),
        refund_time: at(1_767_100_000),
        ..Default::default()
    }
}

/// An error of this code and reason; answers its message.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: Code, reason: ErrorReason) -> String {
    let error = outcome.unwrap_err();
    assert_eq!((error.code(), error.reason()), (code, Some(reason)), "{error}");
    error.message().to_owned()
}
