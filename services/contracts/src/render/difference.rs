//! What differs between clauses, field by field, and between terms.
//!
//! Invariant: read off the descriptors, so a field that is added to a clause is compared from then on; fields with the
//! same value on both sides are not told.

use prost::{Message as _, Name as _};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};
use tandem_proto::POOL;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::google::r#type as wire;

use super::clauses::title;
use super::words::{NONE, amount, and, day, percent};
use crate::terms::TERMS;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The clause, or "(terms)".
    pub clause_id: String,
    /// The field in words, for example "deliverable reel-1: due date".
    pub field: String,
    /// Its value before, in words.
    pub before: String,
    /// Its value after.
    pub after: String,
}

/// What changes between terms come to, field by field.
#[must_use]
pub fn terms_changes(before: &pb::Terms, after: &pb::Terms) -> Vec<FieldChange> {
    let changes = crate::terms::changes(before, after);
    clause_changes(&changes, Some((before, after)))
}

/// Clause changes field by field; what concerns the terms as such needs the terms of both sides, and is told as changed
/// without them.
#[must_use]
pub fn clause_changes(changes: &[pb::ClauseChange], terms: Option<(&pb::Terms, &pb::Terms)>) -> Vec<FieldChange> {
    changes.iter().flat_map(|change| one(change, terms)).collect()
}

fn one(change: &pb::ClauseChange, terms: Option<(&pb::Terms, &pb::Terms)>) -> Vec<FieldChange> {
    let told = |field: String, before: String, after: String| FieldChange {
        clause_id: change.clause_id.clone(),
        field,
        before,
        after,
    };
    if change.clause_id == TERMS {
        return match terms {
            Some((before, after)) => {
                header(before, after).map(|(field, was, is)| told(field.into(), was, is)).collect()
            }
            None => vec![told("terms as such".into(), NONE.into(), "changed".into())],
        };
    }
    let name = |clause: &pb::Clause| clause.clause.as_ref().map_or(NONE, title).to_owned();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if name(before) == name(after) => {
            let fields = differences(&kind_of(before), &kind_of(after));
            fields.into_iter().map(|(field, was, is)| told(field, was, is)).collect()
        }
        (before, after) => {
            let whole = |clause: &Option<pb::Clause>| {
                clause.as_ref().map_or_else(|| NONE.to_owned(), |clause| format!("{}: {}", name(clause), whole(clause)))
            };
            vec![told("the whole clause".into(), whole(before), whole(after))]
        }
    }
}

/// Currency, time zone, days, and the order of the clauses.
fn header<'a>(
    before: &'a pb::Terms,
    after: &'a pb::Terms,
) -> impl Iterator<Item = (&'static str, String, String)> + use<'a> {
    let order = |terms: &pb::Terms, other: &pb::Terms| {
        let shared = |id: &String| other.clauses.iter().any(|clause| clause.clause_id == *id);
        let ids = terms.clauses.iter().map(|clause| clause.clause_id.clone()).filter(shared);
        ids.collect::<Vec<_>>().join(", ")
    };
    let fields = [
        ("currency", before.currency_code.clone(), after.currency_code.clone()),
        ("time zone", before.time_zone.clone(), after.time_zone.clone()),
        ("first day", day(before.start_date.as_ref()), day(after.start_date.as_ref())),
        ("last day", day(before.end_date.as_ref()), day(after.end_date.as_ref())),
        ("order of the clauses", order(before, after), order(after, before)),
    ];
    fields.into_iter().filter(|(_, was, is)| was != is)
}

/// What a clause is, without its id.
fn kind_of(clause: &pb::Clause) -> DynamicMessage {
    let whole = dynamic(clause);
    let kind = whole.fields().find_map(|(_, value)| value.as_message().cloned());
    kind.unwrap_or(whole)
}

fn dynamic(clause: &pb::Clause) -> DynamicMessage {
    #[expect(clippy::expect_used, reason = "the pool holds what the message was generated from")]
    let descriptor = POOL.get_message_by_name(&pb::Clause::full_name()).expect("Clause");
    DynamicMessage::decode(descriptor.clone(), clause.encode_to_vec().as_slice())
        .unwrap_or_else(|_| DynamicMessage::new(descriptor))
}

/// All fields of a clause that have a value, on one line.
fn whole(clause: &pb::Clause) -> String {
    let kind = kind_of(clause);
    let empty = DynamicMessage::new(kind.descriptor());
    let fields = differences(&empty, &kind).into_iter().map(|(field, _, value)| format!("{field} {value}"));
    fields.collect::<Vec<_>>().join("; ")
}

/// The fields of a message that differ, with their values in words.
fn differences(before: &DynamicMessage, after: &DynamicMessage) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for field in after.descriptor().fields() {
        let (was, is) = (before.get_field(&field), after.get_field(&field));
        let present = |message: &DynamicMessage| message.has_field(&field);
        if was == is && present(before) == present(after) {
            continue;
        }
        let name = label(&field);
        match items(&field, &was).zip(items(&field, &is)) {
            Some((was, is)) => found.extend(item_differences(&name, &was, &is)),
            None => {
                let absent = |message: &DynamicMessage| field.supports_presence() && !present(message);
                let words = |message, value| if absent(message) { NONE.to_owned() } else { said(&field, value) };
                found.push((name, words(before, &was), words(after, &is)));
            }
        }
    }
    found
}

/// The messages of a list, each by its id, or by its place where it has none.
fn items(field: &FieldDescriptor, value: &Value) -> Option<Vec<(String, DynamicMessage)>> {
    if !field.is_list() || !matches!(field.kind(), Kind::Message(_)) {
        return None;
    }
    let named = value.as_list()?.iter().filter_map(Value::as_message).enumerate().map(|(index, item)| {
        let id = item.descriptor().fields().find(|field| field.name().ends_with("_id"));
        let id = id.and_then(|id| item.get_field(&id).as_str().map(str::to_owned));
        (id.unwrap_or_else(|| (index + 1).to_string()), item.clone())
    });
    Some(named.collect())
}

fn item_differences(
    list: &str,
    before: &[(String, DynamicMessage)],
    after: &[(String, DynamicMessage)],
) -> Vec<(String, String, String)> {
    let find = |items: &[(String, DynamicMessage)], id: &str| {
        items.iter().find(|(of, _)| of == id).map(|(_, item)| item.clone())
    };
    let gone = before.iter().filter(|(id, _)| find(after, id).is_none());
    let mut found = Vec::new();
    for (id, item) in after.iter().chain(gone) {
        let empty = DynamicMessage::new(item.descriptor());
        let (was, is) = (find(before, id).unwrap_or_else(|| empty.clone()), find(after, id).unwrap_or(empty));
        let fields = differences(&was, &is).into_iter();
        found.extend(fields.map(|(field, was, is)| (format!("{} {id}: {field}", singular(list)), was, is)));
    }
    if found.is_empty() {
        let ids = |items: &[(String, DynamicMessage)]| and(items.iter().map(|(id, _)| id.clone()));
        found.push((format!("order of {list}"), ids(before), ids(after)));
    }
    found
}

/// "deliverables" as "deliverable".
fn singular(list: &str) -> &str {
    list.strip_suffix('s').unwrap_or(list)
}

/// The name of a field as a person says it: "share_basis_points" as "share".
fn label(field: &FieldDescriptor) -> String {
    field.name().trim_end_matches("_basis_points").replace('_', " ")
}

/// A value in words.
fn said(field: &FieldDescriptor, value: &Value) -> String {
    match value {
        Value::List(values) if values.is_empty() => NONE.to_owned(),
        Value::List(values) => and(values.iter().map(|value| said(field, value))),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => NONE.to_owned(),
        Value::String(text) => text.clone(),
        Value::I32(points) if field.name().ends_with("_basis_points") => percent(*points),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => super::words::grouped(*number),
        Value::EnumNumber(number) => enumeration(field, *number),
        Value::Message(message) => message_said(message),
        other => format!("{other:?}"),
    }
}

/// A value of an enum without the enum's prefix: "paid amplification".
fn enumeration(field: &FieldDescriptor, number: i32) -> String {
    let Kind::Enum(descriptor) = field.kind() else { return number.to_string() };
    if number == 0 {
        return NONE.to_owned();
    }
    let prefix = descriptor.default_value().name().trim_end_matches("UNSPECIFIED").to_owned();
    let value = descriptor.get_value(number);
    value.map_or_else(|| number.to_string(), |value| super::words::spoken(value.name(), &prefix))
}

fn message_said(message: &DynamicMessage) -> String {
    if let Ok(money) = message.transcode_to::<wire::Money>()
        && message.descriptor().full_name() == "google.type.Money"
    {
        return amount(Some(&money));
    }
    match message.transcode_to::<wire::Date>() {
        Ok(date) if message.descriptor().full_name() == "google.type.Date" => day(Some(&date)),
        _ => format!("{message:?}"),
    }
}
