//! What the settings say of TLS.
//!
//! Invariant: where a setting asks for TLS, there is TLS or no start; plain text is only where none does.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use tandem_tls::{ClientTls, Identity, ServerTls};

use crate::config::TlsSettings;

const HTTP2: &[u8] = b"h2";

impl TlsSettings {
    fn identity(&self) -> anyhow::Result<Option<Identity>> {
        identity(self.tls_cert.as_ref(), self.tls_key.as_ref(), "tls")
    }

    /// How the service is served; none for plain text.
    pub(crate) fn server(&self) -> anyhow::Result<Option<ServerTls>> {
        let Some(identity) = self.identity()? else {
            if self.tls_client_ca.is_some() {
                bail!("--tls-client-ca is for TLS: name this service's certificate in --tls-cert and --tls-key");
            }
            return Ok(None);
        };
        let tls = ServerTls::open(identity, self.tls_client_ca.clone(), HTTP2);
        tls.map(Some).context("TLS can't be served (--tls-cert, --tls-key, --tls-client-ca)")
    }

    /// How other services are called; none for the client's own way, if nothing is set.
    pub(crate) fn client(&self) -> anyhow::Result<Option<ClientTls>> {
        let identity = self.identity()?;
        if identity.is_none() && self.tls_ca.is_none() {
            return Ok(None);
        }
        let tls = ClientTls::open(self.tls_ca.clone(), identity);
        tls.map(Some).context("other services can't be called under TLS (--tls-ca, --tls-cert, --tls-key)")
    }
}

/// A certificate and its key, of options that begin with `prefix`.
pub(crate) fn identity(
    certificate: Option<&PathBuf>,
    key: Option<&PathBuf>,
    prefix: &str,
) -> anyhow::Result<Option<Identity>> {
    match (certificate.cloned(), key.cloned()) {
        (Some(certificate), Some(key)) => Ok(Some(Identity { certificate, key })),
        (None, None) => Ok(None),
        _ => bail!("--{prefix}-cert and --{prefix}-key go together: a certificate is of no use without its key"),
    }
}
