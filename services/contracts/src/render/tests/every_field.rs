//! No kind of clause, and no field of one, is left out: what the proto files have is tried by their descriptors.

use prost::Name as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use tandem_proto::POOL;
use tandem_proto::contracts::v1 as pb;

use crate::fixtures::terms;
use crate::render::{clause_changes, clauses};

/// Amounts and days are values, not messages with fields of their own.
const VALUES: [&str; 2] = ["google.type.Money", "google.type.Date"];

/// A value of a field; `other` is another than that.
fn value(field: &FieldDescriptor, other: bool) -> Value {
    let one = match field.kind() {
        Kind::Bool => Value::Bool(other),
        Kind::String => Value::String(format!("{}-{other}", field.name().replace('_', "-"))),
        Kind::Int32 => Value::I32(if other { 4321 } else { 1234 }),
        Kind::Int64 => Value::I64(if other { 4321 } else { 1234 }),
        Kind::Enum(_) => Value::EnumNumber(if other { 2 } else { 1 }),
        Kind::Message(message) if message.full_name() == "google.type.Money" => {
            let mut money = DynamicMessage::new(message);
            money.set_field_by_name("currency_code", Value::String("USD".into()));
            money.set_field_by_name("units", Value::I64(if other { 77 } else { 55 }));
            Value::Message(money)
        }
        Kind::Message(message) if message.full_name() == "google.type.Date" => {
            let mut day = DynamicMessage::new(message);
            for (part, number) in [("year", 2031), ("month", 5), ("day", if other { 17 } else { 18 })] {
                day.set_field_by_name(part, Value::I32(number));
            }
            Value::Message(day)
        }
        Kind::Message(message) => Value::Message(filled(&message)),
        kind => panic!("no value for {kind:?} of {field:?} yet: give it one"),
    };
    if field.is_list() { Value::List(vec![one]) } else { one }
}

/// A message with a value in every field.
fn filled(message: &MessageDescriptor) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        filled.set_field(&field, value(&field, false));
    }
    filled
}

/// The filled message with one field changed, for each of its fields and those below.
fn variants(message: &MessageDescriptor) -> Vec<(String, DynamicMessage)> {
    let mut variants = Vec::new();
    for field in message.fields() {
        let nested = match field.kind() {
            Kind::Message(inner) if !VALUES.contains(&inner.full_name()) => Some(inner),
            _ => None,
        };
        let changed = match nested {
            None => vec![(field.name().to_owned(), value(&field, true))],
            Some(inner) => variants_of_inner(&field, &inner),
        };
        for (path, value) in changed {
            let mut variant = filled(message);
            variant.set_field(&field, value);
            variants.push((path, variant));
        }
    }
    variants
}

fn variants_of_inner(field: &FieldDescriptor, inner: &MessageDescriptor) -> Vec<(String, Value)> {
    let wrap = |message| {
        let value = Value::Message(message);
        if field.is_list() { Value::List(vec![value]) } else { value }
    };
    let inner = variants(inner).into_iter();
    inner.map(|(path, message)| (format!("{}.{path}", field.name()), wrap(message))).collect()
}

/// A clause of a kind.
fn clause(kind: &FieldDescriptor, of: DynamicMessage) -> pb::Clause {
    let descriptor = POOL.get_message_by_name(&pb::Clause::full_name()).unwrap();
    let mut clause = DynamicMessage::new(descriptor);
    clause.set_field_by_name("clause_id", Value::String("c".into()));
    clause.set_field(kind, Value::Message(of));
    clause.transcode_to().unwrap()
}

/// Each kind of clause: its field, and what it is.
fn kinds() -> Vec<(FieldDescriptor, MessageDescriptor)> {
    let descriptor = POOL.get_message_by_name(&pb::Clause::full_name()).unwrap();
    let oneof = descriptor.oneofs().next().unwrap();
    let kinds = oneof.fields().map(|field| match field.kind() {
        Kind::Message(message) => (field, message),
        kind => panic!("a clause that is {kind:?}"),
    });
    kinds.collect()
}

fn said(clause: &pb::Clause) -> String {
    let words = clauses::words(clause, &terms());
    assert!(!words.blocks.is_empty(), "{} says nothing", words.title);
    format!("{}: {:?}", words.title, words.blocks)
}

#[test]
fn each_kind_of_clause_has_a_title_of_its_own() {
    let title = |(kind, message): (FieldDescriptor, MessageDescriptor)| {
        clauses::words(&clause(&kind, filled(&message)), &terms()).title
    };
    let titles: Vec<_> = kinds().into_iter().map(title).collect();
    let distinct: std::collections::BTreeSet<_> = titles.iter().collect();
    assert_eq!(distinct.len(), titles.len(), "{titles:?}");
    assert!(titles.len() >= 21, "{titles:?}");
}

#[test]
fn each_field_of_each_kind_is_in_its_words() {
    for (kind, message) in kinds() {
        let base = said(&clause(&kind, filled(&message)));
        for (path, variant) in variants(&message) {
            let other = said(&clause(&kind, variant));
            assert_ne!(base, other, "{}.{path} is not in the words of the clause", kind.name());
        }
    }
}

#[test]
fn each_field_of_each_kind_is_told_when_it_changes() {
    for (kind, message) in kinds() {
        let base = clause(&kind, filled(&message));
        for (path, variant) in variants(&message) {
            let (before, after) = (Some(base.clone()), Some(clause(&kind, variant)));
            let change = pb::ClauseChange { clause_id: "c".into(), before, after };
            let told = clause_changes(&[change], None);
            assert!(!told.is_empty(), "{}.{path}", kind.name());
            for change in told {
                assert_ne!(change.before, change.after, "{}.{path}: {change:?}", kind.name());
                // Nothing of how values are kept shows.
                let shown = format!("{} {} {}", change.field, change.before, change.after);
                assert!(!shown.contains(['{', '_']) && !shown.contains("Value"), "{shown}");
            }
        }
    }
}
