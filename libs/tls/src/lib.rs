//! TLS from files: who is trusted, and as whom this process is known, at both ends of a connection.
//!
//! Certificates live shorter than processes. So the files are looked at for each new connection, and a change holds from
//! the next one on; connections that stand go on as they are. A change that can't be used is logged as an error, and
//! leaves what was read before in place: certificate and key may be replaced one after the other.
//!
//! Invariant: of files that are replaced together, a connection sees all or none; nothing but a certificate that is valid
//! by its authority, its name and its time is ever accepted.

mod client;
mod files;
mod pem;
mod server;
#[cfg(feature = "testing")]
pub mod testing;

use std::path::PathBuf;
use std::sync::Arc;

pub use tokio_rustls::rustls;

use rustls::crypto::{CryptoProvider, ring};

pub use client::ClientTls;
pub use server::{ServerTls, TlsStream};

/// As whom a process is known: a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// File with the certificate (PEM), followed by those between it and its authority.
    pub certificate: PathBuf,
    /// File with its private key (PEM: PKCS #8, SEC 1 or PKCS #1).
    pub key: PathBuf,
}

/// Why files don't make TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{} has no {expected} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for: "CERTIFICATE", "PRIVATE KEY".
        expected: &'static str,
    },
    /// What a file holds is well formed, but can't be used.
    #[error("{} can't be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not, for example because the key is that of another certificate.
        source: rustls::Error,
    },
    /// Nobody would be trusted.
    #[error("this system trusts no authority; name the one that has signed the other end's certificate")]
    NoAuthority,
}

/// The one implementation of cryptography here; also that of async-nats and tonic.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
