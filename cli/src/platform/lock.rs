//! The claim on a data folder.
//!
//! Invariant: two Tandems never write to one folder; the claim ends with its process, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Held as long as the folder is in use.
pub(super) struct DataLock(#[expect(dead_code, reason = "the lock is held by being open")] File);

impl DataLock {
    /// Claims the folder, and makes it if it is missing.
    pub(super) fn take(data: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("the data folder {} can't be used; choose another with --data", data.display());
        std::fs::create_dir_all(data).with_context(unusable)?;
        let file = File::options().create(true).truncate(false).write(true).open(data.join("lock"));
        let file = file.with_context(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder {} is in use by another tandem; stop that, or choose another folder with --data",
                data.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
        }
    }
}
