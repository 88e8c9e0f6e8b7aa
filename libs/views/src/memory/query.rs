//! Queries of rows in memory: what [`crate::filter`] and [`crate::order`] otherwise write as SQL.

use std::cmp::Ordering;

use prost::Message;
use tandem_eventlog::Position;

use super::MemoryViews;
use crate::column::{ColumnKind, UNSET_TIME, Value};
use crate::filter::{Condition, unset};
use crate::generation::Generation;
use crate::lexer::Operator;
use crate::order::Term;
use crate::page::Page;
use crate::query::{Field, QueryError};
use crate::schema::Schema;
use crate::store::StoreError;

/// A row that matches, with the values that it is ordered by.
pub(crate) struct Matching<R> {
    id: String,
    row: R,
    order: Vec<Value>,
}

impl MemoryViews {
    /// The tenant's rows that all conditions hold of, in order.
    pub(crate) async fn matching<R: Message + Default>(
        &self,
        generation: &Generation,
        schema: &Schema<R>,
        tenant: &str,
        conditions: &[Condition<'_>],
        terms: &[Term<'_>],
    ) -> Result<Vec<Matching<R>>, StoreError> {
        self.stored(generation, |stored| {
            let mut matching = Vec::new();
            for ((_, id), body) in stored.rows.iter().filter(|((of, _), _)| **of == *tenant) {
                let row: R = generation.decode(id, body)?;
                if conditions.iter().all(|condition| holds(condition, schema, id, &row)) {
                    let order = terms.iter().map(|term| value(term.field, schema, id, &row)).collect();
                    matching.push(Matching { id: id.to_string(), row, order });
                }
            }
            matching.sort_by(|a, b| compare(&a.order, &b.order, terms));
            Ok(matching)
        })
        .await
    }
}

/// Those after the row where the last page ended.
pub(crate) fn page<R>(
    mut matching: Vec<Matching<R>>,
    last: Option<Vec<Value>>,
    size: i32,
    terms: &[Term<'_>],
    position: Position,
    token: impl FnOnce(Vec<Value>) -> String,
) -> Result<Page<R>, QueryError> {
    let total_size = i32::try_from(matching.len()).unwrap_or(i32::MAX);
    if let Some(last) = last {
        matching.retain(|row| compare(&row.order, &last, terms) == Ordering::Greater);
    }
    let wanted = usize::try_from(size).unwrap_or_default();
    let more = matching.len() > wanted;
    matching.truncate(wanted);
    let next_page_token = matching.last().filter(|_| more).map(|last| token(last.order.clone())).unwrap_or_default();
    let rows = matching.into_iter().map(|found| (found.id, found.row)).collect();
    Ok(Page { rows, next_page_token, total_size, position })
}

fn holds<R>(condition: &Condition<'_>, schema: &Schema<R>, id: &str, row: &R) -> bool {
    let members = |field: &Field<'_>| {
        let column = schema.columns.iter().find(|column| column.name == field.name);
        column.map(|column| column.members(row)).unwrap_or_default()
    };
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, schema, id, row)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, schema, id, row)),
        Condition::Not(inner) => !holds(inner, schema, id, row),
        Condition::IsSet(field) if field.kind == ColumnKind::Set => !members(field).is_empty(),
        Condition::IsSet(field) => value(*field, schema, id, row) != unset(*field),
        Condition::Has(field, member) => members(field).into_iter().any(|known| Value::Text(known) == *member),
        Condition::Compare(field, operator, wanted) => {
            let known = value(*field, schema, id, row);
            let is_unset = field.kind == ColumnKind::Time && known == Value::Integer(UNSET_TIME);
            let order = order(&known, wanted);
            match operator {
                Operator::Equal => order.is_eq(),
                Operator::NotEqual => order.is_ne(),
                Operator::Less => order.is_lt() && !is_unset,
                Operator::LessOrEqual => order.is_le() && !is_unset,
                Operator::Greater => order.is_gt(),
                Operator::GreaterOrEqual => order.is_ge(),
                Operator::Has => false,
            }
        }
    }
}

fn value<R>(field: Field<'_>, schema: &Schema<R>, id: &str, row: &R) -> Value {
    let column = schema.columns.iter().find(|column| column.name == field.name);
    column.and_then(|column| column.value(row)).unwrap_or_else(|| Value::Text(id.to_owned()))
}

fn compare(a: &[Value], b: &[Value], terms: &[Term<'_>]) -> Ordering {
    let by_term = a.iter().zip(b).zip(terms).map(|((a, b), term)| {
        let ordering = order(a, b);
        if term.descending { ordering.reverse() } else { ordering }
    });
    by_term.fold(Ordering::Equal, Ordering::then)
}

/// Texts compare by bytes, as the databases are told to compare them.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Integer(_), Value::Text(_)) => Ordering::Less,
        (Value::Text(_), Value::Integer(_)) => Ordering::Greater,
    }
}
