//! The end that is connected to.
//!
//! Invariant: a connection that comes out has passed its handshake, by the certificates of when it came in; one that does
//! not pass, or dawdles, holds up no other.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::files::Followed;
use crate::{Error, Identity, pem, provider};

/// A connection of a client.
pub type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes at the same time; who comes then waits.
const HANDSHAKES: usize = 1024;

/// How a process is connected to: as whom it is known, and whom it lets in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<Files>);

#[derive(Debug)]
enum Files {
    Open(Followed<Arc<ServerConfig>, 2>),
    Mutual(Followed<Arc<ServerConfig>, 3>),
}

impl ServerTls {
    /// Shows `identity` to clients, and lets in those alone that show a certificate of the authorities in the file
    /// `client_ca` (PEM), if one is given. `protocol` is what is spoken, as ALPN has it. The files are followed.
    ///
    /// # Errors
    /// If a file can't be used.
    pub fn open(identity: Identity, client_ca: Option<PathBuf>, protocol: &'static [u8]) -> Result<Self, Error> {
        let Identity { certificate, key } = identity;
        let files = match client_ca {
            None => Files::Open(Followed::open([certificate, key], move |[certificate, key]| {
                config(pem::identity(certificate, key)?, None, protocol)
            })?),
            Some(ca) => Files::Mutual(Followed::open([certificate, key, ca], move |[certificate, key, ca]| {
                config(pem::identity(certificate, key)?, Some(pem::authorities(ca)?), protocol)
            })?),
        };
        Ok(Self(Arc::new(files)))
    }

    /// The configuration of the moment.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        match &*self.0 {
            Files::Open(files) => Arc::clone(&files.current()),
            Files::Mutual(files) => Arc::clone(&files.current()),
        }
    }

    /// Connections as they have passed their handshakes. Whom it does not let in is logged.
    pub fn accept(
        self,
        incoming: impl Stream<Item = io::Result<TcpStream>>,
    ) -> impl Stream<Item = io::Result<TlsStream>> {
        let handshakes = incoming.map(move |connection| {
            let tls = self.clone();
            // As tasks: they are to use all cores.
            let handshake = tokio::spawn(async move {
                let connection = connection?;
                Ok(tls.handshake(connection).await)
            });
            async move { handshake.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked))).transpose() }
        });
        handshakes.buffer_unordered(HANDSHAKES).filter_map(|passed| async { passed })
    }

    async fn handshake(&self, connection: TcpStream) -> Option<TlsStream> {
        let peer = connection.peer_addr().ok();
        let handshake = TlsAcceptor::from(self.config()).accept(connection);
        let refused = match timeout(HANDSHAKE_WITHIN, handshake).await {
            Ok(Ok(passed)) => return Some(passed),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no handshake within {HANDSHAKE_WITHIN:?}"),
        };
        tracing::info!(?peer, refused, "a connection was not let in");
        None
    }
}

fn config(
    identity: Arc<CertifiedKey>,
    clients: Option<Arc<RootCertStore>>,
    protocol: &[u8],
) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    #[expect(clippy::expect_used, reason = "the provider has what the default versions of TLS need")]
    let builder = builder.expect("versions of TLS");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
            builder.with_client_cert_verifier(verifier.map_err(|_| Error::NoAuthority)?)
        }
    };
    let identity = SingleCertAndKey::from(Arc::unwrap_or_clone(identity));
    let mut config = builder.with_cert_resolver(Arc::new(identity));
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}
