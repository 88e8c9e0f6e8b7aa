//! Filters after AIP-160: `state = ACTIVE AND (follower_count >= 1000 OR category:beauty)`.
//!
//! The subset: `= != < <= > >=`, `:` for a member of a set, `field:*` for "is set", `AND`, `OR`, `NOT` or `-`, and
//! parentheses. As the AIP has it, `OR` binds tighter than `AND`.
//!
//! Invariant: a filter is bounded in length, depth and terms, so it can't exhaust stack or database.

use std::iter::Peekable;
use std::vec::IntoIter;

use jiff::Timestamp;

use crate::column::{ColumnKind, UNSET_TIME, Value};
use crate::lexer::{Operator, Token, tokens};
use crate::query::{Field, Fields, Sql};

const MAX_LENGTH: usize = 4096;
const MAX_DEPTH: usize = 16;
const MAX_TERMS: usize = 64;

/// Appends the filter as a condition to a statement whose `$1` is the tenant; `tags` is the table of set members.
///
/// # Errors
/// With what is wrong, which fields exist, and an example.
pub(crate) fn compile(filter: &str, fields: &Fields<'_>, tags: &str, sql: &mut Sql) -> Result<(), String> {
    if filter.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    let tokens = tokens(filter).map_err(|reason| with_help(&reason, fields))?;
    if tokens.is_empty() {
        return Ok(());
    }
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), fields, tags, sql, depth: 0, terms: 0 };
    parser.sql.text.push_str(" AND ");
    parser.conjunction().and_then(|()| parser.end()).map_err(|reason| with_help(&reason, fields))
}

/// Appends `field = value`, or the member of a set, that a service asks for by itself.
pub(crate) fn fix(field: Field<'_>, value: &str, tags: &str, sql: &mut Sql) -> Result<(), String> {
    let operator = if field.kind == ColumnKind::Set { Operator::Has } else { Operator::Equal };
    sql.text.push_str(" AND ");
    condition(field, operator, value, tags, sql)
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<(usize, Token)>>,
    fields: &'a Fields<'a>,
    tags: &'a str,
    sql: &'a mut Sql,
    depth: usize,
    terms: usize,
}

impl Parser<'_> {
    fn conjunction(&mut self) -> Result<(), String> {
        self.joined("AND", Self::disjunction)
    }

    fn disjunction(&mut self) -> Result<(), String> {
        self.joined("OR", Self::term)
    }

    fn joined(&mut self, keyword: &str, mut part: impl FnMut(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.sql.text.push('(');
        part(self)?;
        while self.take(|token| matches!(token, Token::Bare(word) if word == keyword)) {
            self.sql.text.push_str(&format!(" {keyword} "));
            part(self)?;
        }
        self.sql.text.push(')');
        Ok(())
    }

    fn term(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH}"));
        }
        if self.take(|token| matches!(token, Token::Minus) || matches!(token, Token::Bare(word) if word == "NOT")) {
            self.sql.text.push_str("NOT ");
            self.term()?;
        } else if self.take(|token| *token == Token::Open) {
            self.conjunction()?;
            if !self.take(|token| *token == Token::Close) {
                return Err(self.unexpected("\")\", AND or OR"));
            }
        } else {
            self.comparison()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), String> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(format!("it has more than {MAX_TERMS} comparisons"));
        }
        let field = match self.tokens.next_if(|(_, token)| matches!(token, Token::Bare(_))) {
            Some((_, Token::Bare(name))) => self.fields.find(&name)?,
            _ => return Err(self.unexpected("a field")),
        };
        let operator = match self.tokens.next_if(|(_, token)| matches!(token, Token::Operator(_))) {
            Some((_, Token::Operator(operator))) => operator,
            _ => return Err(self.unexpected(&format!("one of = != < <= > >= : after {}", field.name))),
        };
        match self.tokens.next_if(|(_, token)| matches!(token, Token::Bare(_) | Token::Quoted(_))) {
            Some((_, Token::Bare(value))) if value == "*" && operator == Operator::Has => {
                is_set(field, self.tags, self.sql);
                Ok(())
            }
            Some((_, Token::Bare(value) | Token::Quoted(value))) => {
                condition(field, operator, &value, self.tags, self.sql)
            }
            _ => Err(self.unexpected(&format!("a value after {} {}", field.name, operator.symbol()))),
        }
    }

    fn take(&mut self, wanted: impl Fn(&Token) -> bool) -> bool {
        self.tokens.next_if(|(_, token)| wanted(token)).is_some()
    }

    fn end(&mut self) -> Result<(), String> {
        if self.tokens.peek().is_none() { Ok(()) } else { Err(self.unexpected("AND, OR or the end")) }
    }

    fn unexpected(&mut self, wanted: &str) -> String {
        match self.tokens.peek() {
            Some((at, token)) => format!("{wanted} is expected at character {}, not {token}", at + 1),
            None => format!("{wanted} is expected at its end"),
        }
    }
}

fn is_set(field: Field<'_>, tags: &str, sql: &mut Sql) {
    let unset = match field.kind {
        ColumnKind::Text => Value::Text(String::new()),
        ColumnKind::Integer | ColumnKind::Flag => Value::Integer(0),
        ColumnKind::Time => Value::Integer(UNSET_TIME),
        ColumnKind::Set => Value::Text(field.name.to_owned()),
    };
    let bound = sql.bind(unset);
    let condition = match field.kind {
        ColumnKind::Set => format!("id IN (SELECT id FROM {tags} WHERE tenant = $1 AND field = {bound})"),
        _ => format!("{} <> {bound}", field.sql()),
    };
    sql.text.push_str(&condition);
}

fn condition(field: Field<'_>, operator: Operator, value: &str, tags: &str, sql: &mut Sql) -> Result<(), String> {
    let (name, symbol) = (field.name, operator.symbol());
    let condition = match (field.kind, operator) {
        (ColumnKind::Set, Operator::Has) => {
            let (field, member) = (sql.bind(Value::Text(name.to_owned())), sql.bind(parse(field, value)?));
            format!("id IN (SELECT id FROM {tags} WHERE tenant = $1 AND field = {field} AND value = {member})")
        }
        (ColumnKind::Set, _) => return Err(format!("{name} is a set: ask for a member, {name}:{value:?}")),
        (_, Operator::Has) => return Err(format!("{name} is no set: compare it, {name} = {value:?}, or use {name}:*")),
        (_, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual)
            if field.enumeration.is_some() =>
        {
            return Err(format!("{name} is an enum, which has no order: compare it by = or !="));
        }
        (ColumnKind::Flag, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual) => {
            return Err(format!("{name} is true or false, which have no order: compare it by = or !="));
        }
        (ColumnKind::Time, Operator::Less | Operator::LessOrEqual) => {
            // A time that is not set is before none.
            let (bound, unset) = (sql.bind(parse(field, value)?), sql.bind(Value::Integer(UNSET_TIME)));
            format!("({0} {symbol} {bound} AND {0} <> {unset})", field.sql())
        }
        _ => {
            let bound = sql.bind(parse(field, value)?);
            format!("{} {} {bound}", field.sql(), if symbol == "!=" { "<>" } else { symbol })
        }
    };
    sql.text.push_str(&condition);
    Ok(())
}

fn parse(field: Field<'_>, value: &str) -> Result<Value, String> {
    let name = field.name;
    if let Some(values) = field.enumeration {
        let known = values.parse(value).ok_or_else(|| format!("{name} is one of {values}, which {value:?} is not"))?;
        return Ok(Value::Text(known.to_owned()));
    }
    match field.kind {
        ColumnKind::Text | ColumnKind::Set => Ok(Value::Text(text(name, value)?)),
        ColumnKind::Integer => match value.parse() {
            Ok(integer) => Ok(Value::Integer(integer)),
            Err(_) => Err(format!("{name} is a whole number, which {value:?} is not")),
        },
        ColumnKind::Flag => match value.to_ascii_lowercase().parse() {
            Ok(flag) => Ok(Value::Integer(bool::into(flag))),
            Err(_) => Err(format!("{name} is true or false, and not {value:?}")),
        },
        ColumnKind::Time => match value.parse::<Timestamp>() {
            Ok(time) => Ok(Value::Integer(time.as_microsecond())),
            Err(_) => Err(format!("{name} is a time, which {value:?} is not: write \"2027-01-31T00:00:00Z\"")),
        },
    }
}

/// Text that every database can hold.
fn text(name: &str, value: &str) -> Result<String, String> {
    if value.contains('\0') {
        return Err(format!("the value of {name} contains a NUL character"));
    }
    Ok(value.to_owned())
}

fn with_help(reason: &str, fields: &Fields<'_>) -> String {
    let examples: Vec<String> = telling(fields).into_iter().map(example).collect();
    let fields = if reason.contains("the fields are") { String::new() } else { format!("; the fields are {fields}") };
    format!("{reason}{fields}; for example: {}", examples.join(" AND "))
}

/// One or two fields whose examples tell most: such as have values that anyone would write, of different kinds.
fn telling<'a>(fields: &Fields<'a>) -> Vec<Field<'a>> {
    let rank = |field: &Field<'_>| match field.kind {
        _ if field.enumeration.is_some() => 0,
        ColumnKind::Integer | ColumnKind::Flag | ColumnKind::Time => 1,
        ColumnKind::Text | ColumnKind::Set => 2,
    };
    let mut told = fields.0.clone();
    // What the view itself defines says more than the id, which is the first.
    told.rotate_left(1);
    told.sort_by_key(rank);
    told.dedup_by_key(|field| rank(field));
    if told.len() > 1 {
        told.retain(|field| rank(field) < 2);
    }
    told
}

/// A comparison that is valid as it stands.
fn example(field: Field<'_>) -> String {
    let name = field.name;
    match (field.kind, field.enumeration) {
        (ColumnKind::Set, Some(values)) => format!("{name}:{}", values.example()),
        (_, Some(values)) => format!("{name} = {}", values.example()),
        (ColumnKind::Text, None) => format!("{name} = \"…\""),
        (ColumnKind::Set, None) => format!("{name}:\"…\""),
        (ColumnKind::Integer, None) => format!("{name} >= 10"),
        (ColumnKind::Flag, None) => format!("{name} = true"),
        (ColumnKind::Time, None) => format!("{name} < \"2027-01-31T00:00:00Z\""),
    }
}
