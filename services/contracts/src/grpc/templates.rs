//! `ContractTemplateService` over gRPC: transport only.
//!
//! Invariant: the library of clauses is the tenant's own; creators see what of it stands in their contracts.

use std::sync::Arc;

use tandem_aggregate::{ExecuteError, Executor, Loaded};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_template_service_server::ContractTemplateService;
use tandem_proto::validation::Path;
use tandem_service::{Call, Problem, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::template::{Command, ContractTemplate};
use crate::terms::Clauses;

/// The handlers, over the templates and the view that lists them.
pub(crate) struct Templates {
    templates: Executor<ContractTemplate>,
    view: ViewHandle<ResourceView<ContractTemplate>>,
}

impl Templates {
    pub(crate) fn new(templates: Executor<ContractTemplate>, view: ViewHandle<ResourceView<ContractTemplate>>) -> Self {
        Self { templates, view }
    }

    async fn execute<M>(
        &self,
        call: &Call<M>,
        id: &str,
        command: Command,
    ) -> Result<Response<pb::ContractTemplate>, Status> {
        let done = self.templates.execute(id, &command, &call.meta).await.map_err(|error| call.error(error))?.loaded;
        let etag = done.etag();
        Ok(call.written::<ContractTemplate, _>(done.state.into_message(etag), done.position))
    }
}

#[tonic::async_trait]
impl ContractTemplateService for Templates {
    async fn publish_contract_template(
        &self,
        request: Request<pb::PublishContractTemplateRequest>,
    ) -> Result<Response<pb::ContractTemplate>, Status> {
        let mut call = Call::accept(request)?;
        require_brand(&call)?;
        let pb::ContractTemplate { brand, title, clauses, .. } =
            call.message.contract_template.take().unwrap_or_default();
        let clauses = Clauses::parse(clauses, &Path::Root.field("contract_template")).map_err(Problem::fields)?;
        let id = call.message.contract_template_id.clone();
        self.execute(&call, &id, Command::Publish { brand, title, clauses }).await
    }

    async fn get_contract_template(
        &self,
        request: Request<pb::GetContractTemplateRequest>,
    ) -> Result<Response<pb::ContractTemplate>, Status> {
        let call = Call::accept(request)?;
        require_brand(&call)?;
        let loaded = load(&self.templates, &call, &call.message.name).await?;
        let template = loaded.state.clone().at_version(call.message.version);
        let template = template.map_err(|refusal| call.error(ExecuteError::from(refusal)))?;
        Ok(Response::new(template.into_message(loaded.etag())))
    }

    async fn list_contract_templates(
        &self,
        request: Request<pb::ListContractTemplatesRequest>,
    ) -> Result<Response<pb::ListContractTemplatesResponse>, Status> {
        let call = Call::accept(request)?;
        require_brand(&call)?;
        let pb::ListContractTemplatesRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: Vec::new() };
        let page = list(&self.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListContractTemplatesResponse {
                contract_templates: page.rows.into_iter().map(|(_, template)| template).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn retire_contract_template(
        &self,
        request: Request<pb::RetireContractTemplateRequest>,
    ) -> Result<Response<pb::ContractTemplate>, Status> {
        let call = Call::accept(request)?;
        require_brand(&call)?;
        self.execute(&call, id(&call.message.name), Command::Retire).await
    }
}

/// The template of a name, if there is one.
pub(super) async fn load<M>(
    templates: &Executor<ContractTemplate>,
    call: &Call<M>,
    name: &str,
) -> Result<Arc<Loaded<ContractTemplate>>, Status> {
    let loaded = templates.get(&call.caller.tenant, id(name)).await.map_err(|error| call.error(error))?;
    if loaded.exists() { Ok(loaded) } else { Err(call.not_found(name)) }
}

/// Refuses creators, whatever their token permits.
fn require_brand<M>(call: &Call<M>) -> Result<(), Status> {
    let Some(creator) = &call.caller.creator else { return Ok(()) };
    let message = format!("The token is of {creator}, and templates are the brand's. Ask someone there.");
    Err(Problem::new(ErrorReason::NotAParty, message).into())
}

/// The id in `contractTemplates/{template}`, whose form the proto file demands.
fn id(name: &str) -> &str {
    name.strip_prefix("contractTemplates/").unwrap_or(name)
}
