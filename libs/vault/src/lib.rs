//! Personal data, encrypted per person, in two JetStream KV buckets; what the log refers to and never holds.
//!
//! Invariant: whatever is stored of a person can be read only with that person's key, of which exactly one copy
//! exists, wrapped with the master key, in one message that is written once. Erasing the person overwrites that
//! message on disk; nothing that was stored of them can be read from then on, not from an older revision, not from
//! the bytes of a deleted one, and nothing can be stored of them again.
//!
//! - `<prefix>_vault_keys` holds a key record a person: the wrapped key or, for good, a
//!   tombstone. It is apart from the data because data changes: each change would leave another copy of the wrapped
//!   key in the server's files.
//! - `<prefix>_vault` holds a data record a person: the fields, each sealed by the person's
//!   key and bound to tenant, person and field, so that none can be moved to another place.
//!
//! Both are read from the stream's leader, never from a replica that lags, and nothing is cached, so an erasure by
//! another process is never missed. Writes are guarded by the revision read. Who erases must also let backups of
//! the server's files, and of the keys bucket above all, run out.

mod bucket;
pub mod cipher;
mod error;
mod master;
mod record;
mod transfer;
mod vault;

pub use error::VaultError;
pub use master::MasterKey;
pub use transfer::{PutBack, VaultEntry, export, import};
pub use vault::Vault;

#[cfg(test)]
mod tests;
