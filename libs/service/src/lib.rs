//! What every Tandem service is started with: settings, telemetry, authorization, errors, the gRPC server, shutdown.
//!
//! Invariant: only this crate knows how a gRPC server is started, and a method that it serves without a permission in
//! its proto file is denied to everyone.
//!
//! A service is a [`Service`]: its name, its port, and how its parts are wired. It runs as a binary of its own
//! ([`main`]) or with others in one process ([`run`]).
//!
//! ```
//! # mod example {
//! use std::sync::Arc;
//!
//! use tandem_aggregate::Executor;
//! use tandem_proto::common::v1::view_service_server::{ViewService, ViewServiceServer};
//! use tandem_service::{Call, Environment, NoArgs, Service, Wired};
//! # use tandem_proto::common::v1::{ListViewsRequest, ListViewsResponse, RebuildViewRequest, RebuildViewResponse};
//! # use tandem_proto::creators::v1::creator_event::Event;
//! # #[derive(Clone, Default)]
//! # struct Contract;
//! # impl tandem_aggregate::Aggregate for Contract {
//! #     const KIND: tandem_eventlog::Kind = tandem_eventlog::Kind { context: "contracts", aggregate: "contract" };
//! #     const COLLECTION: &'static str = "contracts";
//! #     type Command = ();
//! #     type Event = Event;
//! #     fn decide(&self, _: &(), _: &tandem_aggregate::Context<'_>) -> Result<Vec<Event>, tandem_aggregate::Refusal> { Ok(vec![]) }
//! #     fn evolve(&mut self, _: &Event, _: &tandem_eventlog::Envelope) {}
//! # }
//!
//! /// The service, in `lib.rs`. Its `main.rs` is `fn main() -> ExitCode { tandem_service::main::<Contracts>() }`.
//! pub struct Contracts;
//!
//! #[tonic::async_trait]
//! impl Service for Contracts {
//!     const NAME: &'static str = "contracts";
//!     const DEFAULT_PORT: u16 = 7402;
//!     type Args = NoArgs; // or a `clap::Args` of its own, for example addresses of other services
//!
//!     async fn wire(env: &Environment, _args: &Self::Args) -> anyhow::Result<Wired> {
//!         let contracts = Arc::new(env.executor::<Contract>());
//!         // let view = env.view(ContractsView).await?;         // folds until the service stops
//!         // env.process(Renewals { .. });                      // consumes until the service stops
//!         // let timers = env.timers(&contracts).await?;        // acts on what is due until the service stops
//!         Ok(Wired::new().service(ViewServiceServer::new(Handlers { contracts })))
//!         //             .view(&view)                           // ViewService is served over these by itself
//!         //             .timers(timers)                        // TimerService is served over these by itself
//!     }
//! }
//!
//! /// Its transport, in `grpc.rs`.
//! struct Handlers {
//!     contracts: Arc<Executor<Contract>>,
//! }
//!
//! #[tonic::async_trait]
//! impl ViewService for Handlers {
//!     // A write: what came in is authorized already.
//!     async fn rebuild_view(
//!         &self,
//!         request: tonic::Request<RebuildViewRequest>,
//!     ) -> Result<tonic::Response<RebuildViewResponse>, tonic::Status> {
//!         let call = Call::accept(request)?; // validated by the rules of its proto file
//!         call.caller.require_party("creators/c1")?; // if creators may call it: only their own
//!         let done = self.contracts.execute("c1", &(), &call.meta).await.map_err(|e| call.error(e))?;
//!         Ok(call.written::<Contract, _>(RebuildViewResponse::default(), done.loaded.position))
//!     }
//!
//!     // A read; from a view it would be:
//!     // self.view.wait_for(&call.read_after, call.deadline).await.map_err(|e| call.error(e))?;
//!     // let page = self.view.list(&call.caller.tenant, &query).await.map_err(|e| call.error(e))?;
//!     async fn list_views(
//!         &self,
//!         request: tonic::Request<ListViewsRequest>,
//!     ) -> Result<tonic::Response<ListViewsResponse>, tonic::Status> {
//!         let call = Call::accept(request)?;
//!         let loaded = self.contracts.get(&call.caller.tenant, "c1").await.map_err(|e| call.error(e))?;
//!         if !loaded.exists() {
//!             return Err(call.not_found("contracts/c1"));
//!         }
//!         Ok(tonic::Response::new(ListViewsResponse::default()))
//!     }
//! }
//! # }
//! ```

mod admission;
mod auth;
mod call;
mod config;
mod environment;
mod error;
mod gate;
mod health;
mod info;
mod limits;
mod methods;
mod nats;
mod peers;
mod preflight;
mod processes;
mod readiness;
mod resource;
mod run;
mod server;
mod service_tokens;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod timers;
mod tls;
mod views;
mod waiting;

// Not in tests of this crate, which link it a second time for its helpers.
#[cfg(not(test))]
use mimalloc::MiMalloc;

pub use auth::Caller;
pub use call::Call;
pub use config::{
    AuthSettings, DeploymentEnvironment, Limits, LogFormat, NoArgs, Settings, TelemetrySettings, TlsSettings,
};
pub use environment::{Environment, Service, Wired};
pub use error::{DOMAIN, Problem, code, status};
pub use health::LIVE;
pub use nats::NatsSettings;
pub use peers::Peers;
pub use resource::{Resource, ResourceView, list, listed};
pub use run::{CommandLine, main, run, run_on, terminated, write_ready_file};
pub use service_tokens::ServiceTokens;
pub use telemetry::Telemetry;
pub use waiting::until_it_passes;

/// A command allocates much, for a moment: with the C library's allocator a service takes a fifth fewer of them.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
