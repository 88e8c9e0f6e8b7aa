//! Restoring a backup.
//!
//! Invariant: the mark is set before anything is changed, the log comes last, and the mark goes when all of it is there;
//! a restore that was broken off is done again from its start.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, Context};
use futures::TryStreamExt as _;
use tandem_doctor::gather::{self, Scope};
use tandem_doctor::{Known, StreamFacts};
use tandem_timers::timer_stream;
use tandem_vault::PutBack;

use crate::error::nats;
use crate::manifest::{LOG_FILE, Log, VAULT_FILE};
use crate::marker::{self, Marker};
use crate::verify::Verified;
use crate::{BackupError, Manifest, snapshot, vault};

/// How long copies are waited for until they have all that the leader has.
const COPIES_WITHIN: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// How to restore.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restore {
    /// Whether what is there may be lost.
    pub replace: bool,
    /// Copies of each stream, if not as many as there were.
    pub replicas: Option<usize>,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The log as it is now.
    pub log: Log,
    /// What was put into the vault.
    pub vault: PutBack,
    /// Whether all copies of the log had all of it in the end; those that had not go on by themselves.
    pub copies_current: bool,
    /// Whether a restore was there that had been broken off.
    pub resumed: bool,
}

/// Puts a verified backup back. Services must not run meanwhile: those that can be seen to are refused, one that starts while
/// this goes on is not seen. Views of before must not be used afterwards.
///
/// # Errors
/// [`BackupError::Occupied`] and [`BackupError::InUse`] before anything is changed; after any other error, and when it is
/// broken off, the mark of an unfinished restore stays, and the restore is to be repeated.
pub async fn restore(
    client: &Client,
    folder: &Path,
    verified: &Verified,
    options: Restore,
) -> Result<Restored, BackupError> {
    let Manifest { log, .. } = &verified.manifest;
    let context = jetstream::new(client.clone());
    let resumed = Marker::is_set(client, &log.stream).await?;
    if !resumed && !options.replace {
        refuse_to_lose(client, &log.stream).await?;
    }
    refuse_while_read(&context, &log.stream).await?;
    let replicas = options.replicas.or_else(|| usize::try_from(log.config["num_replicas"].as_u64()?).ok()).unwrap_or(1);
    // The timers are of another log: they are armed anew. The vault stays until it is overwritten entry by entry, so that
    // erasures hold.
    for stream in [&log.stream, &timer_stream(&log.stream)] {
        delete(&context, stream).await?;
    }
    let mut marker = Marker::set(client, &verified.manifest, replicas).await?;
    let vault = match verified.manifest.vault {
        Some(_) => vault::put(client, &log.stream, replicas, verified.file(folder, VAULT_FILE)?).await?,
        None => PutBack::default(),
    };
    marker.make_way().await?;
    let is = snapshot::put(client, log, options.replicas, &mut verified.file(folder, LOG_FILE)?).await?;
    if (is.events, is.last_position) != (log.events, log.last_position) {
        let reason = format!(
            "it has {} events up to position {}, and had {} up to {}",
            is.events, is.last_position, log.events, log.last_position
        );
        return Err(BackupError::Differs { stream: log.stream.clone(), reason });
    }
    let copies_current = copies_current(client, &log.stream).await;
    marker.remove().await?;
    Ok(Restored { log: is, vault, copies_current, resumed })
}

/// Refuses if there is anything where the backup is to go.
async fn refuse_to_lose(client: &Client, log: &str) -> Result<(), BackupError> {
    let facts = gather::nats(client, log, Scope { vault: true, ..Scope::default() }).await;
    let mut streams = Vec::new();
    for StreamFacts { name, state } in [&facts.log, &facts.timers].into_iter().chain(&facts.vault) {
        match state {
            Known::Is(is) if is.messages > 0 => streams.push(format!("{name} ({} messages)", is.messages)),
            Known::Is(_) | Known::Missing => {}
            Known::Unknown(reason) => return Err(nats("tell what is there")(reason)),
        }
    }
    if streams.is_empty() { Ok(()) } else { Err(BackupError::Occupied { streams }) }
}

/// Refuses if somebody waits for events, as every service does.
async fn refuse_while_read(context: &Context, log: &str) -> Result<(), BackupError> {
    let failed = "tell who reads the log";
    let mut waiting = BTreeSet::new();
    for name in [log.to_owned(), timer_stream(log)] {
        if marker::exists(context, &name).await? {
            let stream = context.get_stream(&name).await.map_err(nats(failed))?;
            let mut consumers = stream.consumers();
            while let Some(consumer) = consumers.try_next().await.map_err(nats(failed))? {
                if consumer.num_waiting > 0 {
                    waiting.insert(consumer.name);
                }
            }
        }
    }
    if waiting.is_empty() { Ok(()) } else { Err(BackupError::InUse { consumers: waiting.into_iter().collect() }) }
}

async fn delete(context: &Context, stream: &str) -> Result<(), BackupError> {
    if marker::exists(context, stream).await? {
        context.delete_stream(stream).await.map_err(nats("remove what is replaced"))?;
    }
    Ok(())
}

/// Waits until all copies are current; false if some still are not in the end.
async fn copies_current(client: &Client, log: &str) -> bool {
    let current = async {
        loop {
            let facts = gather::nats(client, log, Scope::default()).await;
            let is = facts.log.state.get();
            if is.is_some_and(|is| {
                is.copies.iter().all(|copy| copy.current) && is.copies.len() + 1 >= is.config.num_replicas
            }) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    tokio::time::timeout(COPIES_WITHIN, current).await.is_ok()
}
