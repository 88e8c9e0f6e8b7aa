//! `InfoService`: what this service is, for those who operate it.
//!
//! Invariant: nothing secret is told, and nothing of any tenant.

use jiff::Timestamp;
use tandem_proto::common::v1::info_service_server::InfoService;
use tandem_proto::common::v1::{GetInfoRequest, Info};
use tandem_proto::time::to_proto;
use tonic::{Request, Response, Status};

use crate::Call;
use crate::config::{DeploymentEnvironment, Settings};

pub(crate) struct InfoOperations(Info);

impl InfoOperations {
    pub(crate) fn new(service: &str, settings: &Settings) -> Self {
        Self(Info {
            service: service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            production: settings.environment == DeploymentEnvironment::Production,
            development_key: settings.auth.development_key,
            start_time: Some(to_proto(now())),
            answer_time: None,
        })
    }
}

#[tonic::async_trait]
impl InfoService for InfoOperations {
    async fn get_info(&self, request: Request<GetInfoRequest>) -> Result<Response<Info>, Status> {
        Call::accept(request)?;
        Ok(Response::new(Info { answer_time: Some(to_proto(now())), ..self.0.clone() }))
    }
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "who asks compares clocks, a test clock would tell nothing")]
    Timestamp::now()
}
