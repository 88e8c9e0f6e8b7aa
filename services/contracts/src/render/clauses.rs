//! Each clause in plain words, with its figures.
//!
//! Invariant: the match over the kinds is exhaustive, and no field of a kind is left out of its words.

mod conduct;
mod content;
mod going_on;
mod money;
mod rights;

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;

use super::document::{Block, text};

/// What a clause is called, and says.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A clause, as it stands in its terms.
pub(super) fn words(clause: &pb::Clause, terms: &pb::Terms) -> Words {
    let Some(kind) = &clause.clause else { return Words { title: "Empty clause", blocks: Vec::new() } };
    let blocks = match kind {
        Kind::Deliverables(clause) => content::deliverables(clause),
        Kind::Fee(clause) => money::fee(clause),
        Kind::Commission(clause) => money::commission(clause),
        Kind::PaymentTerms(clause) => money::payment_terms(clause),
        Kind::Review(clause) => content::review(clause, terms),
        Kind::UsageRights(clause) => rights::usage_rights(clause),
        Kind::Exclusivity(clause) => rights::exclusivity(clause),
        Kind::Disclosure(clause) => content::disclosure(clause),
        Kind::AiLikeness(clause) => rights::ai_likeness(clause),
        Kind::Morality(clause) => conduct::morality(clause),
        Kind::KillFee(clause) => conduct::kill_fee(clause),
        Kind::Renewal(clause) => going_on::renewal(clause),
        Kind::PerDeliverableFee(clause) => money::per_deliverable_fee(clause),
        Kind::ProductValue(clause) => money::product_value(clause),
        Kind::Bonus(clause) => money::bonus(clause),
        Kind::RevenueShare(clause) => money::revenue_share(clause),
        Kind::Holdback(clause) => money::holdback(clause),
        Kind::Expenses(clause) => money::expenses(clause),
        Kind::Termination(clause) => conduct::termination(clause),
        Kind::Amendment(clause) => going_on::amendment(clause),
        Kind::GoverningLaw(clause) => going_on::governing_law(clause),
    };
    Words { title: title(kind), blocks }
}

/// What a kind of clause is called.
pub(super) fn title(kind: &Kind) -> &'static str {
    match kind {
        Kind::Deliverables(_) => "Deliverables",
        Kind::Fee(_) => "Fixed fee",
        Kind::Commission(_) => "Commission",
        Kind::PaymentTerms(_) => "Payment terms",
        Kind::Review(_) => "Review of drafts",
        Kind::UsageRights(_) => "Usage rights",
        Kind::Exclusivity(_) => "Exclusivity",
        Kind::Disclosure(_) => "Disclosure",
        Kind::AiLikeness(_) => "AI and likeness",
        Kind::Morality(_) => "Conduct",
        Kind::KillFee(_) => "Kill fee",
        Kind::Renewal(_) => "Renewal",
        Kind::PerDeliverableFee(_) => "Fee for each piece of content",
        Kind::ProductValue(_) => "Products",
        Kind::Bonus(_) => "Bonus",
        Kind::RevenueShare(_) => "Revenue share",
        Kind::Holdback(_) => "Holdback",
        Kind::Expenses(_) => "Expenses",
        Kind::Termination(_) => "Termination",
        Kind::Amendment(_) => "Amendment",
        Kind::GoverningLaw(_) => "Governing law",
    }
}

/// A paragraph of these sentences.
fn say(sentences: impl IntoIterator<Item = String>) -> Vec<Block> {
    vec![text(sentences.into_iter().collect::<Vec<_>>().join(" "))]
}
