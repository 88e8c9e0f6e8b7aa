//! The clauses of terms: each by its own rules, then all of them together.
//!
//! Invariant: a clause kind without rules here is one whose rules all stand in the proto file; the match is exhaustive,
//! so a new kind does not compile before that is decided.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use tandem_money::Money;
use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{Clause, DeliverablesClause, FeeClause, KillFeeClause, Milestone, UsageRightsClause};
use tandem_proto::validation::Path;

use super::header::{Header, day, violation};

/// The whole in basis points.
const WHOLE: i32 = 10_000;

pub(super) fn check(clauses: &[Clause], header: &Header, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let mut ids = HashSet::new();
    let mut singletons: HashSet<Discriminant<Kind>> = HashSet::new();
    let delivers = clauses.iter().any(|clause| matches!(clause.clause, Some(Kind::Deliverables(_))));
    for (index, clause) in clauses.iter().enumerate() {
        let at = at.item("clauses", index);
        if !ids.insert(&clause.clause_id) {
            wrong.push(at.field("clause_id").violation("is that of an earlier clause: give each its own"));
        }
        let Some(kind) = &clause.clause else { continue };
        let several = matches!(kind, Kind::UsageRights(_) | Kind::Exclusivity(_) | Kind::Bonus(_));
        if !several && !singletons.insert(discriminant(kind)) {
            wrong.push(at.violation("is of a kind that stands earlier already: make one clause of them"));
        }
        match kind {
            Kind::Deliverables(clause) => deliverables(clause, header, &at.field("deliverables"), wrong),
            Kind::Fee(clause) => fee(clause, header, delivers, &at.field("fee"), wrong),
            Kind::UsageRights(clause) => usage_rights(clause, &at.field("usage_rights"), wrong),
            Kind::KillFee(clause) => kill_fee(clause, &at.field("kill_fee"), wrong),
            Kind::Commission(_)
            | Kind::PaymentTerms(_)
            | Kind::Review(_)
            | Kind::Exclusivity(_)
            | Kind::Disclosure(_)
            | Kind::AiLikeness(_)
            | Kind::Morality(_)
            | Kind::Renewal(_)
            | Kind::PerDeliverableFee(_)
            | Kind::ProductValue(_)
            | Kind::Bonus(_)
            | Kind::RevenueShare(_)
            | Kind::Holdback(_)
            | Kind::Expenses(_)
            | Kind::Termination(_)
            | Kind::Amendment(_)
            | Kind::GoverningLaw(_) => {}
        }
    }
}

fn deliverables(clause: &DeliverablesClause, header: &Header, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let mut ids = HashSet::new();
    for (index, deliverable) in clause.deliverables.iter().enumerate() {
        let at = at.item("deliverables", index);
        if !ids.insert(&deliverable.deliverable_id) {
            wrong.push(at.field("deliverable_id").violation("is that of an earlier deliverable: give each its own"));
        }
        let due = day(deliverable.due_date.as_ref(), &at.field("due_date"), wrong);
        if let (Some(due), Some((start, end))) = (due, header.term)
            && !(start..=end).contains(&due)
        {
            let description = format!("is {due}, outside the contract: give a day from {start} to {end}");
            wrong.push(at.field("due_date").violation(&description));
        }
    }
}

fn fee(clause: &FeeClause, header: &Header, delivers: bool, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let at_amount = at.field("amount");
    match clause.amount.as_ref().map(Money::try_from) {
        None => wrong.push(at_amount.violation("is required")),
        Some(Err(error)) => wrong.push(violation(&at_amount, error)),
        Some(Ok(amount)) => {
            if !amount.is_positive() {
                wrong.push(at_amount.violation("must be more than nothing: leave the clause out where no fee is paid"));
            }
            if let Some(currency) = header.currency.filter(|currency| *currency != amount.currency()) {
                let description = format!("is in {}, the terms in {currency}: use one currency", amount.currency());
                wrong.push(at_amount.violation(&description));
            }
        }
    }
    let shares: i32 = clause.instalments.iter().map(|instalment| instalment.share_basis_points).sum();
    if shares != WHOLE {
        let description = format!("make up {shares} basis points: their shares must make up {WHOLE}");
        wrong.push(at.field("instalments").violation(&description));
    }
    for (index, instalment) in clause.instalments.iter().enumerate() {
        if instalment.milestone() == Milestone::Publication && !delivers {
            let at = at.item("instalments", index);
            let description = "waits for a publication that nobody owes: add a deliverables clause";
            wrong.push(at.field("milestone").violation(description));
        }
    }
}

fn usage_rights(clause: &UsageRightsClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    match (clause.months, clause.days) {
        (0, 0) => wrong.push(at.violation("has no duration: set months or days")),
        (0, _) | (_, 0) => {}
        (..) => wrong.push(at.violation("has two durations: set either months or days")),
    }
}

fn kill_fee(clause: &KillFeeClause, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    for (index, pair) in clause.steps.windows(2).enumerate() {
        let at = at.item("steps", index + 1);
        let [before, step] = pair else { continue };
        if step.progress <= before.progress {
            wrong.push(at.field("progress").violation("must be further than that of the step before: sort the steps"));
        }
        if step.share_basis_points < before.share_basis_points {
            let description = "must not be less than that of the step before: more work never earns less";
            wrong.push(at.field("share_basis_points").violation(description));
        }
    }
}
