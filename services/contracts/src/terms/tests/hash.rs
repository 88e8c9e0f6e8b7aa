//! What the hash depends on, and what not.

use proptest::prelude::*;
use prost::Message as _;
use tandem_proto::contracts::v1 as pb;

use super::super::hash;
use crate::fixtures::{date, terms};

/// The fields of an encoded message, each with its key.
fn fields(encoded: &[u8]) -> Vec<Vec<u8>> {
    use prost::encoding::{DecodeContext, decode_key, skip_field};
    let mut rest = encoded;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let before = rest;
        let (number, wire_type) = decode_key(&mut rest).unwrap();
        skip_field(wire_type, number, &mut rest, DecodeContext::default()).unwrap();
        fields.push(before[..before.len() - rest.len()].to_vec());
    }
    fields
}

#[test]
fn a_hash_never_changes() {
    // Contracts are signed over it: if this fails, what was signed no longer verifies.
    assert_eq!(hash(&terms()), "9ff2aa4d5d4b55843e7be8181131488fa7b9a46112e540fa1ddc14f44281155e");
}

#[test]
fn the_order_of_fields_on_the_wire_does_not_matter() {
    let mut terms = terms();
    terms.clauses.truncate(1);
    let mut wire = fields(&terms.encode_to_vec());
    assert_eq!(wire.len(), 5);
    wire.reverse();
    let wire = wire.concat();
    assert_ne!(wire, terms.encode_to_vec());
    assert_eq!(hash(&pb::Terms::decode(&wire[..]).unwrap()), hash(&terms));
}

#[test]
fn defaults_and_unknown_fields_on_the_wire_do_not_matter() {
    let mut wire = vec![0x0a, 0]; // currency_code: ""
    wire.extend(terms().encode_to_vec());
    wire.extend([0xfa, 0x3e, 2, b'h', b'i']); // field 1007: "hi"
    assert_eq!(hash(&pb::Terms::decode(&wire[..]).unwrap()), hash(&terms()));
}

#[test]
fn every_field_counts() {
    let mut seen = std::collections::HashSet::from([hash(&terms())]);
    let mut differs = |change: &dyn Fn(&mut pb::Terms)| {
        let mut terms = terms();
        change(&mut terms);
        assert!(seen.insert(hash(&terms)), "{terms:?}");
    };
    differs(&|terms| terms.currency_code = "EUR".into());
    differs(&|terms| terms.time_zone = "Europe/Berlin".into());
    differs(&|terms| terms.start_date = date(2026, 6, 2));
    differs(&|terms| terms.end_date = date(2026, 6, 2));
    for index in 0..terms().clauses.len() {
        differs(&|terms| drop(terms.clauses.remove(index)));
        differs(&|terms| terms.clauses[index].clause_id.push('x'));
        differs(&|terms| terms.clauses[index].clause = None);
    }
    differs(&|terms| terms.clauses.swap(0, 1));
}

proptest! {
    /// Whatever bit of the encoding is turned: either it is no longer a message, or it means the same, or the hash is
    /// another.
    #[test]
    fn any_change_changes_the_hash(byte in 0_usize..4096, bit in 0_u8..8) {
        let terms = terms();
        let mut wire = terms.encode_to_vec();
        let byte = byte % wire.len();
        wire[byte] ^= 1 << bit;
        if let Ok(changed) = pb::Terms::decode(&wire[..]) {
            prop_assert_eq!(changed == terms, hash(&changed) == hash(&terms));
        }
    }
}
