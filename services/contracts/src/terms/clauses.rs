//! The clauses of terms: each by its own rules, then all of them together.
//!
//! Invariant: a clause kind without rules here is one whose rules all stand in the proto file; the match is exhaustive,
//! so a new kind does not compile before that is decided.

mod changes;
mod content;
mod money;
mod pay;

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{Clause, ContentType};
use tandem_proto::validation::Path;

use super::header::Header;

/// What a clause is checked against: the terms around it.
struct Around<'a> {
    header: &'a Header,
    clauses: &'a [Clause],
}

impl Around<'_> {
    fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.clauses.iter().filter_map(|clause| clause.clause.as_ref())
    }

    /// What kinds of content are owed; nothing is if there are none.
    fn content(&self) -> impl Iterator<Item = ContentType> {
        let owed = self.kinds().filter_map(|kind| match kind {
            Kind::Deliverables(clause) => Some(&clause.deliverables),
            _ => None,
        });
        owed.flatten().map(|deliverable| deliverable.content_type())
    }
}

pub(super) fn check(clauses: &[Clause], header: &Header, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let around = Around { header, clauses };
    let mut ids = HashSet::new();
    let mut singletons: HashSet<Discriminant<Kind>> = HashSet::new();
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
            Kind::Deliverables(clause) => content::deliverables(clause, &around, &at.field("deliverables"), wrong),
            Kind::UsageRights(clause) => content::usage_rights(clause, &at.field("usage_rights"), wrong),
            Kind::Exclusivity(clause) => content::exclusivity(clause, &at.field("exclusivity"), wrong),
            Kind::Fee(clause) => pay::fee(clause, &around, &at.field("fee"), wrong),
            Kind::Commission(clause) => pay::commission(clause, &around, &at.field("commission"), wrong),
            Kind::PerDeliverableFee(clause) => {
                pay::per_deliverable_fee(clause, &around, &at.field("per_deliverable_fee"), wrong);
            }
            Kind::ProductValue(clause) => pay::product_value(clause, &around, &at.field("product_value"), wrong),
            Kind::Bonus(clause) => pay::bonus(clause, &around, &at.field("bonus"), wrong),
            Kind::Holdback(_) => pay::holdback(&around, &at.field("holdback"), wrong),
            Kind::Expenses(clause) => pay::expenses(clause, &around, &at.field("expenses"), wrong),
            Kind::KillFee(clause) => pay::kill_fee(clause, &around, &at.field("kill_fee"), wrong),
            Kind::PaymentTerms(clause) => pay::payment_terms(clause, &around, &at.field("payment_terms"), wrong),
            Kind::Renewal(clause) => changes::renewal(clause, &at.field("renewal"), wrong),
            Kind::Termination(clause) => changes::termination(clause, &at.field("termination"), wrong),
            Kind::Amendment(clause) => changes::amendment(clause, &around, &at.field("amendment"), wrong),
            Kind::GoverningLaw(clause) => changes::governing_law(clause, &at.field("governing_law"), wrong),
            Kind::Review(_) | Kind::Disclosure(_) | Kind::AiLikeness(_) | Kind::Morality(_) | Kind::RevenueShare(_) => {
            }
        }
    }
}

/// Each of a list stands in it once.
fn distinct<T: Eq + std::hash::Hash>(list: &[T], field: &'static str, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let mut seen = HashSet::new();
    for (index, item) in list.iter().enumerate() {
        if !seen.insert(item) {
            wrong.push(at.item(field, index).violation("stands earlier already: name each once"));
        }
    }
}
