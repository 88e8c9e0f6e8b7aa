//! What became of the contracts of files.
//!
//! Invariant: every contract is told, with each difference; where nothing was done that is said, too.

use tandem_contracts::render::FieldChange;

use crate::output::{self, Format};

/// As a contract that nothing was to be done for ends.
pub(super) const UNCHANGED: &str = "unchanged";

/// What became of a contract.
pub(super) struct Outcome {
    /// "contracts/{contract}".
    pub(super) name: String,
    /// "created", "unchanged", "amended", "refused"; with "would be" before it in a dry run.
    pub(super) done: String,
    /// In which state it is, or why.
    pub(super) note: String,
    /// What differs between what is there and what the file says.
    pub(super) changes: Vec<FieldChange>,
}

pub(super) fn print(outcomes: &[Outcome], format: Format) -> std::io::Result<()> {
    if format == Format::Json {
        return outcomes.iter().try_for_each(|outcome| output::line(json(outcome)));
    }
    for Outcome { name, done, note, changes } in outcomes {
        output::line(format_args!("{name}: {done}: {note}"))?;
        if !changes.is_empty() {
            let mut table = output::table(&["clause", "what", "now", "in the file"]);
            for FieldChange { clause_id, field, before, after } in changes {
                table.add_row([clause_id, field, before, after]);
            }
            output::print(&table)?;
        }
    }
    if outcomes.iter().all(|outcome| outcome.done == UNCHANGED) && !outcomes.is_empty() {
        output::line("nothing changed: all of it was so")?;
    }
    Ok(())
}

fn json(outcome: &Outcome) -> serde_json::Value {
    let Outcome { name, done, note, changes } = outcome;
    let changes = changes.iter().map(|change| {
        let FieldChange { clause_id, field, before, after } = change;
        serde_json::json!({"clause_id": clause_id, "field": field, "before": before, "after": after})
    });
    let changes: Vec<_> = changes.collect();
    serde_json::json!({"name": name, "outcome": done, "note": note, "changes": changes})
}
