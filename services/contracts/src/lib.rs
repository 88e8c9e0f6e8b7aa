//! The contracts service: a brand and a creator negotiate terms in rounds, accept them, and sign them.
//!
//! | module | is |
//! |---|---|
//! | [`terms`] | what can be agreed on, its hash, and what differs between rounds |
//! | [`contract`] | the aggregate: what a contract allows, and what has happened to it |
//! | [`exclusivity`] | what signed contracts keep a creator from, and what stands against signing another |
//! | [`render`] | a contract as a document for people |
//! | [`rights`] | what a contract grants for what is published under it |
//! | [`usage_right`] | the aggregate: an entry of the register of rights |
//! | [`granting`] | the process that keeps the register as the contracts have it |
//! | [`statute`] | what the law asks of terms, as data |
//! | [`obligation`] | the view of who owes what by when |
//! | [`template`] | the aggregate: clauses that contracts start from, in versions |
//! | `grpc` | the services of `tandem.contracts.v1` over them |
//!
//! Invariant: a contract is decided on by itself alone, but for its signatures, which the exclusivity of others can stand
//! against. This service calls no other; of others' events it reads publications, which rights begin with. What time
//! brings about, its timers do.

pub mod contract;
pub mod exclusivity;
#[cfg(test)]
#[path = "../tests/api/fixtures.rs"]
mod fixtures;
pub mod granting;
mod grpc;
pub mod obligation;
pub mod render;
pub mod rights;
pub mod statute;
pub mod template;
pub mod terms;
pub mod usage_right;

use std::sync::Arc;

use tandem_proto::contracts::v1::contract_service_server::ContractServiceServer;
use tandem_proto::contracts::v1::contract_template_service_server::ContractTemplateServiceServer;
use tandem_proto::contracts::v1::exclusivity_service_server::ExclusivityServiceServer;
use tandem_proto::contracts::v1::obligation_service_server::ObligationServiceServer;
use tandem_proto::contracts::v1::rights_service_server::RightsServiceServer;
use tandem_service::{Environment, NoArgs, ResourceView, Service, Wired};

use contract::Contract;
use exclusivity::Book;
use exclusivity::keeping::Keeping;
use granting::Granting;
use grpc::signing::Signing;
use obligation::Obligations;
use rights::publications::Publications;
use template::ContractTemplate;
use usage_right::UsageRight;

/// Who gives the commands that follow from events.
const ACTOR: &str = "services/contracts";

/// The service.
pub struct Contracts;

#[tonic::async_trait]
impl Service for Contracts {
    const NAME: &'static str = "contracts";
    const DEFAULT_PORT: u16 = 7402;
    type Args = NoArgs;

    async fn wire(env: &Environment, _args: &NoArgs) -> anyhow::Result<Wired> {
        let contracts = Arc::new(env.executor::<Contract>());
        let rights = Arc::new(env.executor::<UsageRight>());
        let view = env.view(ResourceView::<Contract>::default()).await?;
        let rights_view = env.view(ResourceView::<UsageRight>::default()).await?;
        let publications = env.view(Publications).await?;
        let templates_view = env.view(ResourceView::<ContractTemplate>::default()).await?;
        let obligations = env.view(Obligations).await?;
        let contract_timers = env.timers(&contracts).await?;
        let right_timers = env.timers(&rights).await?;
        env.process(Granting {
            log: Arc::clone(&env.log),
            contracts: Arc::clone(&contracts),
            rights: Arc::clone(&rights),
            publications: publications.clone(),
        });
        let books = Arc::new(env.executor::<Book>());
        env.process(Keeping::new(Arc::clone(&env.log), Arc::clone(&contracts), Arc::clone(&books)));
        let signing = Signing::new(Arc::clone(&env.log), Arc::clone(&books));
        Ok(Wired::new()
            .view(&view)
            .view(&rights_view)
            .view(&publications)
            .view(&templates_view)
            .view(&obligations)
            .timers(contract_timers)
            .timers(right_timers)
            .service(RightsServiceServer::new(grpc::rights::Handlers {
                contracts: Arc::clone(&contracts),
                rights,
                view: rights_view,
                publications,
            }))
            .service(ExclusivityServiceServer::new(grpc::exclusivity::Exclusivity {
                contracts: Arc::clone(&contracts),
                books,
            }))
            .service(ObligationServiceServer::new(grpc::Obligations(obligations)))
            .service(ContractTemplateServiceServer::new(grpc::Templates::new(env.executor(), templates_view)))
            .service(ContractServiceServer::new(grpc::Grpc::new(contracts, env.executor(), view, signing))))
    }
}
