//! What can go wrong in the vault.
//!
//! Invariant: no message holds personal data or key material.

/// Why the vault did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The person was erased; nothing can be stored of them again.
    #[error("the personal data of {person} was erased for good; nothing can be stored of them again")]
    Erased {
        /// Id of the person.
        person: String,
    },
    /// The buckets can't be reached, or others write the same person without end. Repeat: all calls are idempotent.
    #[error("the vault can't be reached while trying to {action}; repeat the call")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// What the client or the server said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The buckets were made with another master key.
    #[error("this is not the master key that the vault {bucket} was made with; start with that one")]
    WrongMasterKey {
        /// Name of the bucket of keys.
        bucket: String,
    },
    /// What is stored was not sealed for this place, or was altered.
    #[error("what is stored of {person} as {item} was altered or moved; restore it from a backup or erase the person")]
    Corrupt {
        /// Id of the person.
        person: String,
        /// Name of the field, or "key".
        item: String,
    },
    /// An id that can't be part of a key.
    #[error("{value:?} can't be the id of a {what}: use 1 to 128 letters, digits, \"-\" and \"_\"")]
    InvalidId {
        /// "tenant" or "person".
        what: &'static str,
        /// What was given.
        value: String,
    },
    /// A value too large for the vault.
    #[error("field {field} has {size} bytes; the vault takes {limit} a field")]
    TooLarge {
        /// Name of the field.
        field: String,
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a master key.
    #[error("the master key can't be used: {0}")]
    MasterKey(String),
}
