//! The client: one connection to each service, and a generated client for each of its APIs.
//!
//! Invariant: a client and its clones share everything; a fork shares the connections, and remembers positions on its own
//! from there on.

use std::fmt;
use std::sync::Arc;

use tandem_proto::campaigns::v1::campaign_service_client::CampaignServiceClient;
use tandem_proto::campaigns::v1::conversion_service_client::ConversionServiceClient;
use tandem_proto::campaigns::v1::participation_service_client::ParticipationServiceClient;
use tandem_proto::common::v1::info_service_client::InfoServiceClient;
use tandem_proto::common::v1::process_service_client::ProcessServiceClient;
use tandem_proto::common::v1::timer_service_client::TimerServiceClient;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::contracts::v1::contract_service_client::ContractServiceClient;
use tandem_proto::contracts::v1::contract_template_service_client::ContractTemplateServiceClient;
use tandem_proto::contracts::v1::exclusivity_service_client::ExclusivityServiceClient;
use tandem_proto::contracts::v1::obligation_service_client::ObligationServiceClient;
use tandem_proto::contracts::v1::rights_service_client::RightsServiceClient;
use tandem_proto::creators::v1::creator_service_client::CreatorServiceClient;
use tandem_proto::creators::v1::prospect_service_client::ProspectServiceClient;
use tandem_proto::payouts::v1::compensation_fact_service_client::CompensationFactServiceClient;
use tandem_proto::payouts::v1::earning_service_client::EarningServiceClient;
use tandem_proto::payouts::v1::payout_run_service_client::PayoutRunServiceClient;
use tandem_proto::relationships::v1::event_service_client::EventServiceClient;
use tandem_proto::relationships::v1::relationship_service_client::RelationshipServiceClient;
use tonic::Status;

use crate::auth::Auth;
use crate::builder::ClientBuilder;
use crate::channel::{Channel, Concerns};
use crate::endpoints::Service;
use crate::error::Error;
use crate::origin::Origin;
use crate::positions::{Memory, Positions};
use crate::test_clock::TestClock;
use crate::tokens::TokenSource;
use crate::wire::Wire;

/// Tandem's gRPC API. Cheap to clone; see the [crate's documentation](crate) for what it does with each call.
///
/// Positions are remembered as long as the client lives. A server that works for many users makes one client, and a
/// [`fork`](Self::fork) of it for each request that it serves, so that none waits for what others have written.
#[derive(Clone)]
pub struct Client {
    wires: Arc<[(Service, Wire); 5]>,
    concerns: Concerns,
}

impl Client {
    /// Settings of a client; the default is a Tandem on this machine, without a token.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(wires: [(Service, Wire); 5], concerns: Concerns) -> Self {
        Self { wires: Arc::new(wires), concerns }
    }

    /// Creators: who they are, where they publish, how they are paid.
    pub fn creators(&self) -> CreatorServiceClient<Channel> {
        CreatorServiceClient::new(self.channel(Service::Creators))
    }

    /// Prospects: a brand considers, vets and approaches a creator.
    pub fn prospects(&self) -> ProspectServiceClient<Channel> {
        ProspectServiceClient::new(self.channel(Service::Creators))
    }

    /// Contracts: negotiated, signed, amended, renewed, terminated.
    pub fn contracts(&self) -> ContractServiceClient<Channel> {
        ContractServiceClient::new(self.channel(Service::Contracts))
    }

    /// Usage rights: what published content may be used for, where, and until when.
    pub fn rights(&self) -> RightsServiceClient<Channel> {
        RightsServiceClient::new(self.channel(Service::Contracts))
    }

    /// Exclusivity: which contracts of a creator stand against each other.
    pub fn exclusivity(&self) -> ExclusivityServiceClient<Channel> {
        ExclusivityServiceClient::new(self.channel(Service::Contracts))
    }

    /// Contract templates: the library of clauses that contracts start from.
    pub fn contract_templates(&self) -> ContractTemplateServiceClient<Channel> {
        ContractTemplateServiceClient::new(self.channel(Service::Contracts))
    }

    /// Obligations: who owes what, until when.
    pub fn obligations(&self) -> ObligationServiceClient<Channel> {
        ObligationServiceClient::new(self.channel(Service::Contracts))
    }

    /// Campaigns: objective, KPIs, brief, budget.
    pub fn campaigns(&self) -> CampaignServiceClient<Channel> {
        CampaignServiceClient::new(self.channel(Service::Campaigns))
    }

    /// Participations: what a creator owes a campaign, from draft to publication.
    pub fn participations(&self) -> ParticipationServiceClient<Channel> {
        ParticipationServiceClient::new(self.channel(Service::Campaigns))
    }

    /// Conversions: orders attributed to creators.
    pub fn conversions(&self) -> ConversionServiceClient<Channel> {
        ConversionServiceClient::new(self.channel(Service::Campaigns))
    }

    /// Earnings: what creators are owed, by which rule.
    pub fn earnings(&self) -> EarningServiceClient<Channel> {
        EarningServiceClient::new(self.channel(Service::Payouts))
    }

    /// Compensation facts: expenses and revenue, which earn once they are recorded.
    pub fn compensation_facts(&self) -> CompensationFactServiceClient<Channel> {
        CompensationFactServiceClient::new(self.channel(Service::Payouts))
    }

    /// Payout runs: earnings approved and sent together.
    pub fn payout_runs(&self) -> PayoutRunServiceClient<Channel> {
        PayoutRunServiceClient::new(self.channel(Service::Payouts))
    }

    /// Relationships: one brand with one creator, over everything that happened between them.
    pub fn relationships(&self) -> RelationshipServiceClient<Channel> {
        RelationshipServiceClient::new(self.channel(Service::Relationships))
    }

    /// The stream of events.
    pub fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel(Service::Relationships))
    }

    /// What a service is: its version, and what it was started for.
    pub fn info(&self, service: Service) -> InfoServiceClient<Channel> {
        InfoServiceClient::new(self.channel(service))
    }

    /// The views of a service, to be operated.
    pub fn views(&self, service: Service) -> ViewServiceClient<Channel> {
        ViewServiceClient::new(self.channel(service))
    }

    /// The processes of a service, to see what they can't handle.
    pub fn processes(&self, service: Service) -> ProcessServiceClient<Channel> {
        ProcessServiceClient::new(self.channel(service))
    }

    /// The timers of a service, to be made up for; under a test clock ([`Self::at`]), to let time pass.
    pub fn timers(&self, service: Service) -> TimerServiceClient<Channel> {
        TimerServiceClient::new(self.channel(service))
    }

    /// The channel to a service, for other generated clients (health, reflection). What they call is authorized and
    /// traced; retries and deadlines are for Tandem's own methods.
    pub fn channel(&self, service: Service) -> Channel {
        #[expect(clippy::expect_used, reason = "the builder makes one of each of Service::ALL")]
        let (_, wire) = self.wires.iter().find(|(of, _)| *of == service).expect("a wire of each service");
        Channel::new(wire.clone(), self.concerns.clone())
    }

    /// How far this client has seen the log: hand it on to where the next read is made.
    pub fn positions(&self) -> Positions {
        self.concerns.memory.positions()
    }

    /// A fork that has also seen the log as far as this; its Lists answer with that included.
    #[must_use]
    pub fn with_positions(&self, positions: &Positions) -> Self {
        let mut seen = self.positions();
        seen.merge(positions);
        let mut fork = self.clone();
        fork.concerns.memory = Memory::new(seen);
        fork
    }

    /// A client with the same connections that from here on remembers positions on its own.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.with_positions(&Positions::default())
    }

    /// A fork that calls with other tokens, for a service that acts for many tenants. A source shared by several forks is
    /// passed as an `Arc`.
    #[must_use]
    pub fn with_token(&self, source: impl TokenSource) -> Self {
        let mut fork = self.fork();
        fork.concerns.auth = Auth(Some(Arc::new(source)));
        fork
    }

    /// A fork whose calls happen at a time of its choice. Only where tokens of the development key are taken: for
    /// tests and demonstrations of what takes weeks. Events decided so are marked as such.
    #[must_use]
    pub fn at(&self, time: jiff::Timestamp) -> Self {
        let mut fork = self.clone();
        fork.concerns.test_clock = Some(TestClock::new(time));
        fork
    }

    /// A fork for reacting to an event: what it calls is recorded as caused by that event, under its correlation id.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if an id has characters that can't be sent as metadata (control characters).
    pub fn caused_by(&self, correlation_id: &str, event_id: &str) -> Result<Self, Error> {
        let origin = Origin::new(correlation_id, event_id).map_err(|error| {
            Status::invalid_argument(format!("correlation id {correlation_id:?} or event id {event_id:?}: {error}"))
        })?;
        let mut fork = self.fork();
        fork.concerns.origin = Some(origin);
        Ok(fork)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("positions", &self.positions()).finish_non_exhaustive()
    }
}
