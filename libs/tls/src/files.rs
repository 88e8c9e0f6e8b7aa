//! A value made of files, made anew when they change.
//!
//! Invariant: the value is always of one reading of all its files; what can't be used leaves the last good value in place,
//! and is logged once.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;

/// A file as it was read.
#[derive(PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
}

type Make<T, const N: usize> = Box<dyn Fn(&[File; N]) -> Result<T, Error> + Send + Sync>;

/// A value made of `N` files.
pub(crate) struct Followed<T, const N: usize> {
    paths: [PathBuf; N],
    make: Make<T, N>,
    state: Mutex<State<T, N>>,
}

struct State<T, const N: usize> {
    value: Arc<T>,
    /// What the last look has found, usable or not; an error by its text.
    found: Result<[File; N], String>,
}

impl<T, const N: usize> Followed<T, N> {
    /// Reads the files, which must be usable now. `make` is given them in the order of `paths`.
    pub(crate) fn open(
        paths: [PathBuf; N],
        make: impl Fn(&[File; N]) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let files = read(&paths)?;
        let value = Arc::new(make(&files)?);
        Ok(Self { paths, make: Box::new(make), state: Mutex::new(State { value, found: Ok(files) }) })
    }

    /// The value of the files as they are now, or as they last were usable. To be asked for once a connection: the files
    /// are short, and reading them is little beside a handshake. What they say can be relied on, other than the times of
    /// their changes.
    pub(crate) fn current(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = read(&self.paths).map_err(|error| error.to_string());
        if found == state.found {
            return Arc::clone(&state.value);
        }
        let made = match &found {
            Ok(files) => (self.make)(files).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match made {
            Ok(value) => {
                tracing::info!(files = ?self.paths, "certificates have changed; new connections use the new ones");
                state.value = Arc::new(value);
            }
            Err(error) => tracing::error!(error, "changed certificates can't be used; going on with those read before"),
        }
        state.found = found;
        Arc::clone(&state.value)
    }
}

impl<T, const N: usize> fmt::Debug for Followed<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed").field("paths", &self.paths).finish_non_exhaustive()
    }
}

fn read<const N: usize>(paths: &[PathBuf; N]) -> Result<[File; N], Error> {
    let mut files = std::array::from_fn(|_| File { path: PathBuf::new(), content: Vec::new() });
    for (file, path) in files.iter_mut().zip(paths) {
        let content = std::fs::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        *file = File { path: path.clone(), content };
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of two files, the first of which must not be empty.
    fn follow(folder: &std::path::Path) -> Result<Followed<String, 2>, Error> {
        Followed::open(["a", "b"].map(|name| folder.join(name)), |[a, b]| {
            if a.content.is_empty() {
                return Err(Error::Pem { path: a.path.clone(), expected: "TEXT" });
            }
            Ok(String::from_utf8([&a.content[..], &b.content].concat()).unwrap())
        })
    }

    #[test]
    fn a_change_is_seen_by_the_next_who_asks() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a", "1");
        write("b", "1");
        let followed = follow(folder.path()).unwrap();
        let before = followed.current();
        assert!(Arc::ptr_eq(&before, &followed.current()), "nothing is made anew without a change");
        write("b", "2");
        assert_eq!((before.as_str(), followed.current().as_str()), ("11", "12"));
    }

    #[test]
    fn what_can_not_be_used_leaves_the_last_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a", "1");
        write("b", "1");
        let followed = follow(folder.path()).unwrap();
        write("a", "");
        assert_eq!(*followed.current(), "11");
        std::fs::remove_file(folder.path().join("b")).unwrap();
        assert_eq!(*followed.current(), "11");
        write("a", "2");
        write("b", "2");
        assert_eq!(*followed.current(), "22");
    }

    #[test]
    fn it_does_not_begin_with_what_can_not_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let error = follow(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&folder.path().join("a").display().to_string()), "{error}");
    }
}
