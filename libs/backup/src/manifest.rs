//! What a backup consists of.
//!
//! Invariant: written last, in one step, when all that it names is on disk: a folder without it is no backup.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::BackupError;
use crate::error::{unreadable, unwritable};

const NAME: &str = "manifest.json";
/// Of the folder; raised when an older tandem could not restore it.
const FORMAT: u32 = 1;

/// File of the log's snapshot.
pub(crate) const LOG_FILE: &str = "log.snapshot";
/// File of the vault's entries.
pub(crate) const VAULT_FILE: &str = "vault.entries";
/// File of the vault's master key.
pub(crate) const VAULT_KEY_FILE: &str = "vault.key";

/// A backup, without its content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// Tells it from all others.
    pub id: String,
    /// When it was begun.
    pub time: Timestamp,
    /// Version of tandem that made it.
    pub tandem_version: String,
    /// Whether its files are sealed.
    pub sealed: bool,
    /// The log in it.
    pub log: Log,
    /// The vault in it; none if there was none.
    pub vault: Option<VaultCounts>,
    /// Its files.
    pub files: Vec<FileEntry>,
}

/// The log in a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Log {
    /// Name of its stream.
    pub stream: String,
    /// How it was made, in the server's words.
    pub config: Value,
    /// What was in it, in the server's words.
    pub state: Value,
    /// Events in it.
    pub events: u64,
    /// Position of the last one.
    pub last_position: u64,
}

/// The vault in a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultCounts {
    /// Persons with data.
    pub data: u64,
    /// Persons with a key, and one entry that proves the master key.
    pub keys: u64,
    /// Persons who are erased.
    pub erased: u64,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Manifest {
    pub(crate) fn new(id: String, time: Timestamp, sealed: bool, log: Log) -> Self {
        let tandem_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, id, time, tandem_version, sealed, log, vault: None, files: Vec::new() }
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`BackupError::Unfinished`] if there is none, [`BackupError::Manifest`].
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(NAME);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::Unfinished(folder.to_owned()));
            }
            read => read.map_err(unreadable(&path))?,
        };
        let strange = |reason: String| BackupError::Manifest { path: folder.to_owned(), reason };
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| strange(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(strange(format!("its format is {}, not {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let (path, unfinished) = (folder.join(NAME), folder.join(format!("{NAME}.unfinished")));
        let text = serde_json::to_vec_pretty(self).map_err(|error| unwritable(&path)(error.into()))?;
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()?;
                std::fs::rename(&unfinished, &path)?;
                File::open(folder)?.sync_all()
            });
        written.map_err(unwritable(&path))
    }

    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Whether the vault's master key lies in it.
    #[must_use]
    pub fn has_vault_key(&self) -> bool {
        self.file(VAULT_KEY_FILE).is_some()
    }
}
