//! `tandem import`.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Mapping, Progress, Report};
use crate::connection::Connection;
use crate::output::{self, Format, grouped};

/// Exit code when some rows were rejected.
const SOME_REJECTED: u8 = 2;
/// Between two lines of progress where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Import creators from a CSV export
///
/// Rows are sent in batches. A bad row is reported with its line, column and reason, and does not stop the others; what
/// is known already is merged, so that importing a file again changes nothing.
///
/// Exit codes: 0 all rows were taken, 2 some were rejected, 1 the import did not begin or was broken off.
#[derive(clap::Args, Clone, Debug)]
pub struct Import {
    /// The export
    #[arg(value_name = "CSV")]
    file: PathBuf,
    /// Which column means what; see examples/creators-instagram.toml
    #[arg(long, value_name = "TOML")]
    mapping: PathBuf,
    /// Form of the summary
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let name = self.file.display();
        let mapping = Mapping::from_file(&self.mapping)?;
        let file = File::open(&self.file).with_context(|| format!("{name} can't be opened"))?;
        let bytes = file.metadata()?.len();
        let client = self.connection.client()?;
        let started = Instant::now();
        let mut shown = Shown::new(bytes);
        let report = super::run(&client, &mapping, file, |progress| shown.update(progress)).await;
        shown.clear();
        let report = report.map_err(|error| {
            let how_far = if error.may_have_begun() { "was not imported completely" } else { "was not imported" };
            anyhow::Error::from(error).context(format!("{name} {how_far}"))
        })?;
        match self.format {
            Format::Json => output::line(serde_json::to_string_pretty(&report)?)?,
            Format::Text => print(&report, &name.to_string(), started.elapsed())?,
        }
        Ok(if report.rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_REJECTED) })
    }
}

/// The summary to stdout, rejected rows to stderr.
fn print(report: &Report, file: &str, took: Duration) -> std::io::Result<()> {
    for rejection in &report.rejected {
        let column = if rejection.column.is_empty() { String::new() } else { format!("{}: ", rejection.column) };
        eprintln!("{file}:{}: {column}{}", rejection.line, rejection.reason);
    }
    let rate = report.rows as f64 / took.as_secs_f64().max(0.001);
    for (count, what) in [
        (report.rows, &*format!("rows read, {} rows/s", grouped(rate as u64))),
        (report.created, "creators created"),
        (report.repeats, "merged as repeats"),
        (report.updated, "creators updated"),
        (report.unchanged, "creators unchanged"),
        (report.rejected.len() as u64, "rows rejected"),
    ] {
        output::line(format_args!("{:>12}  {what}", grouped(count)))?;
    }
    if report.nothing_changed() && report.taken() > 0 {
        let known = if report.rejected.is_empty() { "all of it" } else { "what was taken of it" };
        output::line(format_args!("nothing changed: {known} was known"))?;
    }
    Ok(())
}

/// Progress on stderr: a bar on a terminal, else a line now and then.
enum Shown {
    Bar(ProgressBar),
    Lines { bytes: u64, last: Instant },
}

impl Shown {
    fn new(bytes: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { bytes, last: Instant::now() };
        }
        let bar = ProgressBar::new(bytes);
        let template = "{bar:40} {percent:>3} %  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::Bar(bar)
    }

    fn update(&mut self, progress: Progress) {
        let Progress { rows, rejected, bytes: done } = progress;
        let text = format!("{} rows, {} rejected", grouped(rows), grouped(rejected));
        match self {
            Self::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(text);
            }
            Self::Lines { bytes, last } if last.elapsed() >= LINE_INTERVAL => {
                *last = Instant::now();
                eprintln!("{text}, {} %", done * 100 / (*bytes).max(1));
            }
            Self::Lines { .. } => {}
        }
    }

    fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
