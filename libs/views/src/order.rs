//! Orders after AIP-132: `follower_count desc, display_name`. The id is always the last, so every order is total.
//!
//! Invariant: a page begins right after the row where its predecessor ended, whatever was written in between.

use crate::column::{ColumnKind, Value};
use crate::query::{Field, Fields, Sql};

const MAX_TERMS: usize = 8;

/// One term of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    pub(crate) field: Field<'a>,
    pub(crate) descending: bool,
}

/// The terms of a total order: those asked for, then the id.
///
/// # Errors
/// With what is wrong and which fields exist.
pub(crate) fn parse<'a>(order_by: &str, fields: &Fields<'a>) -> Result<Vec<Term<'a>>, String> {
    let mut terms: Vec<Term<'a>> = Vec::new();
    let parts = if order_by.trim().is_empty() { Vec::new() } else { order_by.splitn(MAX_TERMS + 1, ',').collect() };
    if parts.len() > MAX_TERMS {
        return Err(format!("it names more than {MAX_TERMS} fields"));
    }
    for part in parts {
        let mut words = part.split_whitespace();
        let name = words.next().ok_or_else(|| format!("a field is missing between commas: {order_by:?}"))?;
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(format!("{:?} is not <field>, <field> asc or <field> desc", part.trim())),
        };
        let field = fields.find(name)?;
        if field.kind == ColumnKind::Set {
            return Err(format!("{name} is a set, which has no order"));
        }
        if terms.iter().any(|term| term.field == field) {
            return Err(format!("{name} is named twice"));
        }
        terms.push(Term { field, descending });
    }
    if terms.iter().all(|term| term.field != Field::ID) {
        terms.push(Term { field: Field::ID, descending: false });
    }
    Ok(terms)
}

/// `c_follower_count DESC, id`.
pub(crate) fn order_clause(terms: &[Term<'_>]) -> String {
    let term = |term: &Term<'_>| term.field.sql() + if term.descending { " DESC" } else { "" };
    terms.iter().map(term).collect::<Vec<_>>().join(", ")
}

/// Appends the condition that a row comes after the one with these values of the terms.
///
/// Written out, for row values know one direction only: `a > $1 OR (a = $1 AND b < $2) OR ..`.
pub(crate) fn after(terms: &[Term<'_>], values: Vec<Value>, sql: &mut Sql) {
    let bound: Vec<String> = values.into_iter().map(|value| sql.bind(value)).collect();
    let mut same = String::new();
    let mut cases = Vec::new();
    for (term, bound) in terms.iter().zip(&bound) {
        let column = term.field.sql();
        cases.push(format!("({same}{column} {} {bound})", if term.descending { "<" } else { ">" }));
        same.push_str(&format!("{column} = {bound} AND "));
    }
    sql.text.push_str(&format!(" AND ({})", cases.join(" OR ")));
}
