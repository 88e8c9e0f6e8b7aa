//! The files of a backup.
//!
//! Invariant: a file is on disk, and its hash known, before the manifest names it; only its owner can read it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tandem_vault::cipher::SecretKey;

use crate::BackupError;
use crate::chunks::{CHUNK, OVERHEAD, Sealing};
use crate::error::{unreadable, unwritable};
use crate::manifest::FileEntry;

/// A file that is written. Blocking: it is written by a program that has nothing else to do.
pub(crate) struct Writer {
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    sealing: Option<Sealing>,
    waiting: Vec<u8>,
}

impl Writer {
    pub(crate) fn create(folder: &Path, name: &str, sealing: Option<Sealing>) -> Result<Self, BackupError> {
        let path = folder.join(name);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(unwritable(&path))?;
        let (hash, waiting) = (Sha256::new(), Vec::new());
        Ok(Self { path, name: name.to_owned(), file: BufWriter::new(file), hash, bytes: 0, sealing, waiting })
    }

    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), BackupError> {
        if self.sealing.is_none() {
            return self.put(content);
        }
        self.waiting.extend_from_slice(content);
        while self.waiting.len() > CHUNK {
            let rest = self.waiting.split_off(CHUNK);
            let chunk = std::mem::replace(&mut self.waiting, rest);
            self.put_sealed(&chunk, false)?;
        }
        Ok(())
    }

    /// Ends the file; it is on disk when this returns.
    pub(crate) fn finish(mut self) -> Result<FileEntry, BackupError> {
        let last = std::mem::take(&mut self.waiting);
        self.put_sealed(&last, true)?;
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(unwritable(&self.path))?;
        Ok(FileEntry { name: self.name, bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) })
    }

    fn put_sealed(&mut self, chunk: &[u8], last: bool) -> Result<(), BackupError> {
        match &mut self.sealing {
            Some(sealing) => {
                let sealed = sealing.seal(chunk, last);
                self.put(&sealed)
            }
            None => Ok(()),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(unwritable(&self.path))
    }
}

/// A file that is read, in chunks of at most [`CHUNK`] bytes.
pub(crate) struct Reader {
    path: PathBuf,
    name: String,
    file: BufReader<File>,
    left: u64,
    sealing: Option<Sealing>,
}

impl Reader {
    pub(crate) fn open(folder: &Path, entry: &FileEntry, sealing: Option<Sealing>) -> Result<Self, BackupError> {
        let path = folder.join(&entry.name);
        let file = File::open(&path).map_err(unreadable(&path))?;
        Ok(Self { path, name: entry.name.clone(), file: BufReader::new(file), left: entry.bytes, sealing })
    }

    /// The next chunk; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(_) = self.sealing else { return self.take(self.left.min(CHUNK as u64)).map(Some) };
        let length = self.take(4)?;
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
        if u64::from(length) > self.left || length as usize > CHUNK + OVERHEAD {
            return Err(BackupError::Damaged {
                file: self.name.clone(),
                reason: "it was cut off or altered".to_owned(),
            });
        }
        let sealed = self.take(u64::from(length))?;
        let last = self.left == 0;
        self.sealing.as_mut().map(|sealing| sealing.open(&sealed, last)).transpose()
    }

    fn take(&mut self, bytes: u64) -> Result<Vec<u8>, BackupError> {
        let mut taken = vec![0; usize::try_from(bytes.min(self.left)).unwrap_or_default()];
        self.file.read_exact(&mut taken).map_err(unreadable(&self.path))?;
        self.left -= taken.len() as u64;
        Ok(taken)
    }
}

/// Whether a file is as the manifest has it.
pub(crate) fn check(folder: &Path, entry: &FileEntry) -> Result<(), BackupError> {
    let path = folder.join(&entry.name);
    let mut file = File::open(&path).map_err(unreadable(&path))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = file.read(&mut buffer).map_err(unreadable(&path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    let damaged = |reason: String| Err(BackupError::Damaged { file: path.display().to_string(), reason });
    if bytes != entry.bytes {
        return damaged(format!("it has {bytes} bytes and had {}", entry.bytes));
    }
    if hex::encode(hash.finalize()) != entry.sha256 {
        return damaged("its SHA-256 is another one".to_owned());
    }
    Ok(())
}

/// The sealing of a file, if the backup has a key.
pub(crate) fn sealing(key: Option<&SecretKey>, backup: &str, file: &str) -> Option<Sealing> {
    key.map(|key| Sealing::new(key, backup, file))
}
