//! Importing the real exports through the API, as `tandem creators import` does.
//!
//! Invariant: every round imports into a tenant of its own, who knows none of the creators.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use tandem_cli::import::{self, Mapping};
use tandem_cli::platform::{Options, Platform};
use tempfile::TempDir;

use crate::effort::Effort;
use crate::report::{Goal, Report, Row};

const RATE: Goal = Goal::AtLeast(5000.0);
/// An export and what its columns mean.
const EXPORTS: [(&str, &str); 2] = [
    ("creators-instagram-2022-09.csv", "creators-instagram.toml"),
    ("creators-tiktok-2022-09.csv", "creators-tiktok.toml"),
];

pub(crate) async fn measure(effort: Effort, report: &mut Report) -> anyhow::Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folder = TempDir::new()?;
    let platform = Platform::start_in_process(Options::ephemeral(folder.path())).await?;
    let mut rates = Vec::new();
    // The first round warms up, and is forgotten.
    for round in 0..=effort.pick(3, 7) {
        let rate = rate(&platform, &format!("tenant{round}"), &examples).await?;
        if round > 0 {
            rates.push(rate);
        }
    }
    platform.stop().await?;
    report.add(Row::new("import of the exports", "rows/s", &rates).goal(RATE));
    Ok(())
}

/// Rows a second over both files, reading and mapping them included.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
async fn rate(platform: &Platform, tenant: &str, examples: &Path) -> anyhow::Result<f64> {
    let client = platform.client(tenant)?;
    let (began, mut rows) = (Instant::now(), 0);
    for (export, mapping) in EXPORTS {
        let (export, mapping): (PathBuf, _) = (examples.join(export), Mapping::from_file(&examples.join(mapping))?);
        let file = File::open(&export).with_context(|| export.display().to_string())?;
        let imported = import::run(&client, &mapping, file, |_| {}).await?;
        ensure!(imported.created + imported.updated > 900, "{imported:?}");
        rows += imported.rows;
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}
