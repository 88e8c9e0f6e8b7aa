//! Taking a vault out of its buckets for a backup, and putting it back.
//!
//! Invariant: data is read before keys, so that no data is taken without its key; and a person who is erased, in the backup
//! or where it is put back, stays erased.

use std::collections::HashSet;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::Operation;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message;

use crate::bucket::{Bucket, Entry, Written, unavailable};
use crate::cipher;
use crate::record::KeyRecord;
use crate::vault::{PROOF, Vault, buckets, contended};
use crate::{MasterKey, VaultError};

/// Writes in flight.
const WRITES_IN_FLIGHT: usize = 64;
/// How often a guarded write is tried.
const ATTEMPTS: usize = 100;

/// One entry of a vault, sealed as it lies there.
#[derive(Clone, PartialEq, Message)]
pub struct VaultEntry {
    /// Whether it is of the bucket of keys; else it is of the bucket of data.
    #[prost(bool, tag = "1")]
    pub is_key: bool,
    /// `<tenant>.<person>`, or the entry that proves the master key.
    #[prost(string, tag = "2")]
    pub entry: String,
    /// What it holds.
    #[prost(bytes = "vec", tag = "3")]
    pub value: Vec<u8>,
}

impl VaultEntry {
    /// Whether it says that a person is erased.
    #[must_use]
    pub fn is_erasure(&self) -> bool {
        self.is_key && KeyRecord::decode(&*self.value).is_ok_and(|record| record.is_tombstone())
    }

    /// Whether the vault was made with this master key; none if another entry tells it.
    #[must_use]
    pub fn proves(&self, master: &MasterKey) -> Option<bool> {
        if !self.is_key || self.entry != PROOF {
            return None;
        }
        let wrapped = KeyRecord::decode(&*self.value).unwrap_or_default().wrapped;
        Some(cipher::open(&master.wrapping_key(), &[PROOF], &wrapped).is_ok())
    }
}

/// What was put back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    /// Entries of data.
    pub data: u64,
    /// Entries of keys.
    pub keys: u64,
    /// Persons whose erasure, done since the backup was made, was kept.
    pub kept_erased: u64,
}

/// All entries of a vault: the data, then the keys; none if there is no vault. What is written meanwhile may be among
/// them as it was or as it is.
///
/// # Errors
/// [`VaultError::Unavailable`].
pub async fn export(
    jetstream: &Context,
    prefix: &str,
) -> Result<Option<impl Stream<Item = Result<VaultEntry, VaultError>> + use<>>, VaultError> {
    let data = Bucket::existing(jetstream, &format!("{prefix}_vault")).await?;
    let keys = Bucket::existing(jetstream, &format!("{prefix}_vault_keys")).await?;
    let (Some(data), Some(keys)) = (data, keys) else { return Ok(None) };
    let of = |bucket: Bucket, is_key: bool| {
        // The keys are asked for only when all data has been read.
        stream::once(async move { bucket.entries().await })
            .try_flatten()
            // What was removed by hand from the keys is an erasure as well.
            .try_filter(move |entry| std::future::ready(is_key || entry.operation == Operation::Put))
            .map_ok(move |entry| VaultEntry { is_key, entry: entry.key, value: entry.value.to_vec() })
    };
    Ok(Some(of(data, false).chain(of(keys, true))))
}

/// Puts entries into a vault, which is made with so many `replicas` if it is missing. What else is in it goes away, but
/// for erasures: they hold also against the entries. If it fails, repeat it.
///
/// # Errors
/// [`VaultError::Unavailable`].
pub async fn import(
    jetstream: &Context,
    prefix: &str,
    replicas: usize,
    entries: impl Stream<Item = Result<VaultEntry, VaultError>>,
) -> Result<PutBack, VaultError> {
    let (keys, data) = buckets(jetstream, prefix, replicas).await?;
    let (erased, others) = there(&keys).await?;
    let (_, other_data) = there(&data).await?;
    let (to_keys, to_data, erased) = (&keys, &data, &erased);
    let written: Vec<(bool, String, bool)> = entries
        .map_ok(|entry| async move {
            let kept_erased = erased.contains(&entry.entry);
            let VaultEntry { is_key, entry, value } = entry;
            if !kept_erased && is_key {
                to_keys.put_if_other(&entry, without_revision(value)?).await?;
            } else if !kept_erased {
                to_data.put_if_other(&entry, value).await?;
            }
            Ok((is_key, entry, kept_erased))
        })
        .try_buffer_unordered(WRITES_IN_FLIGHT)
        .try_collect()
        .await?;
    let count = |wanted: fn(&(bool, String, bool)) -> bool| written.iter().filter(|it| wanted(it)).count() as u64;
    let put_back = PutBack {
        data: count(|(is_key, _, erased)| !is_key && !erased),
        keys: count(|(is_key, _, erased)| *is_key && !erased),
        kept_erased: count(|(is_key, _, erased)| *is_key && *erased),
    };
    let (new_keys, new_data): (Vec<_>, Vec<_>) = written.into_iter().partition(|(is_key, ..)| *is_key);
    remove(&data, other_data, &new_data.into_iter().map(|(_, entry, _)| entry).collect()).await?;
    remove(&keys, others, &new_keys.into_iter().map(|(_, entry, _)| entry).collect()).await?;
    Ok(put_back)
}

/// Entries that a bucket holds: of persons who are erased, and of others.
async fn there(bucket: &Bucket) -> Result<(HashSet<String>, Vec<String>), VaultError> {
    let (mut erased, mut others) = (HashSet::new(), Vec::new());
    let mut entries = std::pin::pin!(bucket.entries().await?);
    while let Some(entry) = entries.try_next().await? {
        let is_key = bucket.name().ends_with("_keys");
        let entry = VaultEntry { is_key, entry: entry.key, value: entry.value.to_vec() };
        if entry.is_erasure() {
            erased.insert(entry.entry);
        } else {
            others.push(entry.entry);
        }
    }
    Ok((erased, others))
}

async fn remove(bucket: &Bucket, there: Vec<String>, wanted: &HashSet<String>) -> Result<(), VaultError> {
    let gone = there.into_iter().filter(|entry| !wanted.contains(entry));
    stream::iter(gone.map(Ok))
        .try_for_each_concurrent(WRITES_IN_FLIGHT, |entry| async move { bucket.forget(&entry).await })
        .await
}

/// A tombstone names the revision of the key that it stands for. That key is not in the backup, and its revision is
/// somebody else's where this is put back.
fn without_revision(value: Vec<u8>) -> Result<Vec<u8>, VaultError> {
    let record = KeyRecord::decode(&*value).map_err(unavailable("decode a record"))?;
    Ok(if record.is_tombstone() { KeyRecord { erased_revision: 0, ..record }.encode_to_vec() } else { value })
}

impl Bucket {
    /// Writes an entry unless it holds this already.
    async fn put_if_other(&self, entry: &str, value: Vec<u8>) -> Result<(), VaultError> {
        for _ in 0..ATTEMPTS {
            let Entry { record, revision } = self.read_raw(entry).await?;
            if record.as_deref() == Some(&*value) {
                return Ok(());
            }
            if self.write_raw(entry, value.clone(), revision).await? == Written::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl Vault {
    /// Names of the streams under its buckets: that of the data, that of the keys.
    #[must_use]
    pub fn streams(prefix: &str) -> [String; 2] {
        [format!("KV_{prefix}_vault"), format!("KV_{prefix}_vault_keys")]
    }

    /// Whether a vault was made with this master key; none if there is no vault. Nothing is made.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn is_sealed_with(
        jetstream: &Context,
        prefix: &str,
        master: &MasterKey,
    ) -> Result<Option<bool>, VaultError> {
        let Some(keys) = Bucket::existing(jetstream, &format!("{prefix}_vault_keys")).await? else { return Ok(None) };
        let proof = keys.read_raw(PROOF).await?.record;
        Ok(proof.and_then(|value| {
            VaultEntry { is_key: true, entry: PROOF.to_owned(), value: value.to_vec() }.proves(master)
        }))
    }
}
