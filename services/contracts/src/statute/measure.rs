//! What of terms a rule looks at.
//!
//! Invariant: terms that were parsed are measured without doubt; what they leave open is not taken to be agreed.

use tandem_money::Money;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{ContentType, GoverningLawClause, PaymentBasis, Terms};

/// From the first day of the longest month to its last.
const REST_OF_MONTH: i32 = 30;

fn kinds(terms: &Terms) -> impl Iterator<Item = &Kind> {
    terms.clauses.iter().filter_map(|clause| clause.clause.as_ref())
}

/// Whether there is a clause of one of these kinds, by the names of their fields in the proto file.
pub(super) fn has(terms: &Terms, names: &[String]) -> bool {
    kinds(terms).any(|kind| names.iter().any(|known| known == name(kind)))
}

pub(super) fn governing_law(terms: &Terms) -> Option<&GoverningLawClause> {
    kinds(terms).find_map(|kind| if let Kind::GoverningLaw(clause) = kind { Some(clause) } else { None })
}

/// Territories that usage rights name.
pub(super) fn territories(terms: &Terms) -> impl Iterator<Item = &str> {
    let named = kinds(terms).filter_map(|kind| if let Kind::UsageRights(clause) = kind { Some(clause) } else { None });
    named.flat_map(|clause| clause.territories.iter().map(String::as_str))
}

/// Tags that are accepted as a disclosure.
pub(super) fn labels(terms: &Terms) -> impl Iterator<Item = &str> {
    let named = kinds(terms).filter_map(|kind| if let Kind::Disclosure(clause) = kind { Some(clause) } else { None });
    named.flat_map(|clause| clause.accepted_tags.iter().map(String::as_str))
}

pub(super) fn ai_content_is_labelled(terms: &Terms) -> bool {
    kinds(terms).any(|kind| matches!(kind, Kind::AiLikeness(clause) if clause.ai_content_label_required))
}

/// What is paid whatever sales and figures are: fees, and products at their value. None if it can't be summed up.
pub(super) fn certain_pay(terms: &Terms) -> Option<Money> {
    let mut sum = Money::zero(terms.currency_code.parse().ok()?);
    for kind in kinds(terms) {
        let (amount, times) = match kind {
            Kind::Fee(clause) => (clause.amount.as_ref()?, 1),
            Kind::PerDeliverableFee(clause) => (clause.amount.as_ref()?, pieces(terms, clause.content_type())),
            Kind::ProductValue(clause) => (clause.value.as_ref()?, 1),
            _ => continue,
        };
        sum = sum.checked_add(Money::try_from(amount).ok()?.checked_mul(times).ok()?).ok()?;
    }
    Some(sum)
}

/// Pieces of content owed of a kind; of all kinds if it is unspecified.
fn pieces(terms: &Terms, kind: ContentType) -> i64 {
    let owed = kinds(terms).filter_map(|owed| if let Kind::Deliverables(clause) = owed { Some(clause) } else { None });
    let owed = owed.flat_map(|clause| &clause.deliverables);
    let counted = owed.filter(|piece| kind == ContentType::Unspecified || piece.content_type() == kind).count();
    i64::try_from(counted).unwrap_or(i64::MAX)
}

/// Days from the earning until the last of it is due; none if the terms don't say.
pub(super) fn latest_payment_days(terms: &Terms) -> Option<i32> {
    let mut agreed = None;
    let mut held_back = 0;
    for kind in kinds(terms) {
        match kind {
            Kind::PaymentTerms(clause) => {
                let rest = if clause.basis() == PaymentBasis::EndOfMonth { REST_OF_MONTH } else { 0 };
                agreed = Some(clause.net_days + rest);
            }
            Kind::Holdback(clause) => held_back = clause.release_days,
            _ => {}
        }
    }
    agreed.map(|days| days + held_back)
}

/// The clause's field in the proto file.
pub(super) fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Deliverables(_) => "deliverables",
        Kind::Fee(_) => "fee",
        Kind::Commission(_) => "commission",
        Kind::PaymentTerms(_) => "payment_terms",
        Kind::Review(_) => "review",
        Kind::UsageRights(_) => "usage_rights",
        Kind::Exclusivity(_) => "exclusivity",
        Kind::Disclosure(_) => "disclosure",
        Kind::AiLikeness(_) => "ai_likeness",
        Kind::Morality(_) => "morality",
        Kind::KillFee(_) => "kill_fee",
        Kind::Renewal(_) => "renewal",
        Kind::PerDeliverableFee(_) => "per_deliverable_fee",
        Kind::ProductValue(_) => "product_value",
        Kind::Bonus(_) => "bonus",
        Kind::RevenueShare(_) => "revenue_share",
        Kind::Holdback(_) => "holdback",
        Kind::Expenses(_) => "expenses",
        Kind::Termination(_) => "termination",
        Kind::Amendment(_) => "amendment",
        Kind::GoverningLaw(_) => "governing_law",
    }
}
