//! YAML or JSON that remembers where in its file everything stands.
//!
//! Invariant: each value has the line and column at which it begins; a message is read from it by the ProtoJSON mapping,
//! and what can't be read is told with the innermost place that it concerns.

mod parts;
mod reader;

use std::cell::RefCell;
use std::fmt;

use prost::{Message, Name};
use serde_saphyr::{Location, Spanned};

use reader::{Failure, Reader};

/// Line and column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value at its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The name of a field at its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) at: Position,
    pub(super) name: String,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: Position,
    pub(super) message: String,
}

/// The documents of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Wrong> {
    // "NO" is Norway.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, options);
    let documents = documents.map_err(|error| {
        let at = error.location().map(Position::from).unwrap_or_default();
        let message = error.to_string();
        // The place is told before the message already.
        let place = [": line ", " at line "].iter().find_map(|place| message.rfind(place));
        Wrong { at, message: message[..place.unwrap_or(message.len())].to_owned() }
    })?;
    Ok(documents.into_iter().map(Node::from).collect())
}

impl Node {
    /// The fields, if it has any.
    pub(super) fn fields(&self) -> &[(Key, Self)] {
        if let Value::Map(fields) = &self.value { fields } else { &[] }
    }

    /// The field of a name, which may be written in either way that ProtoJSON knows.
    pub(super) fn field(&self, name: &str) -> Option<(&Key, &Self)> {
        let found = self.fields().iter().find(|(key, _)| key.is(name));
        found.map(|(key, value)| (key, value))
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The items, if it is a list.
    pub(super) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// Without a field.
    pub(super) fn without(mut self, name: &str) -> Self {
        if let Value::Map(fields) = &mut self.value {
            fields.retain(|(key, _)| !key.is(name));
        }
        self
    }

    /// Where a path such as `terms.clauses[3].fee.amount` leads, or the last place on it that is there.
    pub(super) fn locate(&self, path: &str) -> Position {
        let (mut node, mut at) = (self, self.at);
        for segment in path.split('.') {
            let (name, indices) = segment.split_once('[').unwrap_or((segment, ""));
            let Some((key, value)) = node.field(name) else { return at };
            (node, at) = (value, key.at);
            for index in indices.split('[').filter_map(|index| index.trim_end_matches(']').parse::<usize>().ok()) {
                let Some(item) = node.items().get(index) else { return at };
                (node, at) = (item, item.at);
            }
        }
        at
    }

    /// Where its last part begins.
    pub(super) fn last(&self) -> Position {
        let inner = self.items().iter().chain(self.fields().iter().map(|(_, value)| value));
        inner.map(Self::last).fold(self.at, Position::max)
    }

    /// The message that it is.
    pub(super) fn read<M: Message + Name + Default>(&self) -> Result<M, Wrong> {
        let failure = RefCell::default();
        let read = tandem_proto::json::read(Reader { node: self, failure: &failure });
        read.map_err(|error| {
            let Failure { at, field } = failure.take();
            let message = field.map_or_else(|| error.to_string(), |field| format!("{field} can't be read: {error}"));
            Wrong { at: at.unwrap_or(self.at), message }
        })
    }
}

impl Key {
    fn is(&self, name: &str) -> bool {
        same(&self.name, name)
    }
}

/// Whether two names are those of one field: `contract_id` and `contractId`.
pub(super) fn same(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
    letters(one) == letters(other)
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { at: spanned.referenced.into(), value: spanned.value }
    }
}

#[cfg(test)]
mod tests;
