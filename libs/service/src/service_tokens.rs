//! Tokens of a service for its calls to others.
//!
//! Invariant: a token is of one tenant, like the event in reaction to which the call is made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem_client::tokens::{Claims, MintedToken, SigningKey};

/// Life of a token; it is replaced before.
const LIFE: Duration = Duration::from_secs(600);

/// Mints a service's tokens, `services/{service}`, tenant by tenant.
pub struct ServiceTokens {
    key: SigningKey,
    claims: Claims,
    by_tenant: Mutex<HashMap<String, Arc<MintedToken>>>,
}

impl ServiceTokens {
    pub(crate) fn new<P: Into<String>>(
        key: SigningKey,
        service: &str,
        issuer: String,
        audience: String,
        permissions: impl IntoIterator<Item = P>,
    ) -> Self {
        let mut claims = Claims::new(format!("services/{service}"), "").with_permissions(permissions);
        (claims.iss, claims.aud) = (issuer, audience);
        Self { key, claims, by_tenant: Mutex::default() }
    }

    /// The tokens for a tenant's data.
    pub fn for_tenant(&self, tenant: &str) -> Arc<MintedToken> {
        let mut by_tenant = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokens) = by_tenant.get(tenant) {
            return Arc::clone(tokens);
        }
        let claims = Claims { tenant: tenant.to_owned(), ..self.claims.clone() };
        let tokens = Arc::new(MintedToken::new(self.key.clone(), claims, LIFE));
        by_tenant.insert(tenant.to_owned(), Arc::clone(&tokens));
        tokens
    }
}
