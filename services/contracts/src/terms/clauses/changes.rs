//! Clauses about how a contract goes on, changes and ends, and under whose law.
//!
//! Invariant: what a clause grants is granted to a party once and about clauses that exist.

use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{AmendmentClause, GoverningLawClause, RenewalClause, TerminationClause};
use tandem_proto::validation::Path;

use super::{Around, distinct};

pub(super) fn renewal(clause: &RenewalClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    distinct(&clause.warning_days, "warning_days", at, wrong);
}

pub(super) fn termination(clause: &TerminationClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    distinct(&clause.convenience_parties, "convenience_parties", at, wrong);
}

pub(super) fn amendment(clause: &AmendmentClause, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    distinct(&clause.replacing_parties, "replacing_parties", at, wrong);
    distinct(&clause.replaceable_clause_ids, "replaceable_clause_ids", at, wrong);
    for (index, id) in clause.replaceable_clause_ids.iter().enumerate() {
        let at = at.item("replaceable_clause_ids", index);
        match around.clauses.iter().find(|clause| clause.clause_id == *id) {
            None => wrong.push(at.violation("is not a clause of these terms: give the id of one")),
            // Whoever may replace what they are granted is granted everything.
            Some(other) if matches!(other.clause, Some(Kind::Amendment(_))) => {
                wrong.push(at.violation("is the clause that grants it: let that be changed by both alone"));
            }
            Some(_) => {}
        }
    }
}

pub(super) fn governing_law(clause: &GoverningLawClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let GoverningLawClause { country_code, subdivision_code } = clause;
    if !subdivision_code.is_empty() && subdivision_code.split('-').next() != Some(country_code) {
        let description = format!("is not a part of {country_code}: give one of that country, or none");
        wrong.push(at.field("subdivision_code").violation(&description));
    }
}
