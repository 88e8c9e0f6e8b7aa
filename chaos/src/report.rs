//! What was done and counted, as a table.
//!
//! Invariant: everything is counted, nothing estimated; violations follow in full.

use std::fmt::Write as _;

use tandem_cli::output::{grouped, table};

use crate::scenario::Report;

/// The table, and all violations below it.
#[must_use]
pub fn text(reports: &[Report]) -> String {
    let mut shown = table(&[
        "scenario",
        "done",
        ">acknowledged",
        ">retried",
        ">refused",
        ">longest wait",
        ">events",
        ">earnings",
        ">violations",
        ">took",
    ]);
    for report in reports {
        let done: Vec<_> = report.done.iter().map(|(what, times)| format!("{times} × {what}")).collect();
        shown.add_row([
            report.scenario.to_string(),
            done.join(", "),
            grouped(report.counted.acknowledged),
            grouped(report.counted.retried),
            grouped(report.counted.refused),
            format!("{:.1} s, to {}", report.counted.longest.as_secs_f64(), report.counted.longest_write),
            grouped(report.events),
            grouped(report.earned.0),
            grouped(report.violations.len()),
            format!("{:.0} s", report.took.as_secs_f64()),
        ]);
    }
    let mut text = format!("{}\n", shown.trim_fmt());
    for report in reports {
        for violation in &report.violations {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{}: {violation}", report.scenario);
        }
    }
    text
}
