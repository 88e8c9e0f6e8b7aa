//! The end that connects.
//!
//! Invariant: each handshake is a full one, with the certificates of that moment: no session of before is resumed.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};

use crate::files::Followed;
use crate::{Error, Identity, pem, provider};

/// How a process connects: whom it trusts, and who it is where it is asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ClientTls(ClientConfig);

impl ClientTls {
    /// Trusts the authorities in the file `ca` (PEM), or those of the system; shows `identity` to servers that ask for a
    /// certificate. The files are followed; the authorities of the system are read now.
    ///
    /// # Errors
    /// If a file can't be used, or nobody is trusted.
    pub fn open(ca: Option<PathBuf>, identity: Option<Identity>) -> Result<Self, Error> {
        let trusted = match ca {
            Some(ca) => Trusted::Followed(Followed::open([ca], |[ca]| verifier(pem::authorities(ca)?))?),
            None => Trusted::Fixed(verifier(system())?),
        };
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        #[expect(clippy::expect_used, reason = "the provider has what the default versions of TLS need")]
        let builder = builder.expect("versions of TLS");
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(trusted));
        let mut config = match identity {
            Some(Identity { certificate, key }) => {
                let shown = Followed::open([certificate, key], |[certificate, key]| pem::identity(certificate, key))?;
                builder.with_client_cert_resolver(Arc::new(Shown(shown)))
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        Ok(Self(config))
    }

    /// For a library that makes its connections itself. It goes on following the files.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        self.0.clone()
    }
}

fn system() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "some authorities of the system can't be read");
    }
    roots.add_parsable_certificates(found.certs);
    Arc::new(roots)
}

type Verifier = Arc<WebPkiServerVerifier>;

fn verifier(roots: Arc<RootCertStore>) -> Result<Verifier, Error> {
    WebPkiServerVerifier::builder_with_provider(roots, provider()).build().map_err(|_| Error::NoAuthority)
}

/// The usual verification, by the authorities of the moment.
#[derive(Debug)]
enum Trusted {
    Followed(Followed<Verifier, 1>),
    Fixed(Verifier),
}

impl Trusted {
    fn now(&self) -> Verifier {
        match self {
            Self::Followed(files) => Verifier::clone(&files.current()),
            Self::Fixed(verifier) => Arc::clone(verifier),
        }
    }
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.now().verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.now().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.now().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}

/// The certificate of the moment.
#[derive(Debug)]
struct Shown(Followed<Arc<CertifiedKey>, 2>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current()))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
