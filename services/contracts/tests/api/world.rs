//! A contracts service of one's own, and the parties that call it.

pub use tandem_client::Claims;
use tandem_client::proto::common::v1::{ActOnDueRequest, ActOnDueResponse};
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::{Client, Error, MintedToken, Service};
use tandem_contracts::Contracts;
use tandem_nats_server::NatsServer;
use tandem_service::NoArgs;
use tandem_service::testing::{Running, settings};
use tempfile::TempDir;

use crate::fixtures::{BRAND, CREATOR, terms};

/// All that can be done here.
const PERMISSIONS: [&str; 2] = ["contracts.*", "templates.*"];

/// A service over an empty log. Each test has its own.
pub struct World {
    // Dropped in this order.
    service: Option<Running>,
    /// The log's server; none if it belongs to another world.
    pub nats: Option<NatsServer>,
    pub nats_url: String,
    views: TempDir,
}

impl World {
    pub async fn start() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let nats_url = nats.url();
        let mut world = Self { service: None, nats: Some(nats), nats_url, views: TempDir::new().unwrap() };
        world.restart().await;
        world
    }

    /// One more replica of the service over the same log.
    pub async fn replica(&self) -> Self {
        let nats_url = self.nats_url.clone();
        let mut replica = Self { service: None, nats: None, nats_url, views: TempDir::new().unwrap() };
        replica.restart().await;
        replica
    }

    /// Ends the service.
    pub async fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await.unwrap();
        }
    }

    /// Ends the service, and starts it again over the same log and views.
    pub async fn restart(&mut self) {
        self.stop().await;
        let settings = settings(&self.nats_url, self.views.path());
        self.service = Some(Running::start::<Contracts>(settings, NoArgs {}).await.unwrap());
    }

    /// Somebody of a tenant who may do everything with contracts.
    pub fn user(&self, user: &str, tenant: &str) -> Api {
        self.client(Claims::new(format!("users/{user}"), tenant).with_permissions(PERMISSIONS))
    }

    /// Ada of the brand.
    pub fn brand(&self) -> Api {
        self.user("ada", "acme")
    }

    /// Ada, who may act for time, too.
    pub fn operator(&self) -> Api {
        self.client(Claims::new("users/ada", "acme").with_permissions(["contracts.*", "timers.act"]))
    }

    /// Zoe, the creator of the fixtures.
    pub fn creator(&self) -> Api {
        self.creator_named(CREATOR)
    }

    pub fn creator_named(&self, creator: &str) -> Api {
        let claims = Claims::new("users/portal", "acme").with_permissions(PERMISSIONS);
        self.client(claims.with_creator(creator))
    }

    /// A contract on these terms, which both signed on 2 May 2026, at 10:00 UTC.
    pub async fn signed(&self, id: &str, terms: pb::Terms) -> pb::Contract {
        let (brand, creator) = (self.brand().at("2026-05-02T10:00:00Z"), self.creator().at("2026-05-02T10:00:00Z"));
        let mut request = create(id);
        request.contract.as_mut().unwrap().terms = Some(terms);
        let draft = brand.create_contract(request).await.unwrap();
        let (name, terms_hash) = (&draft.name, &draft.terms_hash);
        brand.propose(name).await.unwrap();
        creator.accept(name).await.unwrap();
        creator.sign(name, terms_hash).await.unwrap();
        brand.sign(name, terms_hash).await.unwrap()
    }

    pub fn client(&self, claims: Claims) -> Api {
        let uri = self.service.as_ref().unwrap().uri();
        Api(Client::builder().contracts(uri).token(MintedToken::development(claims)).build().unwrap())
    }
}

/// A caller, with one method for each of the API's, whose request is the argument.
#[derive(Clone)]
pub struct Api(pub Client);

macro_rules! methods {
    ($client:ident: $($method:ident: $request:ident -> $response:ident;)*) => {
        impl Api {
            $(pub async fn $method(&self, request: pb::$request) -> Result<pb::$response, Error> {
                Ok(self.0.$client().$method(request).await?.into_inner())
            })*
        }
    };
}

methods! { contract_templates:
    publish_contract_template: PublishContractTemplateRequest -> ContractTemplate;
    get_contract_template: GetContractTemplateRequest -> ContractTemplate;
    list_contract_templates: ListContractTemplatesRequest -> ListContractTemplatesResponse;
    retire_contract_template: RetireContractTemplateRequest -> ContractTemplate;
}

methods! { contracts:
    create_contract: CreateContractRequest -> Contract;
    get_contract: GetContractRequest -> Contract;
    list_contracts: ListContractsRequest -> ListContractsResponse;
    propose_contract: ProposeContractRequest -> Contract;
    counter_contract: CounterContractRequest -> Contract;
    accept_contract: AcceptContractRequest -> Contract;
    decline_contract: DeclineContractRequest -> Contract;
    withdraw_contract: WithdrawContractRequest -> Contract;
    sign_contract: SignContractRequest -> Contract;
    attach_document: AttachDocumentRequest -> Contract;
    quote_compensation: QuoteCompensationRequest -> QuoteCompensationResponse;
    propose_amendment: ProposeAmendmentRequest -> Contract;
    accept_amendment: AcceptAmendmentRequest -> Contract;
    decline_amendment: DeclineAmendmentRequest -> Contract;
    withdraw_amendment: WithdrawAmendmentRequest -> Contract;
    replace_terms: ReplaceTermsRequest -> Contract;
    give_renewal_notice: GiveRenewalNoticeRequest -> Contract;
    notify_breach: NotifyBreachRequest -> Contract;
    record_cure: RecordCureRequest -> Contract;
    suspend_contract: SuspendContractRequest -> Contract;
    reinstate_contract: ReinstateContractRequest -> Contract;
    terminate_contract: TerminateContractRequest -> Contract;
    propose_termination: ProposeTerminationRequest -> Contract;
    accept_termination: AcceptTerminationRequest -> Contract;
    decline_termination: DeclineTerminationRequest -> Contract;
    get_terms: GetTermsRequest -> GetTermsResponse;
}

/// The usual requests, in short.
impl Api {
    /// The same caller at an instant.
    pub fn at(&self, time: &str) -> Self {
        Self(self.0.at(time.parse().unwrap()))
    }

    pub async fn act_on_due(&self, name: &str) -> Result<ActOnDueResponse, Error> {
        let request = ActOnDueRequest { name: name.into(), ..Default::default() };
        Ok(self.0.timers(Service::Contracts).act_on_due(request).await?.into_inner())
    }

    pub async fn create(&self, id: &str) -> pb::Contract {
        self.create_contract(create(id)).await.unwrap()
    }

    pub async fn get(&self, name: &str) -> Result<pb::Contract, Error> {
        self.get_contract(pb::GetContractRequest { name: name.into(), ..Default::default() }).await
    }

    pub async fn propose(&self, name: &str) -> Result<pb::Contract, Error> {
        self.propose_contract(pb::ProposeContractRequest { name: name.into(), ..Default::default() }).await
    }

    pub async fn counter(&self, name: &str, terms: pb::Terms) -> Result<pb::Contract, Error> {
        let terms = Some(terms);
        self.counter_contract(pb::CounterContractRequest { name: name.into(), terms, ..Default::default() }).await
    }

    pub async fn accept(&self, name: &str) -> Result<pb::Contract, Error> {
        self.accept_contract(pb::AcceptContractRequest { name: name.into(), ..Default::default() }).await
    }

    pub async fn decline(&self, name: &str) -> Result<pb::Contract, Error> {
        let reason = "Too busy.".into();
        self.decline_contract(pb::DeclineContractRequest { name: name.into(), reason, ..Default::default() }).await
    }

    pub async fn withdraw(&self, name: &str) -> Result<pb::Contract, Error> {
        let reason = "Budget is gone.".into();
        self.withdraw_contract(pb::WithdrawContractRequest { name: name.into(), reason, ..Default::default() }).await
    }

    pub async fn sign(&self, name: &str, terms_hash: &str) -> Result<pb::Contract, Error> {
        self.sign_contract(sign(name, terms_hash)).await
    }

    /// Names of the contracts that a filter finds, in an order.
    pub async fn names(&self, filter: &str, order_by: &str) -> Vec<String> {
        let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
        let request = pb::ListContractsRequest { filter, order_by, ..Default::default() };
        let listed = self.list_contracts(request).await.unwrap();
        assert_eq!(usize::try_from(listed.total_size).unwrap(), listed.contracts.len());
        listed.contracts.into_iter().map(|contract| contract.name).collect()
    }
}

pub fn create(id: &str) -> pb::CreateContractRequest {
    let contract = pb::Contract {
        brand: BRAND.into(),
        creator: CREATOR.into(),
        title: "Summer".into(),
        terms: Some(terms()),
        ..Default::default()
    };
    pb::CreateContractRequest { contract: Some(contract), contract_id: id.into(), ..Default::default() }
}

pub fn sign(name: &str, terms_hash: &str) -> pb::SignContractRequest {
    pb::SignContractRequest {
        name: name.into(),
        terms_hash: terms_hash.into(),
        capacity: "Head of Partnerships".into(),
        method: pb::SignatureMethod::Click.into(),
        ..Default::default()
    }
}

/// An instant, RFC 3339.
pub fn instant(text: &str) -> Option<prost_types::Timestamp> {
    Some(tandem_proto::time::to_proto(text.parse().unwrap()))
}

/// A document whose hash is made of one digit.
pub fn document(digit: char) -> pb::Document {
    pb::Document {
        title: "Signed agreement".into(),
        media_type: "application/pdf".into(),
        sha256: String::from(digit).repeat(64),
        ..Default::default()
    }
}
