//! Bearer tokens: where a client gets them, and minting them where Tandem itself is the issuer.
//!
//! Invariant: a token is never logged, printed or part of an error; `Debug` of everything here shows none.

mod development;
mod file;
mod minted;
mod signing;

use std::fmt;
use std::sync::Arc;

pub use self::development::{DEVELOPMENT_JWK, DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID};
pub use self::file::FileToken;
pub use self::minted::MintedToken;
pub use self::signing::{Claims, DEFAULT_AUDIENCE, DEFAULT_ISSUER, SigningKey};

/// Where a [`Client`](crate::Client) gets the bearer token (a JWT) of each request.
///
/// Asked before every try, so an implementation keeps the token and gets a new one only when it must.
#[async_trait::async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is valid now.
    ///
    /// # Errors
    /// If there is none to be had; the request then fails as UNAUTHENTICATED without being sent.
    async fn token(&self) -> Result<String, TokenError>;

    /// A server has refused this token as expired: the next [`token`](Self::token) must not be the same if there is
    /// another. The request is repeated once with that.
    fn expired(&self, _token: &str) {}
}

#[async_trait::async_trait]
impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    async fn token(&self) -> Result<String, TokenError> {
        (**self).token().await
    }

    fn expired(&self, token: &str) {
        (**self).expired(token);
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read.
    #[error("can't read the token file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file has nothing but white space.
    #[error("the token file {path} is empty")]
    Empty {
        /// The file.
        path: String,
    },
    /// The key is not an Ed25519 private key.
    #[error("not an Ed25519 private key in PKCS#8 PEM (as of `openssl genpkey -algorithm ed25519`): {0}")]
    Key(#[source] jsonwebtoken::errors::Error),
    /// A source of one's own failed.
    #[error(transparent)]
    Other(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// The same token always; for tokens that outlive the client.
#[derive(Clone)]
pub struct StaticToken(String);

impl StaticToken {
    /// Takes the JWT alone, without "Bearer".
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }
}

#[async_trait::async_trait]
impl TokenSource for StaticToken {
    async fn token(&self) -> Result<String, TokenError> {
        Ok(self.0.clone())
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticToken(..)")
    }
}
