//! The creators service: who the creators are that a tenant knows, and how far its brands have come with them before a
//! contract.
//!
//! Invariant: what identifies a person, handles, names, bank details, is in the vault and nowhere else; the log and the
//! views hold keyed hashes of it.

mod creator;
mod grpc;
mod handle;
mod iban;
mod import;
mod person;
mod prospect;
mod row;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tandem_proto::creators::v1::creator_service_server::CreatorServiceServer;
use tandem_proto::creators::v1::prospect_service_server::ProspectServiceServer;
use tandem_service::{DeploymentEnvironment, Environment, ResourceView, Service, Wired, until_it_passes};
use tandem_vault::{MasterKey, Vault, VaultError};

use crate::creator::Creator;
use crate::prospect::Prospect;

/// The creators service.
pub struct Creators;

/// What the creators service can be told.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    /// File with the master key of the vault: 32 random bytes in base64. Whoever loses it loses all personal data, and
    /// finds no creator by handle any more [default in development: a key that everybody knows]
    #[arg(long, env = "TANDEM_VAULT_KEY", value_name = "FILE")]
    pub vault_key: Option<PathBuf>,
}

impl Args {
    fn master_key(&self, environment: DeploymentEnvironment) -> anyhow::Result<MasterKey> {
        let master = match &self.vault_key {
            Some(path) => MasterKey::from_file(path).context("--vault-key")?,
            None => MasterKey::development(),
        };
        anyhow::ensure!(
            environment != DeploymentEnvironment::Production || !master.is_development(),
            "with --environment production the vault needs a key of its own: make one with `openssl rand -base64 32` \
             and name its file in --vault-key"
        );
        Ok(master)
    }
}

#[tonic::async_trait]
impl Service for Creators {
    const NAME: &'static str = "creators";
    const DEFAULT_PORT: u16 = 7401;
    const KEEPS_VAULT: bool = true;
    type Args = Args;

    async fn wire(env: &Environment, args: &Args) -> anyhow::Result<Wired> {
        let master = args.master_key(env.settings.environment)?;
        let jetstream = async_nats::jetstream::new(env.nats()?);
        let replicas = env.settings.stream_replicas;
        let passes = |error: &VaultError| matches!(error, VaultError::Unavailable { .. });
        let open = || Vault::open(&jetstream, &env.settings.stream, master.clone(), replicas);
        let vault = until_it_passes("the vault", passes, open).await.context("the vault")?;
        let creators = Arc::new(env.executor::<Creator>());
        let creator_view = env.view(ResourceView::<Creator>::default()).await?;
        let prospect_view = env.view(ResourceView::<Prospect>::default()).await?;
        let creator_handlers = grpc::CreatorHandlers {
            creators: Arc::clone(&creators),
            view: creator_view.clone(),
            vault,
            log: Arc::clone(&env.log),
        };
        let prospect_handlers =
            grpc::ProspectHandlers { prospects: env.executor::<Prospect>(), creators, view: prospect_view.clone() };
        Ok(Wired::new()
            .service(CreatorServiceServer::new(creator_handlers))
            .service(ProspectServiceServer::new(prospect_handlers))
            .view(&creator_view)
            .view(&prospect_view))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_needs_a_vault_key_of_its_own() {
        let error = Args::default().master_key(DeploymentEnvironment::Production).unwrap_err().to_string();
        assert!(error.contains("--vault-key"), "{error}");
        assert!(Args::default().master_key(DeploymentEnvironment::Development).unwrap().is_development());
    }

    #[test]
    fn a_key_file_that_is_missing_is_named() {
        let args = Args { vault_key: Some("/nowhere/vault.key".into()) };
        let error = format!("{:#}", args.master_key(DeploymentEnvironment::Development).unwrap_err());
        assert!(error.contains("--vault-key") && error.contains("/nowhere/vault.key"), "{error}");
    }
}
