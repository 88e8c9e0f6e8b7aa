//! What the buckets hold, encoded as protobuf.
//!
//! Invariant: a key record is written at most twice, first as a key and then as a tombstone, never back.

use std::collections::BTreeMap;

use prost::Message;

/// Value in the bucket of keys.
#[derive(Clone, PartialEq, Message)]
pub struct KeyRecord {
    /// The person's key, sealed with the wrapping key. Empty in a tombstone: the person is erased.
    #[prost(bytes = "vec", tag = "1")]
    pub wrapped: Vec<u8>,
    /// In a tombstone, the revision that held the key, to be overwritten; 0 if there was none.
    #[prost(uint64, tag = "2")]
    pub erased_revision: u64,
}

impl KeyRecord {
    /// Whether the person is erased. An empty value, as deleting by hand leaves it, counts as well.
    pub fn is_tombstone(&self) -> bool {
        self.wrapped.is_empty()
    }
}

/// Value in the bucket of data.
#[derive(Clone, PartialEq, Message)]
pub struct DataRecord {
    /// The fields by name, each sealed with the person's key.
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub fields: BTreeMap<String, Vec<u8>>,
}
