//! Tokens that someone else keeps fresh in a file, as Kubernetes does with projected service account tokens.
//!
//! Invariant: a token is used for at most the check interval longer than the file holds it, and not once more after a
//! server has refused it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{TokenError, TokenSource};

/// Kubernetes replaces a projected token at 80 % of its life, minutes before it expires; seconds don't matter.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// The token in a file, read again when the file has changed.
pub struct FileToken {
    path: PathBuf,
    check_interval: Duration,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    token: String,
    /// Of the file; none if it must be read again.
    modified: Option<SystemTime>,
    check_at: Instant,
}

impl FileToken {
    /// The token in this file; white space around it is ignored. The file is first read when a token is needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), check_interval: CHECK_INTERVAL, current: Mutex::new(None) }
    }

    /// How often to look whether the file has changed, if a token is needed; 10 seconds if not set.
    #[must_use]
    pub fn check_interval(mut self, interval: Duration) -> Self {
        self.check_interval = interval;
        self
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token to go on with, given the one that was read last. Calls side by side may both read: it does no harm.
    async fn check(&self, kept: Option<Current>) -> Result<Current, TokenError> {
        // The time before the content: if the file is replaced in between, the next check sees a newer time.
        let modified = tokio::fs::metadata(&self.path).await.and_then(|metadata| metadata.modified()).ok();
        let check_at = Instant::now() + self.check_interval;
        let kept = kept.filter(|kept| kept.modified.is_some());
        match kept {
            Some(kept) if kept.modified == modified => Ok(Current { check_at, ..kept }),
            kept => match (read(&self.path).await, kept) {
                (Ok(token), _) => Ok(Current { token, modified, check_at }),
                (Err(error), None) => Err(error),
                // It was good at the last check; a server will say when it no longer is.
                (Err(error), Some(kept)) => {
                    tracing::warn!(%error, "going on with the token read before");
                    Ok(Current { check_at, ..kept })
                }
            },
        }
    }
}

#[async_trait::async_trait]
impl TokenSource for FileToken {
    async fn token(&self) -> Result<String, TokenError> {
        let kept = self.current().clone();
        match kept {
            Some(kept) if Instant::now() < kept.check_at => Ok(kept.token),
            kept => {
                let checked = self.check(kept).await?;
                Ok(self.current().insert(checked).token.clone())
            }
        }
    }

    fn expired(&self, token: &str) {
        // Another request may have had it replaced already.
        if let Some(kept) = self.current().as_mut().filter(|kept| kept.token == token) {
            kept.modified = None;
            kept.check_at = Instant::now();
        }
    }
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
    #[expect(clippy::disallowed_methods, reason = "a file's time is the machine's")]
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
        source.expired("an older one");
        assert_eq!(source.token().await.unwrap(), "first", "it was not this one that was refused");
        source.expired("first");
        assert_eq!(source.token().await.unwrap(), "second");
    }

    #[tokio::test]
    async fn a_file_that_is_gone_leaves_the_token_until_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "first").unwrap();
        let source = FileToken::new(&path).check_interval(Duration::ZERO);
        assert_eq!(source.token().await.unwrap(), "first");

        fs::remove_file(&path).unwrap();
        assert_eq!(source.token().await.unwrap(), "first");
        source.expired("first");
        assert!(matches!(source.token().await, Err(TokenError::File { .. })));
    }

    #[tokio::test]
    async fn the_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let shown = path.display().to_string();
        let error = FileToken::new(&path).token().await.unwrap_err();
        assert!(error.to_string().contains(&shown), "{error}");

        fs::write(&path, " \n").unwrap();
        let error = FileToken::new(&path).token().await.unwrap_err();
        assert!(error.to_string().contains(&shown) && matches!(error, TokenError::Empty { .. }), "{error}");
    }
}
