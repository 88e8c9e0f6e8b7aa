//! Who runs the server.
//!
//! Invariant: never root, as which PostgreSQL refuses to run.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use crate::StartError;

/// A user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: u32,
    pub(crate) group: u32,
}

impl User {
    /// Whom to run the server as, if that is not whoever runs this.
    pub(crate) fn unprivileged() -> Result<Option<Self>, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        users.lines().find_map(Self::parse_nobody).map(Some).ok_or(StartError::NoUser)
    }

    /// `nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin`.
    fn parse_nobody(line: &str) -> Option<Self> {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        let (id, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { id, group })
    }
}

/// Lets the user own a directory.
pub(crate) fn give(directory: &Path, user: Option<User>) -> std::io::Result<()> {
    match user {
        Some(user) if std::fs::metadata(directory)?.uid() != user.id => {
            chown(directory, Some(user.id), Some(user.group))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_found_among_users() {
        let found = User::parse_nobody("nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin");
        assert_eq!(found, Some(User { id: 65534, group: 65533 }));
        assert_eq!(User::parse_nobody("root:x:0:0:root:/root:/bin/bash"), None);
        assert_eq!(User::parse_nobody("nobody:x:-2:-2::/:"), None);
    }
}
