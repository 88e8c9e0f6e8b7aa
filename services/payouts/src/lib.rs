//! The payouts service: what creators are owed, and how it is paid.
//!
//! Invariant: every cent paid is the sum of earnings, each of which names the event, the contract version, the clause
//! and the rule that it comes from; none is paid twice.

mod accrual;
mod accrued;
mod agreed;
mod collect;
pub mod earning;
mod grpc;
mod ledger;
mod pain001;
pub mod payout_run;
mod unpayable;

use std::sync::Arc;

use tandem_client::Endpoints;
use tandem_proto::payouts::v1::compensation_fact_service_server::CompensationFactServiceServer;
use tandem_proto::payouts::v1::earning_service_server::EarningServiceServer;
use tandem_proto::payouts::v1::payout_run_service_server::PayoutRunServiceServer;
use tandem_service::{Environment, ResourceView, Service, Wired};

use crate::earning::Earning;
use crate::ledger::Ledger;
use crate::payout_run::PayoutRun;

/// The service.
pub struct Payouts;

#[tonic::async_trait]
impl Service for Payouts {
    const NAME: &'static str = "payouts";
    const DEFAULT_PORT: u16 = 7404;
    type Args = Endpoints;

    async fn wire(env: &Environment, endpoints: &Endpoints) -> anyhow::Result<Wired> {
        // This service among them: its accrual process records earnings as any other client would.
        let peers = env.peers(endpoints.clone(), ["contracts.read", "creators.bank.read", "payouts.earnings.write"])?;
        let earnings = env.view(ResourceView::<Earning>::default()).await?;
        let runs = env.view(ResourceView::<PayoutRun>::default()).await?;
        let earning_executor = Arc::new(env.executor::<Earning>());
        let ledgers = Arc::new(env.executor::<Ledger>());
        env.process(accrual::Accrual::new(peers.clone(), Arc::clone(&env.log), Arc::clone(&ledgers)));
        Ok(Wired::new()
            .view(&earnings)
            .view(&runs)
            .service(CompensationFactServiceServer::new(grpc::compensation_facts::Handlers {
                log: Arc::clone(&env.log),
                ledgers,
                peers: peers.clone(),
            }))
            .service(EarningServiceServer::new(grpc::earnings::Handlers {
                earnings: Arc::clone(&earning_executor),
                view: earnings.clone(),
            }))
            .service(PayoutRunServiceServer::new(grpc::payout_runs::Handlers {
                log: Arc::clone(&env.log),
                runs: env.executor(),
                earnings: earning_executor,
                run_view: runs,
                earning_view: earnings,
                peers,
            })))
    }
}
