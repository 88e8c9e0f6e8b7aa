//! The relationships service: where each partnership stands, how it came there, and the log itself as a stream.
//!
//! Invariant: it decides nothing. All that it answers is folded from the log, and a question about the past is
//! answered by the same fold as one about now.

mod audit;
mod describe;
mod grpc;
mod partnership;
mod past;
mod watch;

pub use audit::Audit;
pub use partnership::Partnerships;

use std::sync::Arc;

use tandem_proto::RequestMessage;
use tandem_proto::relationships::v1::event_service_server::EventServiceServer;
use tandem_proto::relationships::v1::relationship_service_server::RelationshipServiceServer;
use tandem_service::{Call, Environment, NoArgs, Service, Wired};
use tonic::Status;

/// The service.
pub struct Relationships;

#[tonic::async_trait]
impl Service for Relationships {
    const NAME: &'static str = "relationships";
    const DEFAULT_PORT: u16 = 7405;
    type Args = NoArgs;

    async fn wire(env: &Environment, _args: &Self::Args) -> anyhow::Result<Wired> {
        let partnerships = env.view(Partnerships).await?;
        let audit = env.view(Audit).await?;
        let relationships =
            grpc::Handlers { log: Arc::clone(&env.log), partnerships: partnerships.clone(), audit: audit.clone() };
        let events = watch::Handlers { log: Arc::clone(&env.log), shutdown: env.draining.clone() };
        Ok(Wired::new()
            .service(RelationshipServiceServer::new(relationships))
            .service(EventServiceServer::new(events))
            .view(&partnerships)
            .view(&audit))
    }
}

/// Keeps creators out: they would see what the brand thinks of them, and of others.
fn require_staff<M: RequestMessage>(call: &Call<M>) -> Result<(), Status> {
    // No creator has this name, so none is a party.
    call.caller.require_party("creators/")
}
