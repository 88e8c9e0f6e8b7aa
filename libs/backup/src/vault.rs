//! The vault's entries in a file.
//!
//! Invariant: entries are written as they are sealed in the vault; nothing is opened on the way.

use std::pin::pin;

use async_nats::Client;
use async_nats::jetstream;
use futures::{Stream, TryStreamExt as _, stream};
use prost::Message as _;
use tandem_vault::{MasterKey, PutBack, VaultEntry, VaultError};

use crate::BackupError;
use crate::files::{Reader, Writer};
use crate::manifest::{VAULT_FILE, VaultCounts};

/// Writes all entries; none if there is no vault. The master key, if given, has to be the vault's.
pub(crate) async fn take(
    client: &Client,
    log: &str,
    master: Option<&MasterKey>,
    writer: &mut Writer,
) -> Result<Option<VaultCounts>, BackupError> {
    let context = jetstream::new(client.clone());
    let Some(entries) = tandem_vault::export(&context, log).await? else { return Ok(None) };
    let mut entries = pin!(entries);
    let mut counts = VaultCounts::default();
    while let Some(entry) = entries.try_next().await? {
        count(&mut counts, &entry, master)?;
        writer.write(&entry.encode_length_delimited_to_vec())?;
    }
    Ok(Some(counts))
}

/// Puts all entries back, into buckets with so many copies if they are made.
pub(crate) async fn put(client: &Client, log: &str, replicas: usize, reader: Reader) -> Result<PutBack, BackupError> {
    let context = jetstream::new(client.clone());
    let mut broken = None;
    let entries = entries(reader).map_err(|error| {
        broken = Some(error);
        VaultError::Unavailable { action: "read the backup", source: "its file".into() }
    });
    let put = tandem_vault::import(&context, log, replicas, entries).await;
    match broken {
        Some(error) => Err(error),
        None => put.map_err(BackupError::from),
    }
}

/// Reads all entries, and counts them.
pub(crate) async fn check(reader: Reader, master: Option<&MasterKey>) -> Result<VaultCounts, BackupError> {
    let mut entries = pin!(entries(reader));
    let mut counts = VaultCounts::default();
    while let Some(entry) = entries.try_next().await? {
        count(&mut counts, &entry, master)?;
    }
    Ok(counts)
}

fn count(counts: &mut VaultCounts, entry: &VaultEntry, master: Option<&MasterKey>) -> Result<(), BackupError> {
    if master.is_some_and(|master| entry.proves(master) == Some(false)) {
        return Err(BackupError::WrongMasterKey);
    }
    match entry {
        entry if entry.is_erasure() => counts.erased += 1,
        entry if entry.is_key => counts.keys += 1,
        _ => counts.data += 1,
    }
    Ok(())
}

fn entries(reader: Reader) -> impl Stream<Item = Result<VaultEntry, BackupError>> {
    stream::try_unfold((reader, Vec::new()), |(mut reader, mut waiting)| async move {
        loop {
            if let Some((entry, length)) = first(&waiting)? {
                waiting.drain(..length);
                return Ok(Some((entry, (reader, waiting))));
            }
            match reader.next()? {
                Some(chunk) => waiting.extend(chunk),
                None if waiting.is_empty() => return Ok(None),
                None => return Err(damaged("it ends within an entry")),
            }
        }
    })
}

/// The first entry and its length, if all of it is there.
fn first(bytes: &[u8]) -> Result<Option<(VaultEntry, usize)>, BackupError> {
    let mut rest = bytes;
    let Ok(length) = prost::decode_length_delimiter(&mut rest) else { return Ok(None) };
    let Some(entry) = rest.get(..length) else { return Ok(None) };
    let entry = VaultEntry::decode(entry).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some((entry, bytes.len() - rest.len() + length)))
}

fn damaged(reason: &str) -> BackupError {
    BackupError::Damaged { file: VAULT_FILE.to_owned(), reason: reason.to_owned() }
}
