//! What can stand against a backup or a restore.
//!
//! Invariant: each says what to do, and none holds anything of what is backed up.

use std::path::{Path, PathBuf};

use tandem_vault::VaultError;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder holds something already.
    #[error("{0} is not empty; name a folder that is, or is not there yet")]
    NotEmpty(PathBuf),
    /// The folder holds no manifest.
    #[error(
        "{0} holds no whole backup: it has no manifest.json, which is written last. If it was broken off, delete the folder and make another"
    )]
    Unfinished(PathBuf),
    /// The manifest is of another format.
    #[error("{path}/manifest.json can't be understood ({reason}); restore it with the version of tandem that wrote it")]
    Manifest {
        /// The folder.
        path: PathBuf,
        /// What is strange.
        reason: String,
    },
    /// A file is not as it was written.
    #[error("{file} is damaged: {reason}; restore another backup")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The backup is sealed.
    #[error("the backup is sealed; name the key that it was made with in --backup-key")]
    KeyMissing,
    /// The key is another one.
    #[error("this is not the key that the backup was sealed with; name that one in --backup-key")]
    WrongKey,
    /// The vault's master key is another one.
    #[error("this is not the master key that the vault was made with")]
    WrongMasterKey,
    /// The master key would lie in a backup that only it can open.
    #[error(
        "the backup would be sealed with the key that lies in it, and could never be opened; seal it with another key, or leave --include-vault-key out"
    )]
    LockedIn,
    /// There is no log.
    #[error("there is no stream {0}; name the stream of the log in --stream")]
    NoLog(String),
    /// There is something already where the backup is to be put.
    #[error(
        "{} not empty: {}; restore to a NATS without them, or, to lose what is there, repeat with --replace",
        if streams.len() == 1 { "a stream is" } else { "streams are" }, streams.join(", ")
    )]
    Occupied {
        /// The streams with what they hold.
        streams: Vec<String>,
    },
    /// Somebody waits for new events of what would be replaced.
    #[error(
        "services are running on this log (waiting for events: {}); stop all of them, for they would write on from what is lost, and repeat",
        consumers.join(", ")
    )]
    InUse {
        /// Their consumers.
        consumers: Vec<String>,
    },
    /// The server did not do it.
    #[error("NATS did not {action}: {reason}")]
    Nats {
        /// What was asked.
        action: &'static str,
        /// What it said.
        reason: String,
    },
    /// What was restored is not what was backed up.
    #[error("the stream {stream} was restored otherwise than it was: {reason}")]
    Differs {
        /// The stream.
        stream: String,
        /// How.
        reason: String,
    },
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file.
    #[error("{path} can't be {action}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// "read" or "written".
        action: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// To be used as `map_err(unreadable(path))`.
pub(crate) fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, action: "read", source }
}

/// To be used as `map_err(unwritable(path))`.
pub(crate) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, action: "written", source }
}

/// To be used as `map_err(nats("snapshot the stream"))`.
pub(crate) fn nats<E: ToString>(action: &'static str) -> impl Fn(E) -> BackupError {
    move |error| BackupError::Nats { action, reason: error.to_string() }
}
