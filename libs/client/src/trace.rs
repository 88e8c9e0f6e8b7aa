//! Tracing: a call belongs to the trace in which it was made.
//!
//! Invariant: the form is W3C Trace Context whatever propagator the process has set, since that is what servers read.

use http::{HeaderName, HeaderValue};
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::call::Call;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Adds the context of the current span, if it is part of a trace.
pub(crate) fn inject(mut call: Call) -> Call {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        let parent = format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8());
        if let Ok(parent) = HeaderValue::try_from(parent) {
            call.add_metadata(TRACEPARENT, parent);
        }
        let state = span.trace_state().header();
        if let Some(state) = HeaderValue::try_from(state).ok().filter(|state| !state.is_empty()) {
            call.add_metadata(TRACESTATE, state);
        }
    }
    call
}
