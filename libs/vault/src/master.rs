//! The master key, and what is derived from it.
//!
//! Invariant: the master key itself seals nothing and hashes nothing but labels; each purpose has a key of its own.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::cipher::{KEY_SIZE, SecretKey, joined};

const DEVELOPMENT: &[u8; KEY_SIZE] = b"tandem development: not a secret";

/// The key of a whole vault: 256 random bits, kept outside of it. Losing it is losing all personal data.
#[derive(Clone)]
pub struct MasterKey {
    secret: SecretKey,
    development: bool,
}

impl MasterKey {
    /// A key of 32 bytes from a good random source.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_SIZE]) -> Self {
        Self { secret: Zeroizing::new(bytes), development: false }
    }

    /// A key written in base64 (standard alphabet, padded), as `openssl rand -base64 32` writes it.
    ///
    /// # Errors
    /// If the text is not base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        let invalid =
            || VaultError::MasterKey("it must be 32 bytes in base64; make one with: openssl rand -base64 32".into());
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).map_err(|_| invalid())?);
        Ok(Self::from_bytes(bytes.as_slice().try_into().map_err(|_| invalid())?))
    }

    /// A key from a file that holds it in base64, as a mounted secret does.
    ///
    /// # Errors
    /// If the file can't be read or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let unreadable = |error| VaultError::MasterKey(format!("{} can't be read: {error}", path.display()));
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
        Self::from_base64(&text)
    }

    /// The key for development and tests. Everybody knows it: it protects nothing.
    #[must_use]
    pub fn development() -> Self {
        Self { secret: Zeroizing::new(*DEVELOPMENT), development: true }
    }

    /// Whether this is the key that everybody knows.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.development || *self.secret == *DEVELOPMENT
    }

    /// A keyed hash of `value` for one tenant: HMAC-SHA-256, of which the first 128 bits are given in hex. The same
    /// value gives the same identity, and nobody without the key can tell the value by trying. `domain` says what
    /// kind of value it is, so that equal texts of different kinds differ.
    #[must_use]
    pub fn identity(&self, tenant: &str, domain: &str, value: &str) -> String {
        let key = self.derive(&["identity", tenant]);
        hex::encode(&mac(&key, &[domain, value])[..16])
    }

    /// A key of its own for another purpose, such as sealing backups.
    #[must_use]
    pub fn key_for(&self, purpose: &str) -> SecretKey {
        self.derive(&["other", purpose])
    }

    /// The key that wraps persons' keys.
    pub(crate) fn wrapping_key(&self) -> SecretKey {
        self.derive(&["wrap"])
    }

    fn derive(&self, purpose: &[&str]) -> SecretKey {
        mac(&self.secret, purpose)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("development", &self.is_development()).finish_non_exhaustive()
    }
}

fn mac(key: &SecretKey, parts: &[&str]) -> SecretKey {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("any length is taken");
    mac.update(&joined(parts));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_stable_and_differs_by_tenant_domain_value_and_key() {
        let key = MasterKey::development();
        let identity = key.identity("acme", "instagram", "ann");
        // Stored in logs as creators' ids: must never change.
        assert_eq!(identity, "921055fbfcfb48c56de1834fd6b55ab2");
        assert_eq!(identity, MasterKey::development().identity("acme", "instagram", "ann"));
        for other in [
            key.identity("umbrella", "instagram", "ann"),
            key.identity("acme", "tiktok", "ann"),
            key.identity("acme", "instagram", "bob"),
            key.identity("acme", "instagra", "mann"),
            MasterKey::from_bytes([7; 32]).identity("acme", "instagram", "ann"),
        ] {
            assert_ne!(other, identity);
        }
    }

    #[test]
    fn a_key_is_read_from_base64_and_from_a_file() {
        let text = BASE64_STANDARD.encode([7; 32]);
        let expected = MasterKey::from_bytes([7; 32]).identity("acme", "d", "v");
        assert_eq!(MasterKey::from_base64(&text).unwrap().identity("acme", "d", "v"), expected);
        let file = std::env::temp_dir().join(format!("tandem-master-key-{}", std::process::id()));
        std::fs::write(&file, format!("{text}\n")).unwrap();
        assert_eq!(MasterKey::from_file(&file).unwrap().identity("acme", "d", "v"), expected);
        std::fs::remove_file(&file).unwrap();
        assert!(MasterKey::from_file(&file).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "short", &BASE64_STANDARD.encode([7; 31]), &BASE64_STANDARD.encode([7; 33])] {
            assert!(MasterKey::from_base64(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_development_key_says_so_and_no_key_is_shown() {
        assert!(MasterKey::development().is_development());
        assert!(MasterKey::from_bytes(*DEVELOPMENT).is_development());
        assert!(!MasterKey::from_bytes([7; 32]).is_development());
        assert_eq!(format!("{:?}", MasterKey::from_bytes([7; 32])), "MasterKey { development: false, .. }");
    }
}
