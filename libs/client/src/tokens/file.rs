//! Tokens that someone else keeps fresh in a file, as Kubernetes does with projected service account tokens.
//!
//! Invariant: a token that the file no longer holds is used for at most the check interval.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;

use super::{TokenError, TokenSource};

/// Kubernetes replaces a projected token at 80 % of its life, minutes before it expires; seconds don't matter.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// The token in a file, read again when the file has changed.
pub struct FileToken {
    path: PathBuf,
    check_interval: Duration,
    current: Mutex<Option<Current>>,
    refused: std::sync::atomic::AtomicBool,
}

struct Current {
    token: String,
    modified: Option<SystemTime>,
    checked: Instant,
}

impl FileToken {
    /// The token in this file; white space around it is ignored. The file is first read when a token is needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            check_interval: CHECK_INTERVAL,
            current: Mutex::new(None),
            refused: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// How often to look whether the file has changed, if a token is needed; 10 seconds if not set.
    #[must_use]
    pub fn check_interval(mut self, interval: Duration) -> Self {
        self.check_interval = interval;
        self
    }
}

#[async_trait::async_trait]
impl TokenSource for FileToken {
    async fn token(&self) -> Result<String, TokenError> {
        let mut current = self.current.lock().await;
        let refused = self.refused.swap(false, std::sync::atomic::Ordering::AcqRel);
        if let Some(kept) = &mut *current
            && !refused
        {
            if kept.checked.elapsed() < self.check_interval {
                return Ok(kept.token.clone());
            }
            if kept.modified.is_some() && kept.modified == modified(&self.path).await {
                kept.checked = Instant::now();
                return Ok(kept.token.clone());
            }
        }
        // The time before the content: if it is replaced in between, the next check sees a newer time.
        let (modified, checked) = (modified(&self.path).await, Instant::now());
        let token = read(&self.path).await?;
        *current = Some(Current { token: token.clone(), modified, checked });
        Ok(token)
    }

    fn expired(&self, _token: &str) {
        self.refused.store(true, std::sync::atomic::Ordering::Release);
    }
}

async fn modified(path: &Path) -> Option<SystemTime> {
    tokio::fs::metadata(path).await.and_then(|metadata| metadata.modified()).ok()
}

async fn read(path: &Path) -> Result<String, TokenError> {
    let display = || path.display().to_string();
    let text = tokio::fs::read_to_string(path).await.map_err(|source| TokenError::File { path: display(), source })?;
    match text.trim() {
        "" => Err(TokenError::Empty { path: display() }),
        token => Ok(token.to_owned()),
    }
}

impl fmt::Debug for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileToken").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_replaced_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first\n").unwrap();
        let source = FileToken::new(&path).check_interval(Duration::ZERO);
        assert_eq!(source.token().await.unwrap(), "first");

        fs::write(&path, "second\n").unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(source.token().await.unwrap(), "second");
    }

    #[tokio::test]
    async fn a_refused_token_is_read_again_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first").unwrap();
        let source = FileToken::new(&path);
        assert_eq!(source.token().await.unwrap(), "first");

        fs::write(&path, "second").unwrap();
        assert_eq!(source.token().await.unwrap(), "first", "within the check interval");
        source.expired("first");
        assert_eq!(source.token().await.unwrap(), "second");
    }

    #[tokio::test]
    async fn the_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        let error = FileToken::new(&path).token().await.unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
