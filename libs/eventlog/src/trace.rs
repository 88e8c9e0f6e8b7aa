//! The trace context that events carry, so that what follows from an event belongs to the trace of its cause.
//!
//! Invariant: without a tracer nothing is done; a `traceparent` that can't be read is as good as none.

use std::fmt::Write as _;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Traces that a span which follows many is linked with.
const MOST_LINKS: usize = 32;

/// The current span as a W3C `traceparent`; empty if it isn't traced.
#[must_use]
pub fn current_traceparent() -> String {
    let context = Span::current().context();
    let span = context.span();
    let context = span.span_context();
    if !context.is_valid() {
        return String::new();
    }
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    let mut out = String::with_capacity(55);
    // Writing to a string can't fail.
    let _ = write!(out, "00-{}-{}-{flags:02x}", context.trace_id(), context.span_id());
    out
}

/// Makes the span of a W3C `traceparent` the parent of `span`. To be called before `span` is entered.
pub fn set_remote_parent(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        // Fails where nothing is traced, and where the span has begun already: then it stays in its own trace.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
    }
}

/// Makes the span the follower of many: child of the first that is traced, linked with those of other traces, of which
/// at most 32 are named. To be called before `span` is entered.
pub fn set_remote_parents<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a str>) {
    if span.is_disabled() {
        return;
    }
    let mut parents = traceparents.into_iter().filter_map(parse);
    let Some(first) = parents.next() else { return };
    let mut seen = vec![first.trace_id()];
    let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(first));
    for parent in parents {
        if seen.len() <= MOST_LINKS && !seen.contains(&parent.trace_id()) {
            seen.push(parent.trace_id());
            span.add_link(parent);
        }
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; a later version may append fields (W3C Trace Context, 3.2 and 4).
fn parse(traceparent: &str) -> Option<SpanContext> {
    if traceparent.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut fields = traceparent.split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let of_length = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    if !of_length || version == "ff" || (version == "00" && fields.next().is_some()) {
        return None;
    }
    u8::from_str_radix(version, 16).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn reads_what_the_standard_allows() {
        let context = parse(GOOD).unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
        assert!(context.is_sampled() && context.is_remote());
        assert!(parse(&format!("cc{}-more", &GOOD[2..])).is_some(), "a later version may have more fields");
    }

    #[test]
    fn takes_nothing_else() {
        let wrong = [
            "",
            "00",
            &GOOD.to_uppercase(),
            &format!("{GOOD}-more"),
            &format!("ff{}", &GOOD[2..]),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ];
        for text in wrong {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn without_a_tracer_there_is_no_trace() {
        let span = tracing::info_span!("test");
        set_remote_parent(&span, GOOD);
        assert_eq!(span.in_scope(current_traceparent), "");
    }
}
