//! Which `nats-server` is run: the one asked for, else the project's own, else the system's.
//!
//! Invariant: only a version that can do atomic batches (2.12 or later) is answered.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::StartError;

const NAME: &str = "nats-server";
const OLDEST: (u32, u32) = (2, 12);

/// The binary to run: `explicit`, else `TANDEM_NATS_SERVER`, else `.tools/nats-server` here or in an ancestor, else the
/// PATH. One that was asked for by name is not silently replaced by another.
pub(crate) async fn find(explicit: Option<&Path>) -> Result<PathBuf, StartError> {
    let named = explicit.map(Path::to_owned).or_else(|| std::env::var_os("TANDEM_NATS_SERVER").map(PathBuf::from));
    let candidates = match named {
        Some(path) => vec![path],
        None => tools().into_iter().chain(on_path()).collect(),
    };
    let mut searched = Vec::new();
    for candidate in candidates {
        match version(&candidate).await {
            Ok(version) if version >= OLDEST => return Ok(candidate),
            Ok((major, minor)) => searched.push(format!("{} is {major}.{minor}", candidate.display())),
            Err(reason) => searched.push(format!("{}: {reason}", candidate.display())),
        }
    }
    if searched.is_empty() {
        searched.push("neither .tools/nats-server here or above, nor on the PATH".to_owned());
    }
    Err(StartError::NoBinary { searched: searched.join("; ") })
}

fn tools() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|directory| directory.join(".tools").join(NAME)).find(|path| path.is_file())
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|directory| directory.join(NAME)).filter(|path| path.is_file()).collect()
}

async fn version(binary: &Path) -> Result<(u32, u32), String> {
    let output = Command::new(binary).arg("--version").output().await.map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| format!("--version says {:?}", text.trim()))
}

/// Major and minor out of `nats-server: v2.15.1`.
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("nats-server: v")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(parse("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse("nats-server: v2.12.0-RC.1"), Some((2, 12)));
        assert_eq!(parse("something else 2.15.1"), None);
    }

    #[tokio::test]
    async fn a_missing_binary_is_named_with_the_remedy() {
        let error = find(Some(Path::new("/nowhere/nats-server"))).await.unwrap_err().to_string();
        assert!(error.contains("/nowhere/nats-server"), "{error}");
        assert!(error.contains("./justw tools"), "{error}");
    }

    #[tokio::test]
    async fn what_is_not_a_nats_server_is_refused() {
        let error = find(Some(Path::new("/bin/echo"))).await.unwrap_err();
        assert!(matches!(error, StartError::NoBinary { .. }), "{error}");
    }
}
