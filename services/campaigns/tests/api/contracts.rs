//! A contracts service that answers the contracts that a test has put there, and remembers how it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::clause::Clause;
use tandem_client::proto::contracts::v1::contract_service_server::{ContractService, ContractServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Shared by the server and the test.
#[derive(Clone, Default)]
pub struct Contracts(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    contracts: HashMap<(String, String), pb::Contract>,
    asked: Vec<Asked>,
}

/// How a contract was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub actor: String,
    pub tenant: String,
    pub permissions: Vec<String>,
    pub correlation_id: String,
}

impl Contracts {
    /// Serves at this address, until the test ends.
    pub async fn serve(&self, address: SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = tonic::transport::Server::builder().add_service(ContractServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    }

    pub fn put(&self, tenant: &str, contract: pb::Contract) {
        self.0.lock().unwrap().contracts.insert((tenant.into(), contract.name.clone()), contract);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().asked.clone()
    }
}

/// A signed contract of GlowCo in its second round: two deliverables, five business days, one revision round.
pub fn signed(id: &str, creator: &str) -> pb::Contract {
    let deliverable = |id: &str| pb::DeliverableTerm {
        deliverable_id: id.into(),
        content_type: pb::ContentType::ShortVideo.into(),
        channel: "tiktok".into(),
        ..Default::default()
    };
    let deliverables = vec![deliverable("reel-1"), deliverable("reel-2")];
    let disclosure = pb::DisclosureClause {
        platform_label_required: true,
        accepted_tags: vec!["#ad".into()],
        brand_tag: "@glowco".into(),
    };
    let clauses = [
        ("content", Clause::Deliverables(pb::DeliverablesClause { deliverables, ..Default::default() })),
        (
            "review",
            Clause::Review(pb::ReviewClause { window_business_days: 5, silence_approves: false, revision_rounds: 1 }),
        ),
        ("disclosure", Clause::Disclosure(disclosure)),
    ];
    let clauses = clauses.map(|(id, clause)| pb::Clause { clause_id: id.into(), clause: Some(clause) });
    let terms = pb::Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        clauses: clauses.into(),
        ..Default::default()
    };
    pb::Contract {
        name: format!("contracts/{id}"),
        brand: "brands/glowco".into(),
        creator: creator.into(),
        state: pb::ContractState::Active.into(),
        terms: Some(terms),
        round: 2,
        ..Default::default()
    }
}

fn asked(request: &Request<pb::GetContractRequest>) -> Asked {
    let text = |key: &str| request.metadata().get(key).unwrap().to_str().unwrap().to_owned();
    let authorization = text("authorization");
    let claims = authorization.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    let claims: tandem_client::Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let correlation_id = text("tandem-correlation-id");
    Asked { actor: claims.sub, tenant: claims.tenant, permissions: claims.permissions, correlation_id }
}

#[tonic::async_trait]
impl ContractService for Contracts {
    async fn get_contract(&self, request: Request<pb::GetContractRequest>) -> Result<Response<pb::Contract>, Status> {
        let asked = asked(&request);
        let mut state = self.0.lock().unwrap();
        let contract = state.contracts.get(&(asked.tenant.clone(), request.into_inner().name)).cloned();
        state.asked.push(asked);
        contract.map(Response::new).ok_or_else(|| Status::not_found("no such contract"))
    }
}
