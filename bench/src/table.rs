//! The report as a table for people: for a terminal, and in Markdown for `docs/performance.md`.
//!
//! Invariant: both show the same figures, except that points of the curve are left to the plot in Markdown.

use std::fmt;

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table};

use crate::report::Report;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let figure = |figure: Option<f64>| right(figure.map(short).unwrap_or_default());
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["", "value", "unit", "limit", "ratio", "goal", "met"]);
        for row in &self.rows {
            let met = match row.met {
                None => Cell::new(""),
                Some(true) => Cell::new("yes").fg(Color::Green),
                Some(false) => Cell::new("MISSED").fg(Color::Red).add_attribute(Attribute::Bold),
            };
            let ratio = right(row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default());
            let goal = Cell::new(row.goal.as_deref().unwrap_or_default());
            let (value, limit) = (figure(Some(row.value)), figure(row.limit));
            table.add_row([Cell::new(&row.name), value, Cell::new(row.unit), limit, ratio, goal, met]);
        }
        write!(f, "{table}")
    }
}

/// Displays a report in Markdown.
pub(crate) struct Markdown<'a>(pub(crate) &'a Report);

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | value | limit | ratio | goal | |")?;
        writeln!(f, "|---|---:|---:|---:|---|---|")?;
        for row in self.0.rows.iter().filter(|row| row.offered.is_none()) {
            let unit = if row.unit.starts_with("1/") { &row.unit[1..] } else { &format!(" {}", row.unit) };
            let figure = |figure: Option<f64>| figure.map(|it| short(it) + unit).unwrap_or_default();
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let goal = row.goal.as_deref().unwrap_or_default();
            let met = row.met.map(|met| if met { "met" } else { "missed" }).unwrap_or_default();
            let (value, limit) = (figure(Some(row.value)), figure(row.limit));
            writeln!(f, "| {} | {value} | {limit} | {ratio} | {goal} | {met} |", row.name)?;
        }
        Ok(())
    }
}

/// With three digits or so: the rest is noise.
fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Goal, Row};

    #[test]
    fn markdown_has_a_line_for_each_row_but_the_points_of_the_curve() {
        let mut report = Report::default();
        report.add(Row::new("rate", "1/s", &[80.0]).beside(&[80.0], &[100.0]).goal(Goal::AtLeast(0.9)));
        report.add(Row::new("ready", "s", &[0.5]).goal(Goal::AtMost(1.0)));
        report.add(Row::new("at 10 %", "µs", &[300.0]).offered(1000.0));
        let lines = "| | value | limit | ratio | goal | |\n\
                     |---|---:|---:|---:|---|---|\n\
                     | rate | 80.0/s | 100/s | 0.80 | >= 0.9 | missed |\n\
                     | ready | 0.50 s |  |  | <= 1 | met |\n";
        assert_eq!(Markdown(&report).to_string(), lines);
    }
}
