//! Content of a file in chunks: plain, or each chunk sealed for its place.
//!
//! Invariant: a sealed chunk opens only in its own file of its own backup, at its own number, and only the last one as the
//! last, so nothing can be cut off, doubled or moved without being noticed.

use tandem_vault::cipher::{self, SecretKey};

use crate::BackupError;

/// Bytes sealed together.
pub(crate) const CHUNK: usize = 256 * 1024;
/// What sealing adds at most: nonce and tag.
pub(crate) const OVERHEAD: usize = 64;

/// Seals or opens the chunks of one file, in their order.
pub(crate) struct Sealing {
    key: SecretKey,
    backup: String,
    file: String,
    number: u64,
}

impl Sealing {
    pub(crate) fn new(key: &SecretKey, backup: &str, file: &str) -> Self {
        Self { key: key.clone(), backup: backup.to_owned(), file: file.to_owned(), number: 0 }
    }

    /// The next chunk, with its length before it.
    pub(crate) fn seal(&mut self, chunk: &[u8], last: bool) -> Vec<u8> {
        let sealed = self.at_place(last, |key, place| cipher::seal(key, place, chunk));
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        [&length.to_le_bytes()[..], &sealed].concat()
    }

    /// The next chunk, which has to be the last one if it is `last`.
    pub(crate) fn open(&mut self, sealed: &[u8], last: bool) -> Result<Vec<u8>, BackupError> {
        let first = self.number == 0;
        let damaged =
            || BackupError::Damaged { file: self.file.clone(), reason: "a part of it does not open".to_owned() };
        let wrong = if first { BackupError::WrongKey } else { damaged() };
        self.at_place(last, |key, place| cipher::open(key, place, sealed)).map_err(|_| wrong)
    }

    fn at_place<T>(&mut self, last: bool, act: impl FnOnce(&SecretKey, &[&str]) -> T) -> T {
        let number = self.number.to_string();
        self.number += 1;
        let place = ["backup", &self.backup, &self.file, &number, if last { "last" } else { "more" }];
        act(&self.key, &place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealing(file: &str) -> Sealing {
        Sealing::new(&SecretKey::new([7; 32]), "b1", file)
    }

    #[test]
    fn chunks_open_in_their_order_in_their_file() {
        let mut writer = sealing("log");
        let (one, two) = (writer.seal(b"one", false), writer.seal(b"two", true));
        let mut reader = sealing("log");
        assert_eq!(reader.open(&one[4..], false).unwrap(), b"one");
        assert_eq!(reader.open(&two[4..], true).unwrap(), b"two");
        assert!(matches!(sealing("log").open(&two[4..], true), Err(BackupError::WrongKey)), "moved");
        assert!(matches!(sealing("vault").open(&one[4..], false), Err(BackupError::WrongKey)), "another file");
        assert!(matches!(sealing("log").open(&one[4..], true), Err(BackupError::WrongKey)), "cut off after it");
    }
}
