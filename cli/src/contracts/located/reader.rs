//! Hands values on to whoever reads a message from them.
//!
//! Invariant: nothing is changed on the way, and of a failure the innermost place is noted.

use std::cell::{Cell, RefCell};

use serde::de::value::{Error, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};

use super::{Key, Node, Position, Value};

/// Hands a value on to whoever reads a message from it, and notes where that fails.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) failure: &'a RefCell<Failure>,
}

/// Where reading has failed: of all places on the way out of it, the first is the innermost.
#[derive(Default)]
pub(super) struct Failure {
    pub(super) at: Option<Position>,
    /// The field that holds what can't be read.
    pub(super) field: Option<String>,
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
