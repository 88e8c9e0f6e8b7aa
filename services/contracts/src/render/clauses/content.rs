//! What is made: content owed, how it is reviewed, and how it is disclosed.
//!
//! Invariant: see [`super`].

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;

use super::super::document::{Block, Table, text};
use super::super::words::{NONE, and, content_type, count, day};
use super::say;

pub(super) fn deliverables(clause: &pb::DeliverablesClause) -> Vec<Block> {
    let owed = match clause.deliverables.len() {
        1 => "The creator owes one piece of content.".to_owned(),
        several => format!("The creator owes {several} pieces of content."),
    };
    let rows = clause.deliverables.iter().map(|term| {
        let live = if term.live_days == 0 { NONE.to_owned() } else { count(term.live_days, "day") };
        vec![
            term.deliverable_id.clone(),
            content_type(term.content_type()),
            term.channel.clone(),
            day(term.draft_due_date.as_ref()),
            day(term.due_date.as_ref()),
            live,
        ]
    });
    let headers = vec!["Piece", "Content", "Channel", "First draft by", "Published by", "Stays online"];
    let mut blocks = vec![text(owed), Block::Table(Table { headers, rows: rows.collect() })];
    blocks.push(text(if clause.categories.is_empty() {
        "It is for the product categories of the exclusivity agreed here, if any.".to_owned()
    } else {
        format!("It is for the product categories {}.", and(&clause.categories))
    }));
    blocks
}

pub(super) fn review(clause: &pb::ReviewClause, terms: &pb::Terms) -> Vec<Block> {
    let law = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::GoverningLaw(law)) => Some(law.country_code.as_str()),
        _ => None,
    });
    let holidays = law.map_or_else(String::new, |country| format!(", without the public holidays of {country}"));
    let silence = if clause.silence_approves { "Silence after that approves it." } else { "Silence approves nothing." };
    let revisions = match clause.revision_rounds {
        0 => "The fee includes no round of changes.".to_owned(),
        rounds => format!("The fee includes {} of changes.", count(rounds, "round")),
    };
    say([
        format!(
            "The brand has {} to answer a draft (Monday to Friday{holidays}).",
            count(clause.window_business_days, "business day")
        ),
        silence.to_owned(),
        revisions,
    ])
}

pub(super) fn disclosure(clause: &pb::DisclosureClause) -> Vec<Block> {
    let label = if clause.platform_label_required {
        "The platform's paid-partnership label has to be on; it is not enough alone."
    } else {
        "The platform's paid-partnership label is not required."
    };
    let brand = match clause.brand_tag.as_str() {
        "" => "The brand does not have to be tagged.".to_owned(),
        tag => format!("The brand has to be tagged as {tag}."),
    };
    let tags = clause.accepted_tags.join(", ");
    say([format!("One of these tags has to stand in the caption: {tags}."), label.to_owned(), brand])
}
