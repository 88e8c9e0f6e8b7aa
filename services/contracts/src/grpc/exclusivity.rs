//! `ExclusivityService` over gRPC: transport only.
//!
//! Invariant: a creator asks about their own contracts only; what stands against one is another contract of that creator.

use std::sync::Arc;

use tandem_aggregate::Executor;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::ContractState as State;
use tandem_proto::contracts::v1::exclusivity_service_server::ExclusivityService;
use tandem_service::{Call, Problem};
use tonic::{Request, Response, Status};

use super::id;
use super::signing::creator_id;
use crate::contract::Contract;
use crate::exclusivity::taxonomy::{Category, taxonomy};
use crate::exclusivity::{Book, commitment};

/// The handlers, over the contracts and the books of their creators.
pub(crate) struct Exclusivity {
    pub(crate) contracts: Arc<Executor<Contract>>,
    pub(crate) books: Arc<Executor<Book>>,
}

#[tonic::async_trait]
impl ExclusivityService for Exclusivity {
    async fn check_exclusivity(
        &self,
        request: Request<pb::CheckExclusivityRequest>,
    ) -> Result<Response<pb::CheckExclusivityResponse>, Status> {
        let call = Call::accept(request)?;
        let (tenant, name) = (&call.caller.tenant, &call.message.contract);
        let contract = self.contracts.get(tenant, id(name)).await.map_err(|error| call.error(error))?;
        if !contract.exists() {
            return Err(call.not_found(name));
        }
        let contract = &contract.state.0;
        call.caller.require_party(&contract.creator)?;
        if is_over(contract.state()) {
            let state = contract.state().as_str_name().trim_start_matches("CONTRACT_STATE_").to_owned();
            let message =
                format!("{name} is {state}, and nothing is left to sign. Ask about a contract that is not over.");
            return Err(Problem::new(ErrorReason::StateForbids, message).about(name).into());
        }
        let book = self.books.get(tenant, creator_id(contract)).await.map_err(|error| call.error(error))?;
        Ok(Response::new(pb::CheckExclusivityResponse { conflicts: book.state.conflicts(&commitment(contract)) }))
    }

    async fn list_categories(
        &self,
        request: Request<pb::ListCategoriesRequest>,
    ) -> Result<Response<pb::ListCategoriesResponse>, Status> {
        Call::accept(request)?;
        let message = |Category { id, parent, title }: &Category| pb::Category {
            id: id.clone(),
            parent: parent.clone(),
            title: title.clone(),
        };
        let categories = taxonomy().categories().iter().map(message).collect();
        Ok(Response::new(pb::ListCategoriesResponse { categories }))
    }
}

fn is_over(state: State) -> bool {
    matches!(state, State::Declined | State::Withdrawn | State::Lapsed | State::Expired | State::Terminated)
}
