//! How an envelope travels as message headers: CloudEvents 1.0, binary mode of its NATS binding.
//!
//! Invariant: `decode(encode(envelope)) == envelope` for whatever text it holds, and decoding never fails: a message
//! that lacks attributes yields an envelope with empty ones, for a reader to park rather than to die of.

use std::borrow::Cow;

use async_nats::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::Envelope;

const SPECVERSION: &str = "ce-specversion";
const SOURCE: &str = "ce-source";
const CONTENT_TYPE: &str = "content-type";
const ID: &str = "ce-id";
const TYPE: &str = "ce-type";
const SUBJECT: &str = "ce-subject";
const TIME: &str = "ce-time";
const ACTOR: &str = "ce-actor";
const COMMAND: &str = "ce-command";
const REASON: &str = "ce-reason";
const REQUEST_ID: &str = "ce-requestid";
const REQUEST_HASH: &str = "ce-requesthash";
const CORRELATION_ID: &str = "ce-correlationid";
const CAUSATION_ID: &str = "ce-causationid";
const PARTNERSHIP: &str = "ce-partnership";
const TRACEPARENT: &str = "traceparent";
const TEST_CLOCK: &str = "ce-testclock";

/// The headers of an event that `context` (the owning service) appends. What is empty is left out.
pub(crate) fn encode(envelope: &Envelope, context: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if !value.is_empty() {
            headers.insert(HeaderName::from_static(name), escape(value).into_owned());
        }
    };
    put(SPECVERSION, "1.0");
    put(CONTENT_TYPE, "application/protobuf");
    put(SOURCE, &format!("/tandem/{context}"));
    put(TIME, &envelope.time.to_string());
    put(ID, &envelope.id);
    put(TYPE, &envelope.event_type);
    put(SUBJECT, &envelope.resource);
    put(ACTOR, &envelope.actor);
    put(COMMAND, &envelope.command);
    put(REASON, &envelope.reason);
    put(REQUEST_ID, &envelope.request_id);
    put(REQUEST_HASH, &envelope.request_hash);
    put(CORRELATION_ID, &envelope.correlation_id);
    put(CAUSATION_ID, &envelope.causation_id);
    put(PARTNERSHIP, &envelope.partnership);
    put(TRACEPARENT, &envelope.traceparent);
    put(TEST_CLOCK, if envelope.test_clock { "true" } else { "" });
    headers
}

/// The envelope in a message's headers; empty strings and the epoch for what is missing or unreadable.
pub(crate) fn decode(headers: Option<&HeaderMap>) -> Envelope {
    let mut envelope = Envelope {
        id: String::new(),
        event_type: String::new(),
        resource: String::new(),
        time: Timestamp::UNIX_EPOCH,
        actor: String::new(),
        command: String::new(),
        reason: String::new(),
        request_id: String::new(),
        request_hash: String::new(),
        correlation_id: String::new(),
        causation_id: String::new(),
        partnership: String::new(),
        traceparent: String::new(),
        test_clock: false,
    };
    // One pass over what is there costs less than a hashed look-up for each name.
    for (name, values) in headers.into_iter().flat_map(HeaderMap::iter) {
        let Some(value) = values.first() else { continue };
        let field = match AsRef::<str>::as_ref(name) {
            ID => &mut envelope.id,
            TYPE => &mut envelope.event_type,
            SUBJECT => &mut envelope.resource,
            ACTOR => &mut envelope.actor,
            COMMAND => &mut envelope.command,
            REASON => &mut envelope.reason,
            REQUEST_ID => &mut envelope.request_id,
            REQUEST_HASH => &mut envelope.request_hash,
            CORRELATION_ID => &mut envelope.correlation_id,
            CAUSATION_ID => &mut envelope.causation_id,
            PARTNERSHIP => &mut envelope.partnership,
            TRACEPARENT => &mut envelope.traceparent,
            TIME => {
                envelope.time = value.as_str().parse().unwrap_or(Timestamp::UNIX_EPOCH);
                continue;
            }
            TEST_CLOCK => {
                envelope.test_clock = value.as_str() == "true";
                continue;
            }
            _ => continue,
        };
        *field = unescape(value.as_str()).into_owned();
    }
    envelope
}

/// Percent-encodes what the CloudEvents HTTP binding (3.1.3.2) does not let stand in a header value: space, `"`, `%`
/// and all but printable ASCII, byte by byte of its UTF-8.
fn escape(text: &str) -> Cow<'_, str> {
    let stands = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'"' && byte != b'%';
    if text.bytes().all(stands) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if stands(byte) {
            escaped.push(char::from(byte));
        } else {
            const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
            escaped.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    Cow::Owned(escaped)
}

/// Undoes [`escape`]; a `%` that begins no escape stays, and bytes that are no UTF-8 become U+FFFD.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                unescaped.push(high << 4 | low);
                at += 3;
            }
            _ => {
                unescaped.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&unescaped).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn any_text_comes_back() {
        for reason in
            ["", "plain", "100 % \"sure\"", "line\r\nNats-Batch-Commit: 1", "Übergabe an Zoë 🎬", "%41", "\0\x7f"]
        {
            let envelope = Envelope { reason: reason.to_owned(), ..testing::envelope("e1") };
            let headers = encode(&envelope, "contracts");
            assert_eq!(decode(Some(&headers)), envelope, "{reason:?}");
            for (_, values) in headers.iter() {
                assert!(values.iter().all(|v| v.as_str().bytes().all(|b| (0x21..=0x7e).contains(&b))), "{values:?}");
            }
        }
    }

    #[test]
    fn required_attributes_are_there_and_empty_extensions_are_not() {
        let envelope = Envelope { causation_id: String::new(), ..testing::envelope("e1") };
        let headers = encode(&envelope, "contracts");
        let value = |name: &str| headers.get(name).map(ToString::to_string);
        assert_eq!(value(SPECVERSION).as_deref(), Some("1.0"));
        assert_eq!(value(SOURCE).as_deref(), Some("/tandem/contracts"));
        assert_eq!(value(TYPE).as_deref(), Some(envelope.event_type.as_str()));
        assert_eq!(value(CAUSATION_ID), None);
    }

    #[test]
    fn a_strange_message_is_decoded_all_the_same() {
        assert_eq!(decode(None).id, "");
        let mut headers = HeaderMap::new();
        headers.insert(TIME, "yesterday");
        headers.insert(REASON, "50%, or %zz, or %ff");
        let envelope = decode(Some(&headers));
        assert_eq!(envelope.time, Timestamp::UNIX_EPOCH);
        assert_eq!(envelope.reason, "50%, or %zz, or \u{fffd}");
    }
}
