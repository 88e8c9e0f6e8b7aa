//! `ContractService` over gRPC: transport only.
//!
//! Invariant: nothing is decided here but for whom the caller acts, and that a creator reaches their own contracts only.

use std::sync::Arc;

pub(crate) mod exclusivity;
mod obligations;
mod quote;
mod render;
pub(crate) mod rights;
pub(crate) mod signing;
mod templates;
mod terms;

pub(crate) use obligations::Obligations;
pub(crate) use templates::Templates;

use jiff::civil::Date;
use prost_types::Timestamp;
use tandem_aggregate::{Executor, Loaded};
use tandem_money::dates;
use tandem_proto::RequestMessage;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::contracts::v1::contract_service_server::ContractService;
use tandem_proto::google::r#type as wire;
use tandem_proto::time;
use tandem_proto::validation::Path;
use tandem_service::{Call, Problem, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::contract::{Action, Command, Contract, Draft, FromTemplate, amendment, termination};
use crate::template::ContractTemplate;
use crate::terms::Terms;

/// The handlers, over the contracts and the view that lists them.
pub(crate) struct Grpc {
    contracts: Arc<Executor<Contract>>,
    templates: Executor<ContractTemplate>,
    view: ViewHandle<ResourceView<Contract>>,
    signing: signing::Signing,
}

impl Grpc {
    pub(crate) fn new(
        contracts: Arc<Executor<Contract>>,
        templates: Executor<ContractTemplate>,
        view: ViewHandle<ResourceView<Contract>>,
        signing: signing::Signing,
    ) -> Self {
        Self { contracts, templates, view, signing }
    }

    /// The template that a contract names, if it names one.
    async fn template<M>(&self, call: &Call<M>, name: &str, version: i32) -> Result<Option<FromTemplate>, Status> {
        match (name, version) {
            ("", 0) => Ok(None),
            ("", _) => {
                let description =
                    "is the version of a template that is not named: name it in template, or leave this out";
                Err(call.invalid("contract.template_version", description))
            }
            _ => {
                let template = templates::load(&self.templates, call, name).await?.state.clone();
                Ok(Some(FromTemplate { template, version }))
            }
        }
    }

    /// For whom the caller acts on the contract that the request names.
    async fn party<M: RequestMessage>(&self, call: &Call<M>) -> Result<Party, Status> {
        if call.caller.creator.is_none() {
            return Ok(Party::Brand);
        }
        // A contract's creator never changes, so what holds now holds when the action is decided.
        self.load(call, call.message.name()).await?;
        Ok(Party::Creator)
    }

    /// Takes an action on the contract that the request names.
    async fn act<M: RequestMessage>(&self, call: &Call<M>, action: Action) -> Result<Response<pb::Contract>, Status> {
        let by = self.party(call).await?;
        self.execute(call, id(call.message.name()), Command { by, action }).await
    }

    /// What would come of it, without doing it.
    async fn stage<M>(&self, call: &Call<M>, id: &str, command: Command) -> Result<Response<pb::Contract>, Status> {
        let staged = self.contracts.stage(id, &command, &call.meta).await.map_err(|error| call.error(error))?;
        Ok(Response::new(staged.loaded.state.into_message(String::new())))
    }

    /// The contract of a name, if there is one and the caller may see it.
    async fn load<M>(&self, call: &Call<M>, name: &str) -> Result<Arc<Loaded<Contract>>, Status> {
        let loaded = self.contracts.get(&call.caller.tenant, id(name)).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(name));
        }
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(loaded)
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
        let pb::Contract { brand, creator, title, terms, template, template_version, .. } =
            call.message.contract.take().unwrap_or_default();
        call.caller.require_party(&creator)?;
        let by = if call.caller.creator.is_some() { Party::Creator } else { Party::Brand };
        let at = Path::Root;
        let terms = parse(terms, &at.field("contract").field("terms"))?;
        let template = self.template(&call, &template, template_version).await?;
        let command = Command { by, action: Action::Draft(Draft { brand, creator, title, terms, template }) };
        let id = call.new_id(&call.message.contract_id);
        if call.message.validate_only {
            return self.stage(&call, &id, command).await;
        }
        self.execute(&call, &id, command).await
    }

    async fn get_contract(&self, request: Request<pb::GetContractRequest>) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::GetContractRequest { name, round } = &call.message;
        let loaded = self.load(&call, name).await?;
        let mut contract = loaded.state.clone();
        if *round != 0 {
            contract = contract.at_round(*round).ok_or_else(|| no_such_round(&call, *round, &loaded.state))?;
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
        Ok(listed(
            page.position,
            pb::ListContractsResponse {
                contracts: page.rows.into_iter().map(|(_, contract)| contract).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn propose_contract(
        &self,
        request: Request<pb::ProposeContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let expire_time = instant(&call, "expire_time", call.message.expire_time)?;
        self.act(&call, Action::Propose { expire_time }).await
    }

    async fn counter_contract(
        &self,
        request: Request<pb::CounterContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let mut call = Call::accept(request)?;
        let by = self.party(&call).await?;
        let terms = parse(call.message.terms.take(), &Path::Root.field("terms"))?;
        let expire_time = instant(&call, "expire_time", call.message.expire_time)?;
        let action = Action::Counter { terms, expire_time };
        self.execute(&call, id(&call.message.name), Command { by, action }).await
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
        signing::sign(self, &Call::accept(request)?).await
    }

    async fn attach_document(
        &self,
        request: Request<pb::AttachDocumentRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let document = call.message.document.clone().unwrap_or_default();
        self.act(&call, Action::Attach(document)).await
    }

    async fn propose_amendment(
        &self,
        request: Request<pb::ProposeAmendmentRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let mut call = Call::accept(request)?;
        let terms = parse(call.message.terms.take(), &Path::Root.field("terms"))?;
        let effective_date = date(&call, "effective_date", call.message.effective_date)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::Amend(amendment::Action::Propose { terms, effective_date, reason })).await
    }

    async fn accept_amendment(
        &self,
        request: Request<pb::AcceptAmendmentRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::AcceptAmendmentRequest { number, terms_hash, .. } = call.message.clone();
        self.act(&call, Action::Amend(amendment::Action::Accept { number, terms_hash })).await
    }

    async fn decline_amendment(
        &self,
        request: Request<pb::DeclineAmendmentRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::DeclineAmendmentRequest { number, reason, .. } = call.message.clone();
        self.act(&call, Action::Amend(amendment::Action::Decline { number, reason })).await
    }

    async fn withdraw_amendment(
        &self,
        request: Request<pb::WithdrawAmendmentRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let number = call.message.number;
        self.act(&call, Action::Amend(amendment::Action::Withdraw { number })).await
    }

    async fn replace_terms(&self, request: Request<pb::ReplaceTermsRequest>) -> Result<Response<pb::Contract>, Status> {
        let mut call = Call::accept(request)?;
        let terms = parse(call.message.terms.take(), &Path::Root.field("terms"))?;
        let effective_date = date(&call, "effective_date", call.message.effective_date)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::Amend(amendment::Action::Replace { terms, effective_date, reason })).await
    }

    async fn give_renewal_notice(
        &self,
        request: Request<pb::GiveRenewalNoticeRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::End(termination::Action::GiveRenewalNotice { reason })).await
    }

    async fn notify_breach(&self, request: Request<pb::NotifyBreachRequest>) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let pb::NotifyBreachRequest { clause_id, description, .. } = call.message.clone();
        self.act(&call, Action::End(termination::Action::NotifyBreach { clause_id, description })).await
    }

    async fn record_cure(&self, request: Request<pb::RecordCureRequest>) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let number = call.message.number;
        self.act(&call, Action::End(termination::Action::RecordCure { number })).await
    }

    async fn suspend_contract(
        &self,
        request: Request<pb::SuspendContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let incident = call.message.incident.clone();
        self.act(&call, Action::End(termination::Action::Suspend { incident })).await
    }

    async fn reinstate_contract(
        &self,
        request: Request<pb::ReinstateContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::End(termination::Action::Reinstate { reason })).await
    }

    async fn terminate_contract(
        &self,
        request: Request<pb::TerminateContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let (kind, progress) = (call.message.kind(), call.message.progress());
        let reason = call.message.reason.clone();
        let action = Action::End(termination::Action::Terminate { kind, reason, progress });
        if call.message.validate_only {
            let by = self.party(&call).await?;
            return self.stage(&call, id(&call.message.name), Command { by, action }).await;
        }
        self.act(&call, action).await
    }

    async fn propose_termination(
        &self,
        request: Request<pb::ProposeTerminationRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let end_date = date(&call, "end_date", call.message.end_date)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::End(termination::Action::ProposeTermination { reason, end_date })).await
    }

    async fn accept_termination(
        &self,
        request: Request<pb::AcceptTerminationRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        self.act(&Call::accept(request)?, Action::End(termination::Action::AcceptTermination)).await
    }

    async fn decline_termination(
        &self,
        request: Request<pb::DeclineTerminationRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        let call = Call::accept(request)?;
        let reason = call.message.reason.clone();
        self.act(&call, Action::End(termination::Action::DeclineTermination { reason })).await
    }

    async fn get_terms(&self, request: Request<pb::GetTermsRequest>) -> Result<Response<pb::GetTermsResponse>, Status> {
        terms::get(self, &Call::accept(request)?).await
    }

    async fn quote_compensation(
        &self,
        request: Request<pb::QuoteCompensationRequest>,
    ) -> Result<Response<pb::QuoteCompensationResponse>, Status> {
        quote::quote(self, &Call::accept(request)?).await
    }

    async fn render_contract(
        &self,
        request: Request<pb::RenderContractRequest>,
    ) -> Result<Response<pb::RenderContractResponse>, Status> {
        render::render(self, &Call::accept(request)?).await
    }
}

fn parse(terms: Option<pb::Terms>, at: &Path<'_>) -> Result<Terms, Status> {
    Terms::parse(terms.unwrap_or_default(), at).map_err(|wrong| Problem::fields(wrong).into())
}

fn no_such_round<M>(call: &Call<M>, round: i32, contract: &Contract) -> Status {
    let pb::Contract { name, round: last, .. } = &contract.0;
    call.invalid("round", &format!("is {round}, but {name} has {last} round(s) so far: give one of them, or 0"))
}

/// A day of a request.
fn date<M>(call: &Call<M>, field: &str, date: Option<wire::Date>) -> Result<Date, Status> {
    dates::date_from_proto(&date.unwrap_or_default())
        .map_err(|error| call.invalid(field, &format!("can't be taken: {error}")))
}

/// An instant of a request, if it is given.
fn instant<M>(call: &Call<M>, field: &str, given: Option<Timestamp>) -> Result<Option<jiff::Timestamp>, Status> {
    let Some(given) = given else { return Ok(None) };
    let instant = time::from_proto(&given);
    instant.map(Some).ok_or_else(|| call.invalid(field, "must be an instant from the year 1 to 9999"))
}

/// The id in `contracts/{contract}`, whose form the proto file demands.
fn id(name: &str) -> &str {
    name.strip_prefix("contracts/").unwrap_or(name)
}
