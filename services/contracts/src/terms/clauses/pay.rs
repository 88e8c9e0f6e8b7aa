//! Clauses about money.
//!
//! Invariant: what a clause pays for is owed by another clause, or happens without one.

use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    BonusClause, CommissionClause, ContentType, ExpensesClause, FeeClause, KillFeeClause, Metric, Milestone,
    PaymentTermsClause, PerDeliverableFeeClause, ProductValueClause,
};
use tandem_proto::validation::Path;

use super::{Around, money};

/// The whole in basis points.
const WHOLE: i32 = 10_000;

pub(super) fn fee(clause: &FeeClause, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let none = "leave the clause out where no fee is paid";
    money::required(clause.amount.as_ref(), none, around.header, &at.field("amount"), wrong);
    let shares: i32 = clause.instalments.iter().map(|instalment| instalment.share_basis_points).sum();
    if shares != WHOLE {
        let description = format!("make up {shares} basis points: their shares must make up {WHOLE}");
        wrong.push(at.field("instalments").violation(&description));
    }
    for (index, instalment) in clause.instalments.iter().enumerate() {
        if instalment.milestone() == Milestone::Publication && around.content().next().is_none() {
            let at = at.item("instalments", index);
            let description = "waits for a publication that nobody owes: add a deliverables clause";
            wrong.push(at.field("milestone").violation(description));
        }
    }
}

pub(super) fn commission(
    clause: &CommissionClause,
    around: &Around<'_>,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) {
    let mut before = None;
    for (index, tier) in clause.tiers.iter().enumerate() {
        let at = at.item("tiers", index);
        let at = at.field("from_amount");
        let none = "the clause's own rate applies from there";
        let from = money::required(tier.from_amount.as_ref(), none, around.header, &at, wrong);
        if let (Some(before), Some(from)) = (before, from.map(tandem_money::Money::minor))
            && from <= before
        {
            wrong.push(at.violation("must be more than that of the tier before: sort the tiers"));
        }
        before = from.map(tandem_money::Money::minor).or(before);
    }
    for (cap, field) in
        [(&clause.order_cap, "order_cap"), (&clause.month_cap, "month_cap"), (&clause.total_cap, "total_cap")]
    {
        money::limit(cap.as_ref(), around.header, &at.field(field), wrong);
    }
}

pub(super) fn per_deliverable_fee(
    clause: &PerDeliverableFeeClause,
    around: &Around<'_>,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) {
    let none = "leave the clause out where no fee is paid";
    money::required(clause.amount.as_ref(), none, around.header, &at.field("amount"), wrong);
    let wanted = clause.content_type();
    if around.content().next().is_none() {
        wrong.push(at.violation("pays for content that nobody owes: add a deliverables clause"));
    } else if wanted != ContentType::Unspecified && !around.content().any(|owed| owed == wanted) {
        let description = "is of content that nobody owes: name a kind that a deliverable is of, or none for all";
        wrong.push(at.field("content_type").violation(description));
    }
}

pub(super) fn product_value(
    clause: &ProductValueClause,
    around: &Around<'_>,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) {
    let none = "leave the clause out where nothing of value is given";
    money::required(clause.value.as_ref(), none, around.header, &at.field("value"), wrong);
}

pub(super) fn bonus(clause: &BonusClause, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let none = "leave the clause out where no bonus is paid";
    money::required(clause.amount.as_ref(), none, around.header, &at.field("amount"), wrong);
    let of_content = matches!(clause.metric(), Metric::Impressions | Metric::Engagements | Metric::Clicks);
    if of_content && around.content().next().is_none() {
        wrong.push(at.field("metric").violation("is of content that nobody owes: add a deliverables clause"));
    }
}

pub(super) fn holdback(around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let pays = |kind: &Kind| {
        matches!(
            kind,
            Kind::Fee(_) | Kind::PerDeliverableFee(_) | Kind::Commission(_) | Kind::Bonus(_) | Kind::RevenueShare(_)
        )
    };
    if !around.kinds().any(pays) {
        wrong.push(at.violation("has nothing to hold back from: add a clause by which something is earned"));
    }
}

pub(super) fn expenses(clause: &ExpensesClause, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    let none = "leave the clause out where no costs are refunded";
    money::required(clause.cap.as_ref(), none, around.header, &at.field("cap"), wrong);
}

pub(super) fn kill_fee(clause: &KillFeeClause, around: &Around<'_>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
    if !around.kinds().any(|kind| matches!(kind, Kind::Fee(_))) {
        wrong.push(at.violation("is a share of a fee that nobody pays: add a fee clause"));
    }
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

pub(super) fn payment_terms(
    clause: &PaymentTermsClause,
    around: &Around<'_>,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) {
    money::limit(clause.minimum_payout.as_ref(), around.header, &at.field("minimum_payout"), wrong);
}
