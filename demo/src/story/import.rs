//! Two exports are imported, each by its own mapping, and one of them once more.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use tandem_cli::import::{self, Mapping, Report};
use tandem_cli::output::{grouped, table};
use tandem_client::Service;

use super::heading;
use crate::cast::Person;
use crate::world::World;

pub(super) async fn tell(world: &mut World<'_>) -> anyhow::Result<()> {
    heading(1, "Import: two creator exports");
    world.at("2026-06-01T09:00:00Z")?;
    let mut shown = table(&["export", ">rows", ">created", ">repeats merged", ">unchanged", ">rejected", ">rows/s"]);

    let instagram = import(world, "creators-instagram", &mut shown).await?;
    ensure!(
        (instagram.rows, instagram.created, instagram.repeats, instagram.taken()) == (1050, 983, 67, 1050),
        "not 983 creators of 1,050 rows: {instagram:?}"
    );
    let tiktok = import(world, "creators-tiktok", &mut shown).await?;
    ensure!(
        (tiktok.rows, tiktok.created, tiktok.repeats) == (1000, 996, 4),
        "not 996 creators of 1,000 rows: {tiktok:?}"
    );
    let again = import(world, "creators-instagram", &mut shown).await?;
    ensure!(again.nothing_changed() && again.taken() == 1050, "importing again changed something: {again:?}");
    println!("{}", shown.trim_fmt());
    println!("The second import of the same file changed nothing.");
    Ok(())
}

async fn import(world: &mut World<'_>, export: &str, shown: &mut comfy_table::Table) -> anyhow::Result<Report> {
    let mapping = Mapping::from_file(&example(&format!("{export}.toml")))?;
    let path = example(&format!("{export}-2022-09.csv"));
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let length = file.metadata()?.len();
    let started = Instant::now();
    let bar = indicatif::ProgressBar::new(length).with_message(export.to_owned());
    bar.set_style(indicatif::ProgressStyle::with_template("{msg} {wide_bar} {percent} %")?);
    let report = world
        .writes(&Person::Maria, Service::Creators, async |client| {
            Ok(import::run(&client, &mapping, file, |progress| bar.set_position(progress.bytes)).await?)
        })
        .await?;
    bar.finish_and_clear();
    let rate = u128::from(report.rows) * 1000 / started.elapsed().as_millis().max(1);
    shown.add_row([
        export.to_owned(),
        grouped(report.rows),
        grouped(report.created),
        grouped(report.repeats),
        grouped(report.unchanged),
        grouped(report.rejected.len()),
        grouped(rate),
    ]);
    for rejection in &report.rejected {
        println!("  line {}, {}: {}", rejection.line, rejection.column, rejection.reason);
    }
    Ok(report)
}

/// A file of `examples/`.
pub(super) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}
