//! What PEM files hold.
//!
//! Invariant: a file without what it should hold is an error that names it, for rustls would take it for "nobody".

use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as TlsError, RootCertStore};

use crate::files::File;
use crate::{Error, provider};

/// The certificates of a file, in their order; at least one.
fn certificates(file: &File) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file.content).collect();
    let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
    certificates.ok_or_else(|| Error::Pem { path: file.path.clone(), expected: "CERTIFICATE" })
}

/// The certificates of a file as authorities.
pub(crate) fn authorities(file: &File) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(unusable(file))?;
    }
    Ok(Arc::new(roots))
}

/// A certificate with its key, which belong together.
pub(crate) fn identity(certificate: &File, key: &File) -> Result<Arc<CertifiedKey>, Error> {
    let private = PrivateKeyDer::from_pem_slice(&key.content)
        .map_err(|_| Error::Pem { path: key.path.clone(), expected: "PRIVATE KEY" })?;
    let identity = CertifiedKey::from_der(certificates(certificate)?, private, &provider()).map_err(unusable(key))?;
    Ok(Arc::new(identity))
}

fn unusable(file: &File) -> impl Fn(TlsError) -> Error {
    |source| Error::Unusable { path: file.path.clone(), source }
}
