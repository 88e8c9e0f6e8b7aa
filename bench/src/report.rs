//! What was measured, for programs as `report.json`. For people: see [`crate::table`].
//!
//! Invariant: value, limit and ratio of a row are medians over the same rounds; the ratio is that of each round, so
//! that a machine which slows down for some of them spoils none.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::plot::Plot;

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
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What the value could be at best.
    pub(crate) limit: Option<f64>,
    /// Value to limit.
    pub(crate) ratio: Option<f64>,
    /// Of the ratio or, without a limit, of the value.
    pub(crate) goal: Option<String>,
    pub(crate) met: Option<bool>,
    /// Calls a second that were offered, if the row is a point of the curve of latency against load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offered: Option<f64>,
}

impl Row {
    /// The median of some rounds.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, rounds: &[f64]) -> Self {
        let value = median(rounds);
        Self { name: name.into(), value, unit, limit: None, ratio: None, goal: None, met: None, offered: None }
    }

    /// Beside a limit that was measured in the same rounds.
    pub(crate) fn beside(mut self, rounds: &[f64], limits: &[f64]) -> Self {
        let ratios: Vec<f64> = rounds.iter().zip(limits).map(|(value, limit)| value / limit).collect();
        self.limit = Some(median(limits));
        self.ratio = Some(median(&ratios));
        self
    }

    /// A point of the curve of latency against load.
    pub(crate) fn offered(mut self, rate: f64) -> Self {
        self.offered = Some(rate);
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal.to_string());
        self.met = Some(goal.met(self.ratio.unwrap_or(self.value)));
        self
    }
}

/// All rows, and the curve of latency against load if it was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    plot: Option<Plot>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn plot(&mut self, plot: Plot) {
        self.plot = Some(plot);
    }

    pub(crate) fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.met != Some(false))
    }

    /// Writes `bench/report.json` in the folder that the build is in and, if latency against load was measured, the plot
    /// of it beside that, or where `plot` says. Answers what it has written.
    pub(crate) fn write(&self, plot: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
        let program = std::env::current_exe()?;
        let folder = program.ancestors().nth(2).context("the program is in no target folder")?.join("bench");
        std::fs::create_dir_all(&folder)?;
        let mut written = vec![folder.join("report.json")];
        std::fs::write(&written[0], serde_json::to_vec_pretty(&self.rows)?)?;
        if let Some(drawn) = &self.plot {
            let file = plot.map_or_else(|| folder.join("latency.svg"), Path::to_owned);
            std::fs::write(&file, drawn.svg()).with_context(|| file.display().to_string())?;
            written.push(file);
        }
        Ok(written)
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
