//! Verifying bearer tokens.
//!
//! Invariant: a token that was verified once is taken from memory until it expires or the keys change, so that no
//! signature is on the hot path; and those that were not share half of the processors, so that who floods with forgeries
//! leaves the other half to all whose tokens are known.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use jsonwebtoken::errors::{Error, ErrorKind};
use quick_cache::sync::Cache;
use tandem_proto::common::v1::ErrorReason;

use super::caller::{Caller, Claims};
use super::keys::Keys;
use tokio::sync::Semaphore;

use crate::config::AuthSettings;
use crate::error::Problem;

/// How often the key set's file is read.
const KEYS_INTERVAL: Duration = Duration::from_secs(2);
/// Verified tokens kept; more than there are clients of one process.
const VERIFIED: usize = 10_000;
/// Requests whose tokens wait to be verified; more are refused. Each takes some ten thousandths of a second.
const WAITING: usize = 512;
/// Longer than any token of use.
const LONGEST_TOKEN: usize = 8192;

struct Verified {
    caller: Arc<Caller>,
    /// Of the keys that verified it.
    generation: u64,
    /// Seconds since the epoch, as the token says.
    expires: f64,
}

/// Tells callers by their tokens.
pub(crate) struct Authenticator {
    keys: Keys,
    verified: Cache<Box<str>, Arc<Verified>>,
    /// Places of those that wait for their turn or have it.
    places: Semaphore,
    turns: Semaphore,
}

impl Authenticator {
    pub(crate) fn new(settings: &AuthSettings) -> anyhow::Result<Self> {
        Self::with_keys_interval(settings, KEYS_INTERVAL)
    }

    fn with_keys_interval(settings: &AuthSettings, interval: Duration) -> anyhow::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            keys: Keys::load(settings, interval)?,
            verified: Cache::new(VERIFIED),
            places: Semaphore::new(WAITING),
            turns: Semaphore::new((processors / 2).max(1)),
        })
    }

    /// The caller by the `authorization` header, if their token was verified before.
    pub(crate) fn known(&self, header: Option<&HeaderValue>) -> Result<Option<Arc<Caller>>, Problem> {
        let token = token(header)?;
        self.keys.refresh();
        let known = self.verified.get(token).filter(|known| known.generation == self.keys.generation());
        match known {
            Some(known) if known.expires > now() => Ok(Some(Arc::clone(&known.caller))),
            Some(_) => Err(expired()),
            None => Ok(None),
        }
    }

    /// The caller by the `authorization` header, whose token is verified in its turn.
    pub(crate) async fn verified(&self, header: Option<&HeaderValue>) -> Result<Arc<Caller>, Problem> {
        let overloaded = || {
            let message = "Too many tokens that were not seen before come at once. Repeat after the delay.";
            Problem::new(ErrorReason::Overloaded, message).with("limit", "verification")
        };
        let _place = self.places.try_acquire().map_err(|_| overloaded())?;
        let _turn = self.turns.acquire().await.map_err(|_| overloaded())?;
        self.authenticate(header)
    }

    /// The caller by the `authorization` header.
    fn authenticate(&self, header: Option<&HeaderValue>) -> Result<Arc<Caller>, Problem> {
        if let Some(caller) = self.known(header)? {
            return Ok(caller);
        }
        let token = token(header)?;
        let verified = Arc::new(self.verify(token)?);
        let caller = Arc::clone(&verified.caller);
        self.verified.insert(token.into(), verified);
        Ok(caller)
    }

    fn verify(&self, token: &str) -> Result<Verified, Problem> {
        if token.len() > LONGEST_TOKEN {
            return Err(invalid("it is longer than 8 KiB"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| refused(&error))?;
        let kid = header.kid.ok_or_else(|| invalid("its header names no key (`kid`)"))?;
        // Before the key is taken: if it is replaced in between, the token is verified again next time.
        let generation = self.keys.generation();
        let key = self.keys.get(&kid);
        let key = key.ok_or_else(|| invalid("its key (`kid`) is not one of those trusted"))?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.key, &key.validation);
        let claims = decoded.map_err(|error| refused(&error))?.claims;
        #[expect(clippy::cast_precision_loss, reason = "seconds of a few minutes")]
        let expires = claims.exp + key.validation.leeway as f64;
        let mut caller = Caller::new(claims).map_err(invalid)?;
        caller.test_clock = self.keys.is_development(&kid);
        Ok(Verified { caller: Arc::new(caller), generation, expires })
    }
}

fn token(header: Option<&HeaderValue>) -> Result<&str, Problem> {
    header.and_then(bearer).ok_or_else(|| {
        let message = "No bearer token. Send the metadata `authorization: Bearer <jwt>`.";
        Problem::new(ErrorReason::TokenMissing, message)
    })
}

/// The token of `Bearer <token>`; the scheme in any case of letters (RFC 9110, 11.1).
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[expect(clippy::disallowed_methods, reason = "whether a token has expired is not the domain's matter")]
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn invalid(what: &str) -> Problem {
    Problem::new(ErrorReason::TokenInvalid, format!("The token is not taken: {what}."))
}

fn expired() -> Problem {
    Problem::new(ErrorReason::TokenExpired, "The token has expired. Fetch a new one and repeat.")
}

fn refused(error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::ExpiredSignature => expired(),
        ErrorKind::InvalidIssuer => invalid("its issuer (`iss`) is not one of those trusted"),
        ErrorKind::InvalidAudience => invalid("it is for another audience (`aud`)"),
        ErrorKind::ImmatureSignature => invalid("it is not valid yet (`nbf`)"),
        ErrorKind::InvalidSignature => invalid("its signature is wrong"),
        ErrorKind::InvalidAlgorithm => invalid("its algorithm is not that of its key"),
        ErrorKind::MissingRequiredClaim(claim) => invalid(&format!("its claim `{claim}` is missing")),
        ErrorKind::Json(_) | ErrorKind::InvalidClaimFormat(_) => {
            invalid("a claim is missing or of the wrong type; it needs sub, tenant, permissions, iss, aud and exp")
        }
        _ => invalid("it is not a JWT"),
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
