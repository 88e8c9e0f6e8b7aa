//! Contracts and creators as far as payouts asks them: servers of their own, with answers that a test sets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as contracts;
use tandem_proto::contracts::v1::contract_service_server::{ContractService, ContractServiceServer};
use tandem_proto::creators::v1::creator_service_server::{CreatorService, CreatorServiceServer};
use tandem_proto::creators::v1::{self as creators, PayoutAccount};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::fixtures::account;

/// A server at an address of its own, that can be away.
pub struct StandIn {
    address: SocketAddr,
    routes: Routes,
    task: Option<JoinHandle<()>>,
}

impl StandIn {
    async fn start(routes: Routes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stand_in = Self { address: listener.local_addr().unwrap(), routes, task: None };
        stand_in.serve(listener);
        stand_in
    }

    fn serve(&mut self, listener: TcpListener) {
        let server = Server::builder().add_routes(self.routes.clone());
        let served = server.serve_with_incoming(TcpListenerStream::new(listener));
        self.task = Some(tokio::spawn(async move { served.await.unwrap() }));
    }

    /// No one listens any more.
    pub async fn goes_away(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    pub async fn comes_back(&mut self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Contracts by name.
#[derive(Clone, Default)]
pub struct Contracts(Arc<Mutex<HashMap<String, contracts::Contract>>>);

impl Contracts {
    pub async fn start(&self) -> StandIn {
        StandIn::start(Routes::new(ContractServiceServer::new(self.clone()))).await
    }

    pub fn set(&self, contract: contracts::Contract) {
        self.0.lock().unwrap().insert(contract.name.clone(), contract);
    }
}

/// Payout accounts by creator, and whose was asked for. Whoever nothing is said of has an account.
#[derive(Clone, Default)]
pub struct Creators {
    accounts: Arc<Mutex<HashMap<String, Result<PayoutAccount, ErrorReason>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Creators {
    pub async fn start(&self) -> StandIn {
        StandIn::start(Routes::new(CreatorServiceServer::new(self.clone()))).await
    }

    pub fn set(&self, creator: &str, account: PayoutAccount) {
        self.accounts.lock().unwrap().insert(creator.to_owned(), Ok(account));
    }

    /// From now on there is no account to be told.
    pub fn refuse(&self, creator: &str, reason: ErrorReason) {
        self.accounts.lock().unwrap().insert(creator.to_owned(), Err(reason));
    }

    /// Whose account was asked for since this was called last, by name.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

#[tonic::async_trait]
impl ContractService for Contracts {
    async fn get_contract(
        &self,
        request: Request<contracts::GetContractRequest>,
    ) -> Result<Response<contracts::Contract>, Status> {
        let contracts::GetContractRequest { name, round } = request.into_inner();
        match self.0.lock().unwrap().get(&name) {
            Some(contract) if round == 0 => Ok(Response::new(contract.clone())),
            Some(_) => Err(tandem_service::status(ErrorReason::FieldInvalid, "no such round")),
            None => Err(tandem_service::status(ErrorReason::ResourceNotFound, format!("{name} does not exist."))),
        }
    }

    async fn get_terms(
        &self,
        request: Request<contracts::GetTermsRequest>,
    ) -> Result<Response<contracts::GetTermsResponse>, Status> {
        let contracts::GetTermsRequest { name, as_of_time, known_at_time } = request.into_inner();
        let known = self.0.lock().unwrap().get(&name).cloned();
        let not_found = || tandem_service::status(ErrorReason::ResourceNotFound, format!("{name} does not exist."));
        let contract = known.ok_or_else(not_found)?;
        let by = |given: Option<prost_types::Timestamp>, limit: Option<prost_types::Timestamp>| {
            let instant = |time: &prost_types::Timestamp| tandem_proto::time::from_proto(time).unwrap();
            given.as_ref().map(instant) <= limit.as_ref().map(instant)
        };
        let applies = |version: &&contracts::TermsVersion| {
            by(version.agree_time, known_at_time) && by(version.effective_time, as_of_time)
        };
        let version = contract.versions.iter().rev().find(applies).unwrap();
        Ok(Response::new(contracts::GetTermsResponse {
            terms: version.terms.clone().or(contract.terms),
            version: version.version,
            brand: contract.brand,
            creator: contract.creator,
            ..Default::default()
        }))
    }
}

#[tonic::async_trait]
impl CreatorService for Creators {
    async fn get_payout_account(
        &self,
        request: Request<creators::GetPayoutAccountRequest>,
    ) -> Result<Response<PayoutAccount>, Status> {
        let name = request.into_inner().name;
        self.asked.lock().unwrap().push(name.clone());
        let known = self.accounts.lock().unwrap().get(&name).cloned();
        let refusal = |reason| tandem_service::status(reason, format!("{name} can't be told."));
        known.unwrap_or_else(|| Ok(account(&name))).map(Response::new).map_err(refusal)
    }
}
