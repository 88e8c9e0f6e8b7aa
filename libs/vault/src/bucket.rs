//! A KV bucket whose entries can be overwritten on disk, read from the leader and written by revision.
//!
//! Invariant: a read sees every write acknowledged before it, and a write takes place only if the entry is at the revision that the writer has read.

use async_nats::jetstream::kv::{Store, UpdateError, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RawMessageErrorKind};
use async_nats::jetstream::{Context, ErrorCode};
use prost::Message;

use crate::VaultError;

/// A record and the revision to guard the next write by; 0 if there is no entry.
pub struct Entry<R> {
    pub record: Option<R>,
    pub revision: u64,
}

impl<R> Entry<R> {
    /// The entry of a key that was never written.
    pub fn missing() -> Self {
        Self { record: None, revision: 0 }
    }
}

/// How a guarded write ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Somebody else wrote since the entry was read: read again.
    Conflict,
}

#[derive(Clone, Debug)]
pub struct Bucket(Store);

impl Bucket {
    /// The bucket, made if it is missing. Unlike a bucket made by default it lets messages be overwritten on disk,
    /// and lets the leader alone answer.
    pub async fn open(jetstream: &Context, name: &str, history: i64, replicas: usize) -> Result<Self, VaultError> {
        let failed = "open its buckets";
        let config = Config {
            name: format!("KV_{name}"),
            subjects: vec![format!("$KV.{name}.>")],
            max_messages_per_subject: history,
            discard: DiscardPolicy::New,
            num_replicas: replicas,
            allow_rollup: true,
            deny_delete: false,
            // Direct gets are faster, and where there are replicas any of them may answer, even one that lags.
            allow_direct: replicas <= 1,
            ..Config::default()
        };
        jetstream.get_or_create_stream(config).await.map_err(unavailable(failed))?;
        Ok(Self(jetstream.get_key_value(name).await.map_err(unavailable(failed))?))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The newest record of `key`. What was deleted by hand reads as an empty record.
    pub async fn read<R: Message + Default>(&self, key: &str) -> Result<Entry<R>, VaultError> {
        let Some(entry) = self.0.entry(key).await.map_err(unavailable("read"))? else {
            return Ok(Entry::missing());
        };
        let record = R::decode(entry.value).map_err(unavailable("decode a record"))?;
        Ok(Entry { record: Some(record), revision: entry.revision })
    }

    /// Writes `record` if the entry is still at `revision`.
    pub async fn write<R: Message>(&self, key: &str, record: &R, revision: u64) -> Result<Written, VaultError> {
        match self.0.update(key, record.encode_to_vec().into(), revision).await {
            Ok(_) => Ok(Written::Done),
            Err(error) if is_conflict(&error) => Ok(Written::Conflict),
            Err(error) => Err(unavailable("write")(error)),
        }
    }

    /// Removes all revisions of `key` and leaves a marker.
    pub async fn purge(&self, key: &str) -> Result<(), VaultError> {
        self.0.purge(key).await.map_err(unavailable("purge"))
    }

    /// Overwrites the message of `revision` on disk, on all replicas. Nothing to do if it is gone.
    pub async fn shred(&self, revision: u64) -> Result<(), VaultError> {
        let Err(error) = self.0.stream.delete_message(revision).await else { return Ok(()) };
        // The server has one code for all that can fail, so ask whether it failed because the message is gone.
        match self.0.stream.get_raw_message(revision).await {
            Err(absent) if absent.kind() == RawMessageErrorKind::NoMessageFound => Ok(()),
            _ => Err(unavailable("overwrite a key")(error)),
        }
    }
}

/// To be used as `map_err(unavailable("read"))`.
pub fn unavailable<E>(action: &'static str) -> impl Fn(E) -> VaultError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |error| VaultError::Unavailable { action, source: error.into() }
}

/// The client knows one of the two codes by which a server refuses a stale revision.
fn is_conflict(error: &UpdateError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(server) = current.downcast_ref::<async_nats::jetstream::Error>() {
            return server.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
                || server.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE;
        }
        cause = current.source();
    }
    error.kind() == UpdateErrorKind::WrongLastRevision
}
