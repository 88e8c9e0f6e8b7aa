//! Clauses about content: what is owed, what it may be used for, and whom it may not be made for.
//!
//! Invariant: days lie within the contract, and categories are of the taxonomy.

use std::collections::HashSet;

use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1::{DeliverableTerm, DeliverablesClause, ExclusivityClause, UsageRightsClause};
use tandem_proto::validation::Path;

use super::{Around, distinct};
use crate::exclusivity::taxonomy::taxonomy;

pub(super) fn deliverables(
    clause: &DeliverablesClause,
    around: &Around<'_>,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) {
    distinct(&clause.categories, "categories", at, wrong);
    taxonomy().check(&clause.categories, at, wrong);
    let mut ids = HashSet::new();
    for (index, deliverable) in clause.deliverables.iter().enumerate() {
        let at = at.item("deliverables", index);
        if !ids.insert(&deliverable.deliverable_id) {
            wrong.push(at.field("deliverable_id").violation("is that of an earlier deliverable: give each its own"));
        }
        days(deliverable, around, &at, wrong);
    }
}

/// The draft is due within the contract and not after the publication.
fn days(deliverable: &DeliverableTerm, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let mut within = |date, field| {
        let at = at.field(field);
        let due = around.header.day(date, &at, wrong)?;
        if let Some((start, end)) = around.header.term.filter(|&(start, end)| !(start..=end).contains(&due)) {
            let description = format!("is {due}, outside the contract: give a day from {start} to {end}");
            wrong.push(at.violation(&description));
            return None;
        }
        Some(due)
    };
    let due = within(deliverable.due_date.as_ref(), "due_date");
    let draft_due = deliverable.draft_due_date.as_ref().and_then(|date| within(Some(date), "draft_due_date"));
    if let (Some(draft_due), Some(due)) = (draft_due, due)
        && draft_due > due
    {
        let description =
            format!("is {draft_due}, after the publication is due on {due}: give that day or an earlier one");
        wrong.push(at.field("draft_due_date").violation(&description));
    }
}

pub(super) fn usage_rights(clause: &UsageRightsClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    match (clause.months, clause.days) {
        (0, 0) => wrong.push(at.violation("has no duration: set months or days")),
        (0, _) | (_, 0) => {}
        (..) => wrong.push(at.violation("has two durations: set either months or days")),
    }
    distinct(&clause.warning_days, "warning_days", at, wrong);
}

pub(super) fn exclusivity(clause: &ExclusivityClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    distinct(&clause.categories, "categories", at, wrong);
    taxonomy().check(&clause.categories, at, wrong);
}
