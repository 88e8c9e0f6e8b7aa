//! What a scenario stands on: a folder, the services as processes, and clients of theirs.
//!
//! Invariant: clients are as any user has them; nothing is done past the public API.

use std::path::Path;

use tandem_client::{Claims, Client, Endpoints, MintedToken, RetryPolicy};

use crate::services::{self, Services};

pub(crate) const TENANT: &str = "chaos";
pub(crate) const BRAND: &str = "brands/glowco";
/// Of those who must not do what others have prepared.
pub(crate) const PREPARER: &str = "users/fred";
pub(crate) const APPROVER: &str = "users/frida";

pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) clients: Clients,
}

/// Makes clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Clients {
    patient: Client,
    impatient: Client,
}

impl World {
    /// Starts all services on a NATS that may not be there yet.
    pub(crate) fn start(folder: &Path, binaries: &Path, nats_url: &str, replicas: usize) -> anyhow::Result<Self> {
        let services = Services::start(folder, binaries, nats_url, replicas)?;
        let clients = Clients::new(services.endpoints().clone())?;
        Ok(Self { services, clients })
    }

    /// Waits until all services are ready; none may have ended by itself.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        services::ready(&self.clients.user(PREPARER)).await?;
        self.services.all_live().await
    }
}

impl Clients {
    fn new(endpoints: Endpoints) -> anyhow::Result<Self> {
        let builder = Client::builder().endpoints(endpoints.clone());
        let impatient = Client::builder().endpoints(endpoints).retry(RetryPolicy::NEVER).build()?;
        Ok(Self { patient: builder.build()?, impatient })
    }

    /// Somebody of the brand's who may do everything.
    pub(crate) fn user(&self, user: &str) -> Client {
        self.patient.with_token(MintedToken::development(Claims::new(user, TENANT).with_permissions(["*"])))
    }

    /// The same without any retries, to see every answer.
    pub(crate) fn impatient(&self, user: &str) -> Client {
        self.impatient.with_token(MintedToken::development(Claims::new(user, TENANT).with_permissions(["*"])))
    }

    /// A creator, `creators/{creator}`.
    pub(crate) fn creator(&self, creator: &str) -> Client {
        let claims = Claims::new("users/creator", TENANT).with_permissions(["*"]).with_creator(creator);
        self.patient.with_token(MintedToken::development(claims))
    }
}
