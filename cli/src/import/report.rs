//! What became of the rows.
//!
//! Invariant: rows = created + updated + unchanged + repeats + rejected; the order of answers does not matter.

use std::collections::HashMap;

use serde::Serialize;
use tandem_proto::creators::v1::{ImportCreatorResult, ImportOutcome};

use super::rows::Layout;

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Line of the file on which the record begins, from 1.
    pub line: u64,
    /// Header of the column at fault; empty if it is the whole row.
    pub column: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows read, without the header line.
    pub rows: u64,
    /// Creators that were not known before.
    pub created: u64,
    /// Creators known before, of whom the file told something new.
    pub updated: u64,
    /// Creators known before, of whom the file told nothing new.
    pub unchanged: u64,
    /// Rows about a creator of whom this file had a row already; they were merged with that.
    pub repeats: u64,
    /// Rows that were not taken, in the order of the file.
    pub rejected: Vec<Rejection>,
}

impl Report {
    /// Rows taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.rows - self.rejected.len() as u64
    }

    /// Whether all that the file tells was known before.
    #[must_use]
    pub fn nothing_changed(&self) -> bool {
        self.created == 0 && self.updated == 0
    }
}

/// Counts answers.
#[derive(Default)]
pub(super) struct Tally {
    /// Rows answered for.
    pub rows: u64,
    /// What happened to each creator, over all rows about them.
    creators: HashMap<String, Change>,
    rejected: Vec<Rejection>,
}

/// From little to much: the most that happened to a creator is what happened to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Nothing,
    Updated,
    Created,
}

impl Tally {
    pub(super) fn rejected(&mut self, rejection: Rejection) {
        self.rows += 1;
        self.rejected.push(rejection);
    }

    pub(super) fn answered(&mut self, line: u64, result: ImportCreatorResult, layout: &Layout) {
        let change = match result.outcome() {
            ImportOutcome::Created => Change::Created,
            ImportOutcome::Updated => Change::Updated,
            ImportOutcome::Unchanged => Change::Nothing,
            ImportOutcome::Rejected | ImportOutcome::Unspecified => {
                let column = layout.column_of(&result.field);
                return self.rejected(Rejection { line, column, reason: result.message });
            }
        };
        self.rows += 1;
        self.creators.entry(result.creator).and_modify(|most| *most = change.max(*most)).or_insert(change);
    }

    /// Whether any row was taken.
    pub(super) fn taken(&self) -> bool {
        !self.creators.is_empty()
    }

    pub(super) fn rejected_count(&self) -> u64 {
        self.rejected.len() as u64
    }

    pub(super) fn report(self) -> Report {
        let Self { rows, creators, mut rejected } = self;
        rejected.sort_by_key(|rejection| rejection.line);
        let of = |change| creators.values().filter(|most| **most == change).count() as u64;
        Report {
            rows,
            created: of(Change::Created),
            updated: of(Change::Updated),
            unchanged: of(Change::Nothing),
            repeats: rows - rejected.len() as u64 - creators.len() as u64,
            rejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Mapping, Rows};

    fn answer(outcome: ImportOutcome, creator: &str) -> ImportCreatorResult {
        ImportCreatorResult { outcome: outcome.into(), creator: creator.into(), ..Default::default() }
    }

    #[test]
    fn every_row_is_counted_once_whatever_the_order_of_answers() {
        let mapping = "[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"Handle\"\n\
            followers = \"Fans\"";
        let rows = Rows::open("Handle,Fans\n".as_bytes(), &Mapping::from_toml(mapping).unwrap()).unwrap();
        let rejected = ImportCreatorResult {
            outcome: ImportOutcome::Rejected.into(),
            field: "figures.followers".into(),
            message: "must be 0 or more".into(),
            ..Default::default()
        };
        let mut answers = vec![
            (2, answer(ImportOutcome::Updated, "creators/new")),
            (3, answer(ImportOutcome::Created, "creators/new")),
            (4, answer(ImportOutcome::Unchanged, "creators/old")),
            (5, answer(ImportOutcome::Updated, "creators/old")),
            (6, answer(ImportOutcome::Unchanged, "creators/same")),
            (7, rejected),
        ];
        let rejection = Rejection { line: 7, column: "Fans".into(), reason: "must be 0 or more".into() };
        let first = Rejection { line: 1, ..rejection.clone() };
        for _ in 0..2 {
            let mut tally = Tally::default();
            for (line, result) in answers.clone() {
                tally.answered(line, result, rows.layout());
            }
            tally.rejected(first.clone());
            let report = tally.report();
            let expected = Report {
                rows: 7,
                created: 1,
                updated: 1,
                unchanged: 1,
                repeats: 2,
                rejected: vec![first.clone(), rejection.clone()],
            };
            assert_eq!(report, expected);
            answers.reverse();
        }
    }
}
