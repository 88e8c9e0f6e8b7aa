//! A timer as it stands in the stream.
//!
//! Invariant: aggregate and due instant make the subject, so there is at most one timer for both.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_eventlog::{InvalidToken, Kind, Position, Subject};

/// Something of an aggregate's is due at an instant. The message's payload, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Whose it is.
    pub tenant: String,
    /// Id of the aggregate; its kind stands in the subject.
    pub id: String,
    /// When.
    pub due: Timestamp,
    /// Position of the event after which it was armed. Who acts must have read as far: a replica that lags may not know
    /// yet that anything is due.
    pub position: Position,
    /// Of that event.
    pub correlation_id: String,
    /// Id of that event.
    pub event_id: String,
}

impl Timer {
    /// `<tenant>.<context>.<aggregate>.<id>`.
    fn address(&self, kind: Kind) -> Result<Subject, InvalidToken> {
        Subject::new(&self.tenant, kind, &self.id)
    }

    /// Where it waits, below the stream's name: the instant is in nanoseconds since 1970.
    pub(crate) fn armed_subject(&self, stream: &str, kind: Kind) -> Result<String, InvalidToken> {
        Ok(format!("{stream}.armed.{}.{}", self.address(kind)?, self.due.as_nanosecond()))
    }

    /// Where it goes when its time has come.
    pub(crate) fn fired_subject(&self, stream: &str, kind: Kind) -> Result<String, InvalidToken> {
        Ok(format!("{stream}.fired.{}", self.address(kind)?))
    }
}

/// Where all timers of a kind go.
pub(crate) fn fired_subjects(stream: &str, kind: Kind) -> String {
    format!("{stream}.fired.*.{kind}.*")
}
