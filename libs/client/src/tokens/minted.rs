//! Tokens that the client mints for itself.
//!
//! Invariant: a token is handed out during the first four fifths of its life only, so that it does not expire on its
//! way.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Claims, SigningKey, TokenError, TokenSource};

/// Mints tokens with a [`SigningKey`] and replaces them at 80 % of their life.
pub struct MintedToken {
    key: SigningKey,
    claims: Claims,
    ttl: Duration,
    current: Mutex<Option<Current>>,
}

struct Current {
    token: String,
    replace_at: Instant,
}

impl MintedToken {
    /// Tokens with these claims, each valid for `ttl`.
    pub fn new(key: SigningKey, claims: Claims, ttl: Duration) -> Self {
        Self { key, claims, ttl, current: Mutex::new(None) }
    }

    /// Tokens of the development key, valid for an hour each.
    pub fn development(claims: Claims) -> Self {
        Self::new(SigningKey::development(), claims, Duration::from_secs(3600))
    }

    fn token_at(&self, now: Instant) -> String {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(kept) if now < kept.replace_at => kept.token.clone(),
            _ => {
                let token = self.key.mint(&self.claims, self.ttl);
                *current = Some(Current { token: token.clone(), replace_at: now + self.ttl * 4 / 5 });
                token
            }
        }
    }
}

#[async_trait::async_trait]
impl TokenSource for MintedToken {
    async fn token(&self) -> Result<String, TokenError> {
        Ok(self.token_at(Instant::now()))
    }

    fn expired(&self, token: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have replaced it already.
        current.take_if(|kept| kept.token == token);
    }
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken").field("claims", &self.claims).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_until(source: &MintedToken) -> Instant {
        source.current.lock().unwrap().as_ref().unwrap().replace_at
    }

    #[test]
    fn a_token_is_kept_for_four_fifths_of_its_life() {
        let source = MintedToken::new(
            SigningKey::development(),
            Claims::new("services/payouts", "acme"),
            Duration::from_secs(100),
        );
        let start = Instant::now();
        source.token_at(start);
        source.token_at(start + Duration::from_secs(79));
        assert_eq!(kept_until(&source), start + Duration::from_secs(80));

        source.token_at(start + Duration::from_secs(80));
        assert_eq!(kept_until(&source), start + Duration::from_secs(160));
    }

    #[test]
    fn only_the_token_that_was_refused_is_dropped() {
        let source = MintedToken::development(Claims::new("services/payouts", "acme"));
        let token = source.token_at(Instant::now());
        source.expired("an older one");
        assert!(source.current.lock().unwrap().is_some());
        source.expired(&token);
        assert!(source.current.lock().unwrap().is_none());
    }
}
