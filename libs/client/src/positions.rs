//! Positions: what a client has written, it reads.
//!
//! Invariant: the position of a kind of aggregate only ever rises.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Status;
use tower::ServiceExt as _;

use crate::call::{Call, Concern, Exchange, Reply};

/// Of a reply: how far the log was written.
const POSITION: &str = "tandem-position";
/// Of a request: how far a view must have read to answer.
const READ_AFTER: HeaderName = HeaderName::from_static("tandem-read-after");

/// How far a client has seen the log, by kind of aggregate. As text "contracts.contract:123,payouts.earning:140", to be
/// handed to another process; empty text is no positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, u64>);

/// A text that is not positions.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position: pass what an earlier reply gave, such as contracts.contract:123,payouts.earning:140")]
pub struct InvalidPositions(String);

impl Positions {
    /// Takes over what `other` has seen beyond these.
    pub fn merge(&mut self, other: &Self) {
        for (kind, position) in &other.0 {
            let seen = self.0.entry(kind.clone()).or_default();
            *seen = (*seen).max(*position);
        }
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, position)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{kind}:{position}")?;
        }
        Ok(())
    }
}

impl FromStr for Positions {
    type Err = InvalidPositions;

    fn from_str(text: &str) -> Result<Self, InvalidPositions> {
        let mut positions = Self::default();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let parsed = part.split_once(':').filter(|(kind, _)| !kind.is_empty());
            let parsed = parsed.and_then(|(kind, position)| Some((kind.to_owned(), position.parse().ok()?)));
            let (kind, position) = parsed.ok_or_else(|| InvalidPositions(text.to_owned()))?;
            positions.merge(&Self(BTreeMap::from([(kind, position)])));
        }
        Ok(positions)
    }
}

/// The positions that the calls of one client share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Positions>>);

impl Memory {
    pub(crate) fn new(positions: Positions) -> Self {
        Self(Arc::new(Mutex::new(positions)))
    }

    pub(crate) fn positions(&self) -> Positions {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, metadata: &HeaderMap) {
        for value in metadata.get_all(POSITION) {
            match value.to_str().unwrap_or_default().parse() {
                Ok(positions) => self.0.lock().unwrap_or_else(PoisonError::into_inner).merge(&positions),
                Err(error) => tracing::warn!(%error, "a server sent a position that can't be read"),
            }
        }
    }
}

impl Concern for Memory {
    async fn carry<S: Exchange>(&self, mut call: Call, next: S) -> Result<Reply, Status> {
        let positions = self.positions();
        if !positions.is_empty()
            && let Ok(value) = HeaderValue::try_from(positions.to_string())
        {
            call.add_metadata(READ_AFTER, value);
        }
        let outcome = next.oneshot(call).await;
        match &outcome {
            Ok(reply) => self.remember(reply.headers()),
            Err(error) => self.remember(error.metadata().as_ref()),
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let text = "contracts.contract:123,payouts.earning:140";
        assert_eq!(text.parse::<Positions>().unwrap().to_string(), text);
        assert_eq!("".parse(), Ok(Positions::default()));
    }

    #[test]
    fn a_position_only_rises() {
        let mut positions: Positions = "a.b:5,c.d:1".parse().unwrap();
        positions.merge(&"a.b:3,c.d:2,e.f:9".parse().unwrap());
        assert_eq!(positions.to_string(), "a.b:5,c.d:2,e.f:9");
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in ["x", "a.b:", ":1", "a.b:-1", "a.b:1,", "a.b:99999999999999999999"] {
            assert!(text.parse::<Positions>().is_err(), "{text}");
        }
    }
}
