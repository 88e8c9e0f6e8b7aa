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

/// What a filter asks of a row. `OR` and `AND` join at least one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    All(Vec<Condition<'a>>),
    Any(Vec<Condition<'a>>),
    Not(Box<Condition<'a>>),
    IsSet(Field<'a>),
    /// Of a set: it has the member.
    Has(Field<'a>, Value),
    /// Of a scalar; the operator is none of [`Operator::Has`].
    Compare(Field<'a>, Operator, Value),
}

/// What the filter asks; none if it is empty.
///
/// # Errors
/// With what is wrong, which fields exist, and an example.
pub(crate) fn parse<'a>(filter: &str, fields: &Fields<'a>) -> Result<Option<Condition<'a>>, String> {
    if filter.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    let tokens = tokens(filter).map_err(|reason| with_help(&reason, fields))?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), fields, depth: 0, terms: 0 };
    let condition = parser.conjunction().and_then(|condition| parser.end().map(|()| condition));
    condition.map(Some).map_err(|reason| with_help(&reason, fields))
}

/// `field = value`, or the member of a set, that a service asks for by itself.
pub(crate) fn fixed<'a>(field: Field<'a>, value: &str) -> Result<Condition<'a>, String> {
    let operator = if field.kind == ColumnKind::Set { Operator::Has } else { Operator::Equal };
    condition(field, operator, value)
}

struct Parser<'a, 'f> {
    tokens: Peekable<IntoIter<(usize, Token)>>,
    fields: &'f Fields<'a>,
    depth: usize,
    terms: usize,
}

impl<'a> Parser<'a, '_> {
    fn conjunction(&mut self) -> Result<Condition<'a>, String> {
        self.joined("AND", Self::disjunction).map(Condition::All)
    }

    fn disjunction(&mut self) -> Result<Condition<'a>, String> {
        self.joined("OR", Self::term).map(Condition::Any)
    }

    fn joined(
        &mut self,
        keyword: &str,
        mut part: impl FnMut(&mut Self) -> Result<Condition<'a>, String>,
    ) -> Result<Vec<Condition<'a>>, String> {
        let mut parts = vec![part(self)?];
        while self.take(|token| matches!(token, Token::Bare(word) if word == keyword)) {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn term(&mut self) -> Result<Condition<'a>, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH}"));
        }
        let term = if self
            .take(|token| matches!(token, Token::Minus) || matches!(token, Token::Bare(word) if word == "NOT"))
        {
            Condition::Not(Box::new(self.term()?))
        } else if self.take(|token| *token == Token::Open) {
            let inner = self.conjunction()?;
            if !self.take(|token| *token == Token::Close) {
                return Err(self.unexpected("\")\", AND or OR"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn comparison(&mut self) -> Result<Condition<'a>, String> {
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
            Some((_, Token::Bare(value))) if value == "*" && operator == Operator::Has => Ok(Condition::IsSet(field)),
            Some((_, Token::Bare(value) | Token::Quoted(value))) => condition(field, operator, &value),
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

impl Condition<'_> {
    /// Appends it to a statement whose `$1` is the tenant; `tags` is the table of set members.
    pub(crate) fn write(&self, tags: &str, sql: &mut Sql) {
        match self {
            Self::All(parts) => Self::join(parts, " AND ", tags, sql),
            Self::Any(parts) => Self::join(parts, " OR ", tags, sql),
            Self::Not(inner) => {
                sql.text.push_str("NOT ");
                inner.write(tags, sql);
            }
            Self::IsSet(field) => {
                let bound = sql.bind(unset(*field));
                sql.text.push_str(&match field.kind {
                    ColumnKind::Set => format!("id IN (SELECT id FROM {tags} WHERE tenant = $1 AND field = {bound})"),
                    _ => format!("{} <> {bound}", field.sql()),
                });
            }
            Self::Has(field, member) => {
                let (field, member) = (sql.bind(Value::Text(field.name.to_owned())), sql.bind(member.clone()));
                sql.text.push_str(&format!(
                    "id IN (SELECT id FROM {tags} WHERE tenant = $1 AND field = {field} AND value = {member})"
                ));
            }
            Self::Compare(field, operator, value) => {
                let (bound, symbol) = (sql.bind(value.clone()), operator.symbol());
                let condition = match (field.kind, operator) {
                    (ColumnKind::Time, Operator::Less | Operator::LessOrEqual) => {
                        // A time that is not set is before none.
                        let unset = sql.bind(Value::Integer(UNSET_TIME));
                        format!("({0} {symbol} {bound} AND {0} <> {unset})", field.sql())
                    }
                    _ => format!("{} {} {bound}", field.sql(), if symbol == "!=" { "<>" } else { symbol }),
                };
                sql.text.push_str(&condition);
            }
        }
    }

    fn join(parts: &[Self], keyword: &str, tags: &str, sql: &mut Sql) {
        for (at, part) in parts.iter().enumerate() {
            sql.text.push_str(if at == 0 { "(" } else { keyword });
            part.write(tags, sql);
        }
        sql.text.push(')');
    }
}

/// What a scalar has that is not set; of a set, its name.
pub(crate) fn unset(field: Field<'_>) -> Value {
    match field.kind {
        ColumnKind::Text => Value::Text(String::new()),
        ColumnKind::Integer | ColumnKind::Flag => Value::Integer(0),
        ColumnKind::Time => Value::Integer(UNSET_TIME),
        ColumnKind::Set => Value::Text(field.name.to_owned()),
    }
}

fn condition<'a>(field: Field<'a>, operator: Operator, value: &str) -> Result<Condition<'a>, String> {
    use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let name = field.name;
    match (field.kind, operator) {
        (ColumnKind::Set, Operator::Has) => return Ok(Condition::Has(field, literal(field, value)?)),
        (ColumnKind::Set, _) => return Err(format!("{name} is a set: ask for a member, {name}:{value:?}")),
        (_, Operator::Has) => return Err(format!("{name} is no set: compare it, {name} = {value:?}, or use {name}:*")),
        (_, Less | LessOrEqual | Greater | GreaterOrEqual) if field.enumeration.is_some() => {
            return Err(format!("{name} is an enum, which has no order: compare it by = or !="));
        }
        (ColumnKind::Flag, Less | LessOrEqual | Greater | GreaterOrEqual) => {
            return Err(format!("{name} is true or false, which have no order: compare it by = or !="));
        }
        _ => {}
    }
    Ok(Condition::Compare(field, operator, literal(field, value)?))
}

fn literal(field: Field<'_>, value: &str) -> Result<Value, String> {
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
