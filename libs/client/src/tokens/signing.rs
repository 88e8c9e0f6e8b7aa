//! Minting tokens with a private key, where no issuer of the company stands ready: development, demos, and services
//! that call each other.
//!
//! Invariant: what a [`SigningKey`] holds is a key that signs; that is tried when it is made.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};

use super::{DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID, TokenError};

/// Issuer of tokens in development (`iss`).
pub const DEFAULT_ISSUER: &str = "https://tandem.localhost";
/// Whom tokens are for (`aud`).
pub const DEFAULT_AUDIENCE: &str = "tandem";

/// Who the bearer is and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// The bearer as actor in the log: "users/{user}" or "services/{service}". No personal data.
    pub sub: String,
    /// The tenant that everything read and written belongs to.
    pub tenant: String,
    /// Permissions such as "contracts.sign"; "contracts.*" gives all of that service, "*" gives all.
    pub permissions: Vec<String>,
    /// "creators/{creator}" if the bearer is that creator; they reach only what is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Name to be shown to people; not written to the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Claims {
    /// Claims of the default issuer and audience, without permissions.
    pub fn new(sub: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self {
            iss: DEFAULT_ISSUER.into(),
            aud: DEFAULT_AUDIENCE.into(),
            sub: sub.into(),
            tenant: tenant.into(),
            permissions: Vec::new(),
            creator: None,
            name: None,
        }
    }

    /// Sets the permissions.
    #[must_use]
    pub fn with_permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// Makes the bearer a creator, "creators/{creator}".
    #[must_use]
    pub fn with_creator(mut self, creator: impl Into<String>) -> Self {
        self.creator = Some(creator.into());
        self
    }

    /// Sets the name to be shown.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// An Ed25519 private key with its name.
#[derive(Clone)]
pub struct SigningKey {
    header: Header,
    key: EncodingKey,
}

#[derive(Serialize)]
struct Minted<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    iat: u64,
    exp: u64,
}

impl SigningKey {
    /// A key from PKCS#8 PEM. `key_id` is the `kid` by which servers find its public half.
    ///
    /// # Errors
    /// If it is not an Ed25519 private key.
    pub fn from_pem(key_id: &str, pem: &[u8]) -> Result<Self, TokenError> {
        let key = EncodingKey::from_ed_pem(pem).map_err(TokenError::Key)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key_id.to_owned());
        encode(&header, &(), &key).map_err(TokenError::Key)?;
        Ok(Self { header, key })
    }

    /// The development key, [`DEVELOPMENT_KEY`].
    pub fn development() -> Self {
        #[expect(clippy::expect_used, reason = "a constant; a test signs with it")]
        Self::from_pem(DEVELOPMENT_KEY_ID, DEVELOPMENT_KEY.as_bytes()).expect("development key")
    }

    /// A signed JWT with these claims that is valid from now for `ttl`, to the second.
    pub fn mint(&self, claims: &Claims, ttl: Duration) -> String {
        let iat = get_current_timestamp();
        let minted = Minted { claims, iat, exp: iat.saturating_add(ttl.as_secs()) };
        #[expect(clippy::expect_used, reason = "the key has signed before, and claims of strings always serialize")]
        encode(&self.header, &minted, &self.key).expect("signature")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.header.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ed25519_key_is_refused() {
        let error = SigningKey::from_pem("k", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assert!(error.unwrap_err().to_string().contains("openssl genpkey -algorithm ed25519"));
    }

    #[test]
    fn debug_does_not_show_the_key() {
        assert_eq!(format!("{:?}", SigningKey::development()), r#"SigningKey { key_id: Some("development"), .. }"#);
    }
}
