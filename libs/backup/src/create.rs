//! Making a backup.
//!
//! Invariant: the log first, then the vault's data, then its keys: see [`crate`].

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use async_nats::Client;
use jiff::Timestamp;
use tandem_vault::MasterKey;
use tandem_vault::cipher::SecretKey;
use uuid::Uuid;

use crate::error::{unreadable, unwritable};
use crate::files::{Writer, sealing};
use crate::manifest::{LOG_FILE, VAULT_FILE, VAULT_KEY_FILE};
use crate::{BackupError, Manifest, marker, snapshot, vault};

/// Purpose of the key that seals backups.
const PURPOSE: &str = "backup";

/// What to back up, and how.
#[derive(Clone, Debug)]
pub struct Create<'a> {
    /// Stream that is the log.
    pub stream: &'a str,
    /// Key that the files are sealed with; in the clear without one.
    pub key: Option<MasterKey>,
    /// The vault's master key, which the vault is checked to have been made with, and its file's content, if that is to
    /// lie in the backup.
    pub vault_key: Option<(MasterKey, String)>,
}

/// Backs up the log and the vault of a Tandem, which may be running, into a folder that is empty or not there.
///
/// # Errors
/// [`BackupError`]; the folder then holds no backup, and says so when it is verified or restored.
pub async fn create(client: &Client, folder: &Path, options: Create<'_>) -> Result<Manifest, BackupError> {
    let context = async_nats::jetstream::new(client.clone());
    if !marker::exists(&context, options.stream).await? {
        return Err(BackupError::NoLog(options.stream.to_owned()));
    }
    #[expect(clippy::disallowed_methods, reason = "names this backup; it is no part of the log")]
    let (id, time) = (Uuid::now_v7().to_string(), now());
    let key = options.key.as_ref().map(sealing_key);
    if let (Some(key), Some((master, _))) = (&options.key, &options.vault_key)
        && sealing_key(key) == sealing_key(master)
    {
        return Err(BackupError::LockedIn);
    }
    prepare(folder)?;
    let writer = |file| Writer::create(folder, file, sealing(key.as_ref(), &id, file));

    let mut log_file = writer(LOG_FILE)?;
    let log = snapshot::take(client, options.stream, &mut log_file).await?;
    let mut manifest = Manifest::new(id.clone(), time, key.is_some(), log);
    manifest.files.push(log_file.finish()?);

    let mut vault_file = writer(VAULT_FILE)?;
    let master = options.vault_key.as_ref().map(|(master, _)| master);
    manifest.vault = vault::take(client, options.stream, master, &mut vault_file).await?;
    manifest.files.push(vault_file.finish()?);

    if let Some((_, text)) = &options.vault_key {
        let mut key_file = writer(VAULT_KEY_FILE)?;
        key_file.write(text.as_bytes())?;
        manifest.files.push(key_file.finish()?);
    }
    manifest.write(folder)?;
    Ok(manifest)
}

/// The key that seals backups, out of the one that was named.
pub(crate) fn sealing_key(key: &MasterKey) -> SecretKey {
    key.key_for(PURPOSE)
}

/// The folder, empty, for its owner alone.
fn prepare(folder: &Path) -> Result<(), BackupError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(BackupError::NotEmpty(folder.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable(folder))
        }
        Err(error) => Err(unreadable(folder)(error)),
    }
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "when a backup was made")]
    Timestamp::now()
}
