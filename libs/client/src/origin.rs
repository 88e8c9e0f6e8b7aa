//! Origin: the event in reaction to which a call is made.
//!
//! Invariant: the events that a call leads to name that event as their cause, and keep its correlation id.

use http::{HeaderName, HeaderValue};

use crate::call::Call;

const CORRELATION_ID: HeaderName = HeaderName::from_static("tandem-correlation-id");
const CAUSATION_ID: HeaderName = HeaderName::from_static("tandem-causation-id");

#[derive(Clone)]
pub(crate) struct Origin {
    correlation_id: HeaderValue,
    causation_id: HeaderValue,
}

impl Origin {
    pub(crate) fn new(correlation_id: &str, causation_id: &str) -> Result<Self, http::header::InvalidHeaderValue> {
        Ok(Self {
            correlation_id: HeaderValue::from_str(correlation_id)?,
            causation_id: HeaderValue::from_str(causation_id)?,
        })
    }

    pub(crate) fn mark(&self, call: &mut Call) {
        call.add_metadata(CORRELATION_ID, self.correlation_id.clone());
        call.add_metadata(CAUSATION_ID, self.causation_id.clone());
    }
}
