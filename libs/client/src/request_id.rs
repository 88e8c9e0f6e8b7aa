//! Request ids: a command that comes without one gets one before it is first sent.
//!
//! Invariant: every try of a call carries the same id, so that the server sees one command however often it is sent.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};
use uuid::Uuid;

use crate::call::{Call, Payload};

/// gRPC's prefix of a message: a flag "compressed" and the length (4 bytes, big endian).
const PREFIX: usize = 5;

/// Gives the call a request id (UUID v7), if its message has the field and left it empty.
///
/// The field is appended to the encoded message: of a field that occurs twice the last counts, and no other field is
/// touched, be it known here or not.
#[expect(clippy::disallowed_methods, reason = "a client chooses its request ids")]
pub(crate) fn assign(mut call: Call) -> Call {
    if let (Some(field), Payload::Whole(frame)) = (call.method.request_id_field, &call.payload) {
        match has_value(frame, field) {
            Some(true) => {}
            Some(false) => call.payload = Payload::Whole(append(frame, field, &Uuid::now_v7().to_string())),
            // Compressed, or broken: the server will judge. Without an id it must not be sent twice.
            None => call.repeatable = false,
        }
    }
    call
}

/// Whether a string field of a message has a value; none if the message can't be read.
fn has_value(frame: &Bytes, field: u32) -> Option<bool> {
    if frame.len() < PREFIX || frame[0] != 0 {
        return None;
    }
    let mut rest = frame.slice(PREFIX..);
    let mut found = false;
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        if number == field && wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok().filter(|length| *length <= rest.len())?;
            found = length > 0;
            rest = rest.split_off(length);
        } else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default()).ok()?;
        }
    }
    Some(found)
}

fn append(frame: &Bytes, field: u32, value: &str) -> Bytes {
    let mut message = BytesMut::with_capacity(frame.len() + value.len() + 8);
    message.put_slice(frame);
    encode_key(field, WireType::LengthDelimited, &mut message);
    encode_varint(value.len() as u64, &mut message);
    message.put_slice(value.as_bytes());
    // What would not fit 4 bytes is far beyond what any server takes.
    let length = u32::try_from(message.len() - PREFIX).unwrap_or(u32::MAX);
    message[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    message.freeze()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tandem_proto::creators::v1::MergeCreatorsRequest;

    use super::*;

    const FIELD: u32 = 4;

    fn frame(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap();
        [&[0], &length.to_be_bytes()[..], message].concat().into()
    }

    fn request(request_id: &str) -> MergeCreatorsRequest {
        let (name, source) = ("creators/a".into(), "creators/b".into());
        MergeCreatorsRequest { name, source, reason: "same person".into(), request_id: request_id.into() }
    }

    #[test]
    fn an_empty_id_is_found_and_filled() {
        let before = frame(&request("").encode_to_vec());
        assert_eq!(has_value(&before, FIELD), Some(false));

        let after = append(&before, FIELD, "0190");
        assert_eq!(u32::from_be_bytes(after[1..PREFIX].try_into().unwrap()) as usize, after.len() - PREFIX);
        assert_eq!(MergeCreatorsRequest::decode(&after[PREFIX..]).unwrap(), request("0190"));
    }

    #[test]
    fn an_id_that_is_there_is_seen() {
        assert_eq!(has_value(&frame(&request("mine").encode_to_vec()), FIELD), Some(true));
    }

    #[test]
    fn of_a_repeated_field_the_last_counts() {
        let message = [request("mine").encode_to_vec(), vec![(FIELD as u8) << 3 | 2, 0]].concat();
        assert_eq!(MergeCreatorsRequest::decode(&message[..]).unwrap().request_id, "");
        assert_eq!(has_value(&frame(&message), FIELD), Some(false));
    }

    #[test]
    fn the_empty_message_gets_one() {
        assert_eq!(has_value(&frame(&[]), FIELD), Some(false));
    }

    #[test]
    fn what_is_compressed_or_cut_off_is_left_alone() {
        let whole = frame(&request("mine").encode_to_vec());
        assert_eq!(has_value(&whole.slice(..whole.len() - 2), FIELD), None);
        assert_eq!(has_value(&Bytes::from_static(&[1, 0, 0, 0, 0]), FIELD), None);
        assert_eq!(has_value(&Bytes::new(), FIELD), None);
    }
}
