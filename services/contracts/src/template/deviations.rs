//! Where terms deviate from the template that they were drafted from.
//!
//! Invariant: however many rounds it took, the deviations are those of a draft made with the terms as they are.

use tandem_proto::contracts::v1::{Clause, ClauseChange, Terms};

use crate::terms::clause_changes;

/// Where clauses deviate from a template's: first those that they have, in their order, then those that they lack, by id.
#[must_use]
pub fn deviations(template: &[Clause], clauses: &[Clause]) -> Vec<ClauseChange> {
    let mut deviations = clause_changes(template, clauses);
    let kept = deviations.iter().take_while(|deviation| deviation.after.is_some()).count();
    if let Some(lacked) = deviations.get_mut(kept..) {
        lacked.sort_by(|a, b| a.clause_id.cmp(&b.clause_id));
    }
    deviations
}

/// The deviations of terms that replace others, whose deviations are known: these tell what the template says.
#[must_use]
pub fn deviations_after(before: &Terms, known: &[ClauseChange], after: &Terms) -> Vec<ClauseChange> {
    let kept =
        before.clauses.iter().filter(|clause| known.iter().all(|deviation| deviation.clause_id != clause.clause_id));
    let differing = known.iter().filter_map(|deviation| deviation.before.as_ref());
    let template: Vec<Clause> = kept.chain(differing).cloned().collect();
    deviations(&template, &after.clauses)
}
