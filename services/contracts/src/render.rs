//! The contract for people: its terms in plain words, what differs between rounds and versions, who has signed, and what
//! has become of it.
//!
//! Invariant: every word is written once: a [`document`] is made of a contract, and the formats only write it down.

mod clauses;
mod difference;
mod document;
mod history;
mod html;
mod markdown;
mod outcome;
#[cfg(test)]
mod tests;
mod words;

pub use difference::{FieldChange, clause_changes, terms_changes};

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::RenderFormat;

use crate::contract::Contract;
use document::{Block, Document, Table, section};
use words::{Days, state};

/// A contract, written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub content: String,
    /// Its media type.
    pub media_type: &'static str,
}

/// Writes a contract down with the terms of a round, or with its newest if `round` is 0. None if there was no such
/// round.
#[must_use]
pub fn render(contract: &Contract, round: i32, format: RenderFormat) -> Option<Rendered> {
    let shown = match round {
        0 => contract.0.terms.clone(),
        _ => contract.clone().at_round(round)?.0.terms,
    };
    let document = document(contract, &shown.unwrap_or_default(), round);
    Some(match format {
        RenderFormat::Html => Rendered { content: html::write(&document), media_type: "text/html" },
        RenderFormat::Markdown | RenderFormat::Unspecified => {
            Rendered { content: markdown::write(&document), media_type: "text/markdown" }
        }
    })
}

/// Terms alone, with all their clauses, as Markdown.
#[must_use]
pub fn render_terms(terms: &pb::Terms, title: &str) -> String {
    let facts = vec![
        ("First day", words::day(terms.start_date.as_ref())),
        ("Last day", words::day(terms.end_date.as_ref())),
        ("Days are counted in", terms.time_zone.clone()),
        ("Currency", terms.currency_code.clone()),
    ];
    markdown::write(&Document { title: title.to_owned(), blocks: vec![Block::Facts(facts), agreed(terms)] })
}

/// What a clause is called, for example "Fixed fee"; a dash if it says nothing.
#[must_use]
pub fn clause_title(clause: &pb::Clause) -> &'static str {
    clause.clause.as_ref().map_or(words::NONE, clauses::title)
}

/// The contract as a document, with the terms to be shown.
fn document(contract: &Contract, terms: &pb::Terms, round: i32) -> Document {
    let days = Days::of(terms);
    let mut blocks = vec![overview(&contract.0, terms, &days, round)];
    blocks.extend(outcome::statutory(&contract.0));
    blocks.push(agreed(terms));
    blocks.push(history::signatures(&contract.0, &days));
    blocks.extend(history::template(&contract.0));
    blocks.extend(history::rounds(contract, &days));
    blocks.extend(history::versions(&contract.0, &days));
    blocks.extend(history::amendments(&contract.0, &days));
    blocks.extend(outcome::course(&contract.0, &days));
    blocks.extend(history::documents(&contract.0, &days));
    Document { title: contract.0.title.clone(), blocks }
}

/// Who, where it stands, from when to when, and what a signature is over.
fn overview(contract: &pb::Contract, terms: &pb::Terms, days: &Days, round: i32) -> Block {
    let mut facts = vec![
        ("Contract", contract.name.clone()),
        ("Brand", contract.brand.clone()),
        ("Creator", contract.creator.clone()),
        ("State", state(contract)),
        ("First day", words::day(terms.start_date.as_ref())),
        ("Last day", last_day(contract, terms)),
        ("Days are counted in", terms.time_zone.clone()),
        ("Currency", terms.currency_code.clone()),
    ];
    if let Some(expire) = &contract.offer_expire_time {
        facts.push(("The offer can be answered until", days.instant(Some(expire))));
    }
    if !contract.end_reason.is_empty() {
        facts.push(("Ended because", contract.end_reason.clone()));
    }
    let last = contract.rounds.last().map_or(0, |round| round.number);
    let (shown, hash) = match (contract.rounds.iter().find(|of| of.number == round), contract.version) {
        (Some(of), _) => (format!("of round {} of {last}", of.number), of.terms_hash.clone()),
        (None, 0) if last == 0 => ("of the draft".to_owned(), contract.terms_hash.clone()),
        (None, 0) => (format!("of round {last}"), contract.terms_hash.clone()),
        (None, version) => (format!("version {version}"), contract.terms_hash.clone()),
    };
    facts.push(("Terms shown", shown));
    facts.push(("SHA-256 of these terms", hash));
    section("Parties and term", vec![Block::Facts(facts)])
}

fn last_day(contract: &pb::Contract, terms: &pb::Terms) -> String {
    let first_term = words::day(terms.end_date.as_ref());
    match (contract.renewal_count, &contract.end_date) {
        (count @ 1.., Some(end)) => {
            format!("{}, after {} (first term: {first_term})", words::day(Some(end)), words::count(count, "renewal"))
        }
        _ => first_term,
    }
}

/// All clauses, numbered in their order.
fn agreed(terms: &pb::Terms) -> Block {
    let clauses = terms.clauses.iter().enumerate().map(|(index, clause)| {
        let words = clauses::words(clause, terms);
        section(format!("{}. {} ({})", index + 1, words.title, clause.clause_id), words.blocks)
    });
    section("What is agreed", clauses.collect())
}

/// What differs, clause by clause and field by field.
fn changes_table(changes: Vec<FieldChange>, before: &'static str, after: &'static str) -> Block {
    let rows = changes.into_iter().map(|change| vec![change.clause_id, change.field, change.before, change.after]);
    Block::Table(Table { headers: vec!["Clause", "What", before, after], rows: rows.collect() })
}
