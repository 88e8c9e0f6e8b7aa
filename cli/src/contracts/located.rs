//! YAML or JSON that remembers where in its file everything stands.
//!
//! Invariant: each value has the line and column at which it begins; a message is read from it by the ProtoJSON mapping,
//! and what can't be read is told with the innermost place that it concerns.

use std::cell::{Cell, RefCell};
use std::fmt;

use prost::{Message, Name};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

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

impl<'de> de::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts)
    }
}

/// Takes in whatever there is.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Value>>()? {
            list.push(item.into());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Value>>()? {
            map.push((Key { at: key.referenced.into(), name: key.value }, value.into()));
        }
        Ok(Value::Map(map))
    }
}

/// Hands a value on to whoever reads a message from it, and notes where that fails.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    failure: &'a RefCell<Failure>,
}

/// Where reading has failed: of all places on the way out of it, the first is the innermost.
#[derive(Default)]
struct Failure {
    at: Option<Position>,
    /// The field that holds what can't be read.
    field: Option<String>,
}

impl<'a> Reader<'a> {
    fn of(self, node: &'a Node) -> Self {
        Self { node, failure: self.failure }
    }

    fn noting<T>(self, result: Result<T, Error>, at: Position, field: Option<&str>) -> Result<T, Error> {
        if result.is_err() {
            let mut failure = self.failure.borrow_mut();
            failure.at.get_or_insert(at);
            failure.field = failure.field.take().or_else(|| field.map(str::to_owned));
        }
        result
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let at = Cell::new(self.node.at);
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { reader: self, items: items.iter() }),
            Value::Map(fields) => {
                visitor.visit_map(Fields { reader: self, fields: fields.iter(), value: None, at: &at })
            }
        };
        self.noting(result, at.get(), None)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Items<'a> {
    reader: Reader<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let result = seed.deserialize(self.reader.of(item));
        self.reader.noting(result.map(Some), item.at, None)
    }
}

struct Fields<'a, 'b> {
    reader: Reader<'a>,
    fields: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a (Key, Node)>,
    /// The field that is being read: what its message says then is about it.
    at: &'b Cell<Position>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.value = Some(field);
        let (key, _) = field;
        self.at.set(key.at);
        let name: StrDeserializer<'_, Error> = key.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, value) = self.value.take().ok_or_else(|| de::Error::custom("a value without a name"))?;
        let result = seed.deserialize(self.reader.of(value));
        self.reader.noting(result, value.at, Some(&key.name))
    }
}

#[cfg(test)]
mod tests {
    use tandem_proto::contracts::v1::Terms;

    use super::*;

    const TERMS: &str = "currency_code: USD\ntime_zone: UTC\nclauses:\n  - clause_id: law\n    governing_law: { \
                         country_code: NO }\n  - clauseId: fee\n    fee:\n      amount: { currency_code: USD, units: 5 }\n";

    fn one(text: &str) -> Node {
        parse(text).unwrap().remove(0)
    }

    fn place(at: Position) -> (u64, u64) {
        (at.line, at.column)
    }

    #[test]
    fn a_message_is_read_as_written() {
        let terms: Terms = one(TERMS).read().unwrap();
        assert_eq!((terms.currency_code.as_str(), terms.clauses.len()), ("USD", 2));
        // A country, not a refusal.
        assert!(format!("{terms:?}").contains("country_code: \"NO\""), "{terms:?}");
        let json = r#"{"currencyCode": "EUR", "startDate": {"year": 2026}}"#;
        let terms: Terms = one(json).read().unwrap();
        assert_eq!((terms.currency_code.as_str(), terms.start_date.unwrap().year), ("EUR", 2026));
    }

    #[test]
    fn a_path_leads_to_its_line_or_to_the_last_place_on_it() {
        let terms = one(TERMS);
        for (path, at) in [
            ("currency_code", (1, 1)),
            ("clauses[0].governing_law.country_code", (5, 22)),
            ("clauses[1].fee.amount.units", (8, 37)),
            ("clauses[1].fee.instalments", (7, 5)),
            ("clauses[1].clause_id", (6, 5)),
            ("clauses[7].fee", (3, 1)),
            ("end_date", (1, 1)),
        ] {
            assert_eq!(place(terms.locate(path)), at, "{path}");
        }
    }

    #[test]
    fn what_cant_be_read_is_told_with_its_place() {
        for (text, at, told) in [
            ("currency_code: USD\nclauses:\n  - clause_id: fee\n    fees: {}\n", (4, 5), "fees"),
            ("currency_code: [1]\n", (1, 16), "sequence"),
            (
                "clauses:\n  - fee:\n      instalments:\n        - { share_basis_points: lots }\n",
                (4, 33),
                "share_basis_points can't be read",
            ),
            ("clauses:\n  - fee:\n      instalments:\n        - { milestone: MILESTONE_SING }\n", (4, 24), "SING"),
            ("clauses: {}\n", (1, 10), "map"),
        ] {
            let wrong = one(text).read::<Terms>().unwrap_err();
            assert_eq!(place(wrong.at), at, "{wrong:?} of {text}");
            assert!(wrong.message.contains(told), "{wrong:?}");
        }
    }

    #[test]
    fn broken_yaml_is_told_with_its_place() {
        let wrong = parse("title: a\nterms: {\n  x: [\n").unwrap_err();
        assert!(wrong.at.line >= 3, "{wrong:?}");
        let twice = parse("title: a\ntitle: b\n").unwrap_err();
        assert_eq!(twice.at.line, 2, "{twice:?}");
        assert!(twice.message.contains("title") && !twice.message.contains("line"), "{twice:?}");
    }
}
