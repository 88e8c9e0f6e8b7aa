//! The public keys that tokens are verified with.
//!
//! Invariant: a key verifies only tokens of its own algorithm. A key set that can't be read leaves the last good one in
//! place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tandem_client::tokens::{DEVELOPMENT_JWK, DEVELOPMENT_KEY_ID};

use crate::config::AuthSettings;

/// Clocks of issuer and server may differ by this many seconds.
const LEEWAY: u64 = 30;

/// A public key with the checks that go with it.
pub(super) struct Key {
    pub(super) key: DecodingKey,
    pub(super) validation: Validation,
}

type KeyMap = HashMap<String, Arc<Key>>;

/// The key set as last read.
#[derive(Default)]
struct Current {
    keys: KeyMap,
    text: Option<Vec<u8>>,
}

/// Keys by their `kid`: of the JWK set, which is read again now and then, and the development key if it is taken.
pub(super) struct Keys {
    settings: AuthSettings,
    interval: Duration,
    start: Instant,
    /// Milliseconds since `start` when the file is due to be read.
    due: AtomicU64,
    generation: AtomicU64,
    current: RwLock<Current>,
}

impl Keys {
    /// Reads the keys; from then on the file is read again once per `interval` at most.
    pub(super) fn load(settings: &AuthSettings, interval: Duration) -> anyhow::Result<Self> {
        let keys = Self {
            settings: settings.clone(),
            interval,
            start: Instant::now(),
            due: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            current: RwLock::default(),
        };
        keys.read()?;
        Ok(keys)
    }

    pub(super) fn get(&self, kid: &str) -> Option<Arc<Key>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).keys.get(kid).cloned()
    }

    /// Whether a key, by its id, is the development key and taken.
    pub(super) fn is_development(&self, kid: &str) -> bool {
        self.settings.development_key && kid == DEVELOPMENT_KEY_ID
    }

    /// Counts the changes of the keys: what was verified with others is not to be relied on.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Reads the file again if that is due. It is short and read rarely enough for that to be done in place, and what
    /// it says can be relied on, other than its modification time.
    pub(super) fn refresh(&self) {
        if self.settings.jwks.is_none() {
            return;
        }
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        let next = now + u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        // One of the requests that find it due reads; the others go on with what there is.
        if now < due || self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        if let Err(error) = self.read() {
            tracing::warn!(error = format!("{error:#}"), "going on with the keys read before");
        }
    }

    fn read(&self) -> anyhow::Result<()> {
        let (mut text, mut keys) = (None, KeyMap::new());
        if let Some(path) = &self.settings.jwks {
            let read = std::fs::read(path).with_context(|| format!("--jwks {} can't be read", path.display()))?;
            if self.current.read().unwrap_or_else(PoisonError::into_inner).text.as_ref() == Some(&read) {
                return Ok(());
            }
            let set: JwkSet =
                serde_json::from_slice(&read).with_context(|| format!("--jwks {} is no JWK set", path.display()))?;
            text = Some(read);
            for jwk in &set.keys {
                let Some(kid) = &jwk.common.key_id else { continue };
                if let Some(algorithm) = algorithm(jwk) {
                    let key = self.key(jwk, algorithm);
                    keys.insert(kid.clone(), key.with_context(|| format!("--jwks {}, key {kid}", path.display()))?);
                }
            }
        }
        if self.settings.development_key {
            let jwk: Jwk = serde_json::from_str(DEVELOPMENT_JWK)?;
            let kid = jwk.common.key_id.clone().unwrap_or_default();
            keys.insert(kid, self.key(&jwk, Algorithm::EdDSA)?);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { keys, text };
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn key(&self, jwk: &Jwk, algorithm: Algorithm) -> anyhow::Result<Arc<Key>> {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.settings.audience]);
        validation.set_issuer(&self.settings.issuer);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Arc::new(Key { key: DecodingKey::from_jwk(jwk)?, validation }))
    }
}

/// The algorithm that a key is used with here; none for keys that are for something else.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    jwk.common.key_algorithm.is_none_or(|stated| stated == name).then_some(algorithm)
}
