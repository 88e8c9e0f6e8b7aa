//! The hash of terms: what both parties sign.
//!
//! Invariant: equal terms have equal hashes, however they came over the wire; any change changes the hash.

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tandem_proto::contracts::v1 as pb;

/// Lower-case hex SHA-256 of the canonical encoding of terms.
///
/// Protobuf leaves the order of fields open; prost does not: it writes them in ascending order of number, leaves
/// defaults out, and has dropped what it did not know on reading. The golden hash in the tests holds it to that.
#[must_use]
pub fn hash(terms: &pb::Terms) -> String {
    hex::encode(Sha256::digest(terms.encode_to_vec()))
}
