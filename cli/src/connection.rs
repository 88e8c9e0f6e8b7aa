//! Where commands reach Tandem, and as whom.
//!
//! Invariant: a token of the development key is sent to this machine alone.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use tandem_client::{Claims, Client, ClientTls, Endpoints, FileToken, Identity, MintedToken, Service, StaticToken};

/// Who commands are by where no token is given.
pub(crate) const DEVELOPER: &str = "users/developer";

/// Where Tandem is, and who is calling. Without a token, the public development key signs one with all permissions; it
/// is only sent to loopback addresses.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Tenant, where no token is given
    #[arg(long, env = "TANDEM_TENANT", value_name = "TENANT", default_value = "demo")]
    tenant: String,
    /// Token (JWT) of the caller; better in the environment or in --token-file, for others can see arguments
    #[arg(long, env = "TANDEM_TOKEN", value_name = "JWT", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// File with the token; read again when it changes
    #[arg(long, env = "TANDEM_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Authorities (PEM) to be trusted for https:// endpoints, instead of those of the system
    #[arg(long, env = "TANDEM_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate (PEM) to be shown to services that ask for one
    #[arg(long, env = "TANDEM_CERT", value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate
    #[arg(long, env = "TANDEM_KEY", value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    #[command(flatten)]
    endpoints: Endpoints,
}

impl Connection {
    /// A client with these settings.
    ///
    /// # Errors
    /// If an endpoint is not a URL, or is not on this machine and there is no token, or a certificate can't be used.
    pub fn client(&self) -> anyhow::Result<Client> {
        let builder = Client::builder().endpoints(self.endpoints.clone());
        let builder = match (&self.token, &self.token_file) {
            (Some(token), _) => builder.token(StaticToken::new(token.trim())),
            (None, Some(file)) => builder.token(FileToken::new(file)),
            (None, None) => {
                self.require_loopback()?;
                builder.token(developer(&self.tenant))
            }
        };
        let identity = self.cert.clone().zip(self.key.clone());
        let identity = identity.map(|(certificate, key)| Identity { certificate, key });
        if self.ca.is_none() && identity.is_none() {
            return Ok(builder.build()?);
        }
        let tls = ClientTls::open(self.ca.clone(), identity).context("--ca, --cert and --key")?;
        Ok(builder.tls(tls).build()?)
    }

    /// Where the services are.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    fn require_loopback(&self) -> anyhow::Result<()> {
        for service in Service::ALL {
            let url = self.endpoints.of(service);
            if !is_loopback(url) {
                bail!(
                    "the {service} service is at {url}, which is not this machine: give a token for it in TANDEM_TOKEN or \
                     --token-file. The development token is not sent to other machines"
                );
            }
        }
        Ok(())
    }
}

/// Tokens of the development key with all permissions.
pub(crate) fn developer(tenant: &str) -> MintedToken {
    MintedToken::development(Claims::new(DEVELOPER, tenant).with_permissions(["*"]))
}

fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<tonic::transport::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:7401", "http://localhost:7401", "http://[::1]:7401", "https://127.8.8.8"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://10.0.0.1:7401", "http://localhost.example:1", "http://127.0.0.1.example", "x", ""] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
