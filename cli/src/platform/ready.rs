//! What a started Tandem tells whoever has started it; and starting one as a child, `tandem up`.
//!
//! Invariant: a ready file is written when everything answers, in one step, and what it names can be used.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tandem_client::{Client, Endpoints};
use tokio::process::Command;

use super::child::Child;

/// Content of the ready file of `tandem up`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// URL of NATS.
    pub nats: String,
    /// URL of the creators service.
    pub creators: String,
    /// URL of the contracts service.
    pub contracts: String,
    /// URL of the campaigns service.
    pub campaigns: String,
    /// URL of the payouts service.
    pub payouts: String,
    /// URL of the relationships service.
    pub relationships: String,
    /// Token with all permissions in the tenant that `up` was told, for a day.
    pub token: String,
}

impl Ready {
    pub(crate) fn new(nats: &str, endpoints: &Endpoints, token: String) -> Self {
        let Endpoints { creators, contracts, campaigns, payouts, relationships } = endpoints.clone();
        Self { nats: nats.to_owned(), creators, contracts, campaigns, payouts, relationships, token }
    }

    /// Where the services answer.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            creators: self.creators.clone(),
            contracts: self.contracts.clone(),
            campaigns: self.campaigns.clone(),
            payouts: self.payouts.clone(),
            relationships: self.relationships.clone(),
        }
    }
}

/// A `tandem up` in a process of its own, on free ports.
#[derive(Debug)]
pub struct UpProcess {
    /// The process.
    pub child: Child,
    /// What it told when it was ready.
    pub ready: Ready,
}

impl UpProcess {
    /// Starts it from this binary, on this data, and waits until everything answers. Its output is in `up.log`, in the
    /// data folder.
    ///
    /// # Errors
    /// If it ends before it is ready; then with its last words.
    pub async fn start(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data)?;
        let ready_file = data.join("up.ready");
        let mut command = Command::new(binary);
        command.args(["up", "--ephemeral-ports", "--data"]).arg(data).arg("--ready-file").arg(&ready_file);
        let (child, ready) = Child::start("tandem up", &mut command, &ready_file, &data.join("up.log")).await?;
        Ok(Self { child, ready: serde_json::from_value(ready)? })
    }

    /// A client with all permissions in this tenant.
    ///
    /// # Errors
    /// If what it told are no URLs.
    pub fn client(&self, tenant: &str) -> anyhow::Result<Client> {
        let builder = Client::builder().endpoints(self.ready.endpoints());
        Ok(builder.token(crate::connection::developer(tenant)).build()?)
    }
}
