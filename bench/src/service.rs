//! The contracts service, started as in production, and a caller of it or of what imitates it.
//!
//! Invariant: whatever is called is called the same way: by the generated client, over one connection, with a token and
//! a request id in every call.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tandem_aggregate::Aggregate as _;
use tandem_client::{Claims, SigningKey};
use tandem_contracts::Contracts;
use tandem_contracts::contract::Contract;
use tandem_eventlog::{Position, Positions};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_service_client::ContractServiceClient;
use tandem_service::{NoArgs, Service as _, Settings};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response};
use uuid::Uuid;

use crate::sample::{self, TENANT};

const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// The contracts service with all its layers and its view.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
    views: TempDir,
}

impl Service {
    /// With the defaults of production, except for the key that it trusts.
    pub(crate) async fn start(nats_url: &str) -> anyhow::Result<Self> {
        let views = TempDir::new()?;
        let mut settings = Settings {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            views: format!("sqlite:{}", views.path().display()),
            ..Settings::default()
        };
        nats_url.clone_into(&mut settings.nats.url);
        settings.auth.development_key = true;
        let (ready, address) = oneshot::channel();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task =
            tokio::spawn(async move { tandem_service::run::<Contracts>(&settings, &NoArgs {}, stop, ready).await });
        match address.await {
            Ok(address) => Ok(Self { address, shutdown, task, views }),
            Err(_) => Err(task.await?.err().context("it ended before it was ready")?),
        }
    }

    /// Where the view of contracts is kept.
    pub(crate) fn view_file(&self) -> PathBuf {
        self.views.path().join(Contracts::NAME).join("contracts.sqlite")
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.task.await?
    }
}

/// Somebody who creates and proposes contracts.
#[derive(Clone)]
pub(crate) struct Caller {
    client: ContractServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
}

impl Caller {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let channel = Endpoint::try_from(format!("http://{address}"))?.connect().await?;
        let claims = Claims::new("users/ada", TENANT).with_permissions(["contracts.*"]);
        let token = SigningKey::development().mint(&claims, TOKEN_LIFE);
        Ok(Self { client: ContractServiceClient::new(channel), authorization: format!("Bearer {token}").parse()? })
    }

    pub(crate) async fn create(&self, id: &str) -> anyhow::Result<Response<pb::Contract>> {
        let message = pb::CreateContractRequest {
            contract: Some(sample::contract(sample::terms(4000))),
            contract_id: id.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        Ok(self.client.clone().create_contract(self.request(message)).await?)
    }

    pub(crate) async fn propose(&self, id: &str) -> anyhow::Result<Response<pb::Contract>> {
        let (name, request_id) = (format!("contracts/{id}"), request_id());
        let message = pb::ProposeContractRequest { name, request_id, ..Default::default() };
        Ok(self.client.clone().propose_contract(self.request(message)).await?)
    }

    pub(crate) async fn get(&self, id: &str) -> anyhow::Result<Response<pb::Contract>> {
        let message = pb::GetContractRequest { name: format!("contracts/{id}"), ..Default::default() };
        Ok(self.client.clone().get_contract(self.request(message)).await?)
    }

    /// A page of so many contracts, read after the event at `position`.
    pub(crate) async fn list(&self, page_size: i32, position: Position) -> anyhow::Result<pb::ListContractsResponse> {
        let mut request = self.request(pb::ListContractsRequest { page_size, ..Default::default() });
        if position > 0 {
            let mut positions = Positions::default();
            positions.insert(Contract::KIND, position);
            request.metadata_mut().insert("tandem-read-after", positions.to_string().parse()?);
        }
        Ok(self.client.clone().list_contracts(request).await?.into_inner())
    }

    /// Waits until the service's view has read the event at `position`, so that it works through nothing while something
    /// else is measured.
    pub(crate) async fn caught_up(&self, position: Position) -> anyhow::Result<()> {
        while let Err(error) = self.list(1, position).await {
            // A large log takes longer than a request may.
            let status = error.downcast_ref::<tonic::Status>().map(tonic::Status::code);
            anyhow::ensure!(matches!(status, Some(Code::DeadlineExceeded | Code::Unavailable)), error);
        }
        Ok(())
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

/// Where the answer to a write says that the log has it.
pub(crate) fn position(answer: &Response<pb::Contract>) -> anyhow::Result<Position> {
    let positions = answer.metadata().get("tandem-position").context("the answer names no position")?;
    Ok(positions.to_str()?.parse::<Positions>()?.max())
}

/// As Tandem's client gives to every command.
fn request_id() -> String {
    Uuid::new_v4().to_string()
}
