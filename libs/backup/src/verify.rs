//! Whether a backup is whole.
//!
//! Invariant: what is verified is all that a restore reads.

use std::path::Path;

use tandem_vault::MasterKey;
use tandem_vault::cipher::SecretKey;

use crate::create::sealing_key;
use crate::files::{self, Reader, sealing};
use crate::manifest::{LOG_FILE, VAULT_FILE, VAULT_KEY_FILE};
use crate::{BackupError, Manifest, vault};

/// A whole backup.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it consists of.
    pub manifest: Manifest,
    key: Option<SecretKey>,
}

/// Checks that all files are there as they were written, that they open with the key, that the vault's entries can be
/// read, and, if the vault's master key is given, that the vault was made with it.
///
/// # Errors
/// The first thing that is wrong.
pub async fn verify(
    folder: &Path,
    key: Option<&MasterKey>,
    vault_key: Option<&MasterKey>,
) -> Result<Verified, BackupError> {
    let manifest = Manifest::read(folder)?;
    for file in &manifest.files {
        files::check(folder, file)?;
    }
    if manifest.sealed && key.is_none() {
        return Err(BackupError::KeyMissing);
    }
    let key = key.filter(|_| manifest.sealed).map(sealing_key);
    let verified = Verified { manifest, key };
    let mut log = verified.file(folder, LOG_FILE)?;
    while log.next()?.is_some() {}
    let counts = vault::check(verified.file(folder, VAULT_FILE)?, vault_key).await?;
    if counts != verified.manifest.vault.unwrap_or_default() {
        let reason = format!("it holds {counts:?}, and the manifest says otherwise");
        return Err(BackupError::Damaged { file: VAULT_FILE.to_owned(), reason });
    }
    Ok(verified)
}

impl Verified {
    /// Content of the file with the vault's master key, if it lies in the backup.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn vault_key(&self, folder: &Path) -> Result<Option<String>, BackupError> {
        if !self.manifest.has_vault_key() {
            return Ok(None);
        }
        let mut file = self.file(folder, VAULT_KEY_FILE)?;
        let mut text = Vec::new();
        while let Some(chunk) = file.next()? {
            text.extend(chunk);
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    pub(crate) fn file(&self, folder: &Path, name: &str) -> Result<Reader, BackupError> {
        let missing = || BackupError::Manifest { path: folder.to_owned(), reason: format!("it names no {name}") };
        let entry = self.manifest.file(name).ok_or_else(missing)?;
        Reader::open(folder, entry, sealing(self.key.as_ref(), &self.manifest.id, name))
    }
}
