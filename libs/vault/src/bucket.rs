//! A KV bucket whose entries can be overwritten on disk, read from the leader and written by revision.
//!
//! Invariant: a read sees every write acknowledged before it, and a write takes place only if the entry is at the revision that the writer has read.

use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::{self, Store, UpdateError, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RawMessageErrorKind};
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use prost::Message;
use tokio::time::timeout;

use crate::VaultError;

/// How long the next entry of a bucket is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

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

    /// The bucket, if there is one.
    pub async fn existing(jetstream: &Context, name: &str) -> Result<Option<Self>, VaultError> {
        match jetstream.get_stream(format!("KV_{name}")).await {
            Ok(_) => Ok(Some(Self(jetstream.get_key_value(name).await.map_err(unavailable("open its buckets"))?))),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
                _ => Err(unavailable("open its buckets")(error)),
            },
        }
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The newest record of `key`. What was deleted by hand reads as an empty record.
    pub async fn read<R: Message + Default>(&self, key: &str) -> Result<Entry<R>, VaultError> {
        let Entry { record, revision } = self.read_raw(key).await?;
        let record = record.map(R::decode).transpose().map_err(unavailable("decode a record"))?;
        Ok(Entry { record, revision })
    }

    /// The newest record of `key`, as it is stored.
    pub async fn read_raw(&self, key: &str) -> Result<Entry<Bytes>, VaultError> {
        let entry = self.0.entry(key).await.map_err(unavailable("read"))?;
        Ok(entry.map_or_else(Entry::missing, |entry| Entry { record: Some(entry.value), revision: entry.revision }))
    }

    /// The newest records of all keys, and markers where they were removed, as they are while it is read.
    pub async fn entries(&self) -> Result<impl Stream<Item = Result<kv::Entry, VaultError>> + use<>, VaultError> {
        let failed = "read its entries";
        let messages = self.0.stream.get_info().await.map_err(unavailable(failed))?.state.messages;
        // Of an empty bucket nothing would ever come.
        let watch = match messages {
            0 => None,
            _ => Some(self.0.watch_with_history(">").await.map_err(unavailable(failed))?),
        };
        Ok(stream::try_unfold(watch, move |watch| async move {
            let Some(mut watch) = watch else { return Ok(None) };
            let next = timeout(PATIENCE, watch.next()).await.map_err(unavailable(failed))?;
            let Some(entry) = next.transpose().map_err(unavailable(failed))? else { return Ok(None) };
            let more = (!entry.seen_current).then_some(watch);
            Ok(Some((entry, more)))
        }))
    }

    /// Writes `record` if the entry is still at `revision`.
    pub async fn write<R: Message>(&self, key: &str, record: &R, revision: u64) -> Result<Written, VaultError> {
        self.write_raw(key, record.encode_to_vec(), revision).await
    }

    /// Writes what is stored for `key`, if the entry is still at `revision`.
    pub async fn write_raw(&self, key: &str, value: Vec<u8>, revision: u64) -> Result<Written, VaultError> {
        match self.0.update(key, value.into(), revision).await {
            Ok(_) => Ok(Written::Done),
            Err(error) if is_conflict(&error) => Ok(Written::Conflict),
            Err(error) => Err(unavailable("write")(error)),
        }
    }

    /// Removes all revisions of `key` and leaves a marker.
    pub async fn purge(&self, key: &str) -> Result<(), VaultError> {
        self.0.purge(key).await.map_err(unavailable("purge"))
    }

    /// Removes all revisions of `key`, as if there had never been any.
    pub async fn forget(&self, key: &str) -> Result<(), VaultError> {
        let subject = format!("$KV.{}.{key}", self.0.name);
        self.0.stream.purge().filter(subject).await.map(|_| ()).map_err(unavailable("remove an entry"))
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
