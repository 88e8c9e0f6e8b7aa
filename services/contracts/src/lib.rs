//! The contracts service: a brand and a creator negotiate terms in rounds, accept them, and sign them.
//!
//! | module | is |
//! |---|---|
//! | [`terms`] | what can be agreed on, its hash, and what differs between rounds |
//! | [`contract`] | the aggregate: what a contract allows, and what has happened to it |
//! | [`render`] | a contract as a document for people |
//! | `grpc` | `tandem.contracts.v1.ContractService` over it |
//!
//! Invariant: a contract is decided on by itself alone. This service calls no other and reacts to none;
//! what time brings about, its timers do.

pub mod contract;
#[cfg(test)]
#[path = "../tests/api/fixtures.rs"]
mod fixtures;
mod grpc;
pub mod render;
pub mod terms;

use std::sync::Arc;

use tandem_proto::contracts::v1::contract_service_server::ContractServiceServer;
use tandem_service::{Environment, NoArgs, ResourceView, Service, Wired};

use contract::Contract;

/// The service.
pub struct Contracts;

#[tonic::async_trait]
impl Service for Contracts {
    const NAME: &'static str = "contracts";
    const DEFAULT_PORT: u16 = 7402;
    type Args = NoArgs;

    async fn wire(env: &Environment, _args: &NoArgs) -> anyhow::Result<Wired> {
        let view = env.view(ResourceView::<Contract>::default()).await?;
        let contracts = Arc::new(env.executor());
        let timers = env.timers(&contracts).await?;
        let grpc = grpc::Grpc::new(contracts, view.clone());
        Ok(Wired::new().service(ContractServiceServer::new(grpc)).view(&view).timers(timers))
    }
}
