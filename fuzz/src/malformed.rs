//! Bytes that are no message, or hardly.
//!
//! Invariant: what is to be expected of an answer follows from the bytes: see [`is_message`].

use fastrand::Rng;
use prost_reflect::{DynamicMessage, MessageDescriptor};

/// Whether the bytes are a message, by the same rules that a server goes by.
pub(crate) fn is_message(descriptor: &MessageDescriptor, bytes: &[u8]) -> bool {
    DynamicMessage::decode(descriptor.clone(), bytes).is_ok()
}

/// Spoils the bytes of a message.
pub(crate) fn spoil(mut bytes: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    let somewhere = |bytes: &[u8], random: &mut Rng| random.usize(..=bytes.len());
    match random.usize(..11) {
        0 => bytes.truncate(somewhere(&bytes, random)),
        1 | 2 => {
            for _ in 0..=random.usize(..4) {
                let place = somewhere(&bytes, random);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << random.u8(..8);
                }
            }
        }
        3 => {
            let place = somewhere(&bytes, random);
            let inserted: Vec<_> = (0..random.usize(1..9)).map(|_| random.u8(..)).collect();
            bytes.splice(place..place, inserted);
        }
        // Groups in groups, of an unknown field.
        4 => bytes.extend(std::iter::repeat_n([0xfb, 0x7f], random.usize(1..50_000)).flatten()),
        // Messages in messages: each says that the rest is one.
        5 => {
            let field = random.u8(1..16) << 3 | 2;
            bytes = (0..200).fold(bytes, |inner, _| {
                let mut outer = vec![field];
                varint(inner.len() as u64, &mut outer);
                outer.extend(inner);
                outer
            });
        }
        // A length that is not there.
        6 => {
            bytes.push(random.u8(1..16) << 3 | 2);
            varint(*random.choice(&[10, 1 << 31, u64::MAX]).unwrap_or(&10), &mut bytes);
        }
        // A number without an end.
        7 => bytes.extend([random.u8(1..16) << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        // A text that is none.
        8 => bytes.extend([random.u8(1..16) << 3 | 2, 2, 0xc3, 0x28]),
        // A field without a number, and kinds of fields that there are none of.
        9 => bytes.extend([random.u8(..8), random.u8(..)]),
        // Fields of newer versions, which are to be passed over.
        _ => {
            varint(random.u64(1000..536_870_911) << 3 | 2, &mut bytes);
            bytes.extend([3, 1, 2, 3]);
        }
    }
    bytes
}

fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value > 0x7f {
        bytes.push(0x80 | (value & 0x7f) as u8);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_messages_and_some_are_not() {
        let name = "tandem.contracts.v1.GetContractRequest";
        let descriptor = tandem_proto::POOL.get_message_by_name(name).unwrap();
        let mut random = Rng::with_seed(7);
        let whole = b"\x0a\x0ccontracts/c1".to_vec();
        let messages = (0..1000).filter(|_| is_message(&descriptor, &spoil(whole.clone(), &mut random))).count();
        assert!((100..900).contains(&messages), "{messages} of 1000");
    }
}
