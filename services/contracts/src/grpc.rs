//! `ContractService` over gRPC: transport only.
//!
//! Invariant: nothing is decided here but for whom the caller acts, and that a creator reaches their own contracts only.

use tandem_aggregate::Executor;
use tandem_proto::RequestMessage;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::contracts::v1::contract_service_server::ContractService;
use tandem_proto::validation::Path;
use tandem_service::{Call, Problem, Resource as _, ResourceView, list};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::contract::{Action, Command, Consent, Contract, Draft};
use crate::terms::Terms;

/// The handlers, over the contracts and the view that lists them.
pub(crate) struct Grpc {
    contracts: Executor<Contract>,
    view: ViewHandle<ResourceView<Contract>>,
}

impl Grpc {
    pub(crate) fn new(contracts: Executor<Contract>, view: ViewHandle<ResourceView<Contract>>) -> Self {
        Self { contracts, view }
    }

    /// For whom the caller acts on the contract that the request names.
    async fn party<M: RequestMessage>(&self, call: &Call<M>) -> Result<Party, Status> {
        if call.caller.creator.is_none() {
            return Ok(Party::Brand);
        }
        // A contract's creator never changes, so what holds now holds when the action is decided.
        let name = call.message.name();
        let loaded = self.contracts.get(&call.caller.tenant, id(name)).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(name));
        }
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(Party::Creator)
    }

    /// Takes an action on the contract that the request names.
    async fn act<M: RequestMessage>(&self, call: &Call<M>, action: Action) -> Result<Response<pb::Contract>, Status> {
        let by = self.party(call).await?;
        self.execute(call, id(call.message.name()), Command { by, action }).await
    }

    async fn execute<M>(&self, call: &Call<M>, id: &str, command: Command) -> Result<Response<pb::Contract>, Status> {
        let done = self.contracts.execute(id, &command, &call.meta).await.map_err(|error| call.error(error))?.loaded;
        let etag = done.etag();
        Ok(call.written::<Contract, _>(done.state.into_message(etag), done.position))
    }
}

#[tonic::async_trait]
impl ContractService for Grpc {
    async fn create_contract(
        &self,
        request: Request<pb::CreateContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let mut call = Call::accept(request)?;
        let pb::Contract { brand, creator, title, terms, .. } = call.message.contract.take().unwrap_or_default();
        call.caller.require_party(&creator)?;
        let by = if call.caller.creator.is_some() { Party::Creator } else { Party::Brand };
        let at = Path::Root;
        let terms = parse(terms, &at.field("contract").field("terms"))?;
        let command = Command { by, action: Action::Draft(Draft { brand, creator, title, terms }) };
        let id = call.new_id(&call.message.contract_id);
        if call.message.validate_only {
            let staged = self.contracts.stage(&id, &command, &call.meta).await.map_err(|error| call.error(error))?;
            return Ok(Response::new(staged.loaded.state.into_message(String::new())));
        }
        self.execute(&call, &id, command).await
    }

    async fn get_contract(&self, request: Request<pb::GetContractRequest>) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::GetContractRequest { name, round } = &call.message;
        let loaded = self.contracts.get(&call.caller.tenant, id(name)).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(name));
        }
        call.caller.require_party(&loaded.state.0.creator)?;
        let mut contract = loaded.state.clone();
        if *round != 0 {
            let last = contract.0.round;
            contract = contract.at_round(*round).ok_or_else(|| {
                let description = format!("is {round}, but {name} has {last} round(s) so far: give one of them, or 0");
                call.invalid("round", &description)
            })?;
        }
        Ok(Response::new(contract.into_message(loaded.etag())))
    }

    async fn list_contracts(
        &self,
        request: Request<pb::ListContractsRequest>,
    ) -> Result<Response<pb::ListContractsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListContractsRequest { page_size, page_token, filter, order_by } = &call.message;
        // A creator lists their own.
        let fixed = call.caller.creator.iter().map(|creator| ("creator", creator.clone())).collect();
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed };
        let page = list(&self.view, &call, query).await?;
        Ok(Response::new(pb::ListContractsResponse {
            contracts: page.rows.into_iter().map(|(_, contract)| contract).collect(),
            next_page_token: page.next_page_token,
            total_size: page.total_size,
        }))
    }

    async fn propose_contract(
        &self,
        request: Request<pb::ProposeContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        self.act(&Call::accept(request)?, Action::Propose).await
    }

    async fn counter_contract(
        &self,
        request: Request<pb::CounterContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let mut call = Call::accept(request)?;
        let by = self.party(&call).await?;
        let terms = parse(call.message.terms.take(), &Path::Root.field("terms"))?;
        self.execute(&call, id(&call.message.name), Command { by, action: Action::Counter(terms) }).await
    }

    async fn accept_contract(
        &self,
        request: Request<pb::AcceptContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        self.act(&Call::accept(request)?, Action::Accept).await
    }

    async fn decline_contract(
        &self,
        request: Request<pb::DeclineContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::Decline { reason }).await
    }

    async fn withdraw_contract(
        &self,
        request: Request<pb::WithdrawContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::Withdraw { reason }).await
    }

    async fn sign_contract(&self, request: Request<pb::SignContractRequest>) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::SignContractRequest { terms_hash, capacity, .. } = call.message.clone();
        let consent = Consent { terms_hash, capacity, method: call.message.method() };
        self.act(&call, Action::Sign(consent)).await
    }
}

fn parse(terms: Option<pb::Terms>, at: &Path<'_>) -> Result<Terms, Status> {
    Terms::parse(terms.unwrap_or_default(), at).map_err(|wrong| Problem::fields(wrong).into())
}

/// The id in `contracts/{contract}`, whose form the proto file demands.
fn id(name: &str) -> &str {
    name.strip_prefix("contracts/").unwrap_or(name)
}
