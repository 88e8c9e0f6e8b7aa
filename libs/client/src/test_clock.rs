//! Test clock: the time at which a call is to happen.
//!
//! Invariant: a call under a test clock says so; the service takes it only from tokens of the development key.

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::call::Call;

const TEST_CLOCK: HeaderName = HeaderName::from_static("tandem-test-clock");

#[derive(Clone)]
pub(crate) struct TestClock(Option<HeaderValue>);

impl TestClock {
    pub(crate) fn new(time: Timestamp) -> Self {
        // RFC 3339 is ASCII, so there is always a value.
        Self(HeaderValue::try_from(time.to_string()).ok())
    }

    pub(crate) fn mark(&self, call: &mut Call) {
        if let Some(time) = &self.0 {
            call.add_metadata(TEST_CLOCK, time.clone());
        }
    }
}
