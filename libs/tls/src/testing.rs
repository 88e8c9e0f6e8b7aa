//! Authorities for tests, and certificates of theirs in files.
//!
//! Invariant: nothing here is valid anywhere else: each authority is made anew, and forgotten with its test.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::Identity;

/// A certificate authority, with a folder for what it issues.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Default for Authority {
    fn default() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let mut params = CertificateParams::default();
        let name = format!("test authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }
}

impl Authority {
    /// One of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// File with its certificate, which those who trust it are given.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate of it, for whoever is reached at "localhost" or 127.0.0.1, in files of this name. Those of an
    /// earlier one of this name are replaced, first the certificate, then the key.
    pub fn issue(&self, name: &str) -> Identity {
        self.write(name, CertificateParams::new(subject()).expect("names"))
    }

    /// As [`Self::issue`], but no longer valid.
    #[must_use]
    pub fn issue_expired(&self, name: &str) -> Identity {
        let mut params = CertificateParams::new(subject()).expect("names");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 12, 31);
        self.write(name, params)
    }

    /// As [`Self::issue`], but for another host.
    #[must_use]
    pub fn issue_for(&self, name: &str, host: &str) -> Identity {
        self.write(name, CertificateParams::new(vec![host.to_owned()]).expect("a name"))
    }

    fn write(&self, name: &str, mut params: CertificateParams) -> Identity {
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |ending: &str| self.folder.path().join(format!("{name}{ending}"));
        let identity = Identity { certificate: file(".pem"), key: file(".key.pem") };
        std::fs::write(&identity.certificate, certificate.pem()).expect("a file");
        std::fs::write(&identity.key, key.serialize_pem()).expect("a file");
        identity
    }
}

fn subject() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}
