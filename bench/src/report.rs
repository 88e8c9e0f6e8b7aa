//! What was measured, as a table for people and as `target/bench/report.json` for programs.
//!
//! Invariant: value, limit and ratio of a row are medians over the same rounds; the ratio is that of each round, so
//! that a machine which slows down for some of them spoils none.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context as _;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table};
use serde::Serialize;

/// What is wanted of a row's ratio or, if it has no limit, of its value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(goal) => figure >= goal,
            Self::AtMost(goal) => figure <= goal,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(goal) => write!(f, ">= {goal}"),
            Self::AtMost(goal) => write!(f, "<= {goal}"),
        }
    }
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    /// What the value could be at best.
    limit: Option<f64>,
    /// Value to limit.
    ratio: Option<f64>,
    /// Of the ratio or, without a limit, of the value.
    goal: Option<String>,
    met: Option<bool>,
}

impl Row {
    /// The median of some rounds.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, rounds: &[f64]) -> Self {
        let value = median(rounds);
        Self { name: name.into(), value, unit, limit: None, ratio: None, goal: None, met: None }
    }

    /// Beside a limit that was measured in the same rounds.
    pub(crate) fn beside(mut self, rounds: &[f64], limits: &[f64]) -> Self {
        let ratios: Vec<f64> = rounds.iter().zip(limits).map(|(value, limit)| value / limit).collect();
        self.limit = Some(median(limits));
        self.ratio = Some(median(&ratios));
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal.to_string());
        self.met = Some(goal.met(self.ratio.unwrap_or(self.value)));
        self
    }
}

/// All rows.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    pub(crate) fn all_met(&self) -> bool {
        self.0.iter().all(|row| row.met != Some(false))
    }

    /// Writes `bench/report.json` in the folder that the build is in, and answers its path.
    pub(crate) fn write(&self) -> anyhow::Result<PathBuf> {
        let program = std::env::current_exe()?;
        let folder = program.ancestors().nth(2).context("the program is in no target folder")?.join("bench");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("report.json");
        std::fs::write(&file, serde_json::to_vec_pretty(self)?)?;
        Ok(file)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let figure = |figure: Option<f64>| right(figure.map(short).unwrap_or_default());
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["", "value", "unit", "limit", "ratio", "goal", "met"]);
        for row in &self.0 {
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

/// Of an empty list nothing: NaN, which meets no goal.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => f64::NAN,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(sorted[middle - 1], *upper),
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

    #[test]
    fn the_middle_of_odd_and_even_rounds() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_slow_round_spoils_no_ratio() {
        let (values, limits) = ([50.0, 5.0, 52.0], [100.0, 10.0, 100.0]);
        let row = Row::new("x", "1/s", &values).beside(&values, &limits).goal(Goal::AtLeast(0.5));
        assert_eq!((row.value, row.limit, row.ratio, row.met), (50.0, Some(100.0), Some(0.5), Some(true)));
    }

    #[test]
    fn a_goal_without_a_limit_is_of_the_value() {
        let up = |seconds| Row::new("up", "s", &[seconds]).goal(Goal::AtMost(3.0)).met;
        assert_eq!((up(2.0), up(3.5), up(f64::NAN)), (Some(true), Some(false), Some(false)));
    }
}
