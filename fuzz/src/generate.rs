//! Messages made up: sensible enough to get far, and odd enough to go wrong there.
//!
//! Invariant: a message depends on the random numbers and on what is known alone.

use fastrand::Rng;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, Value,
};

use crate::known::Known;

/// Levels of messages in messages.
const DEPTH: usize = 5;

const ODD: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{feff}x",
    "é\u{202e}🎬",
    "e\u{301}",
    "\u{1f469}\u{200d}\u{1f680}",
    "ﬁ",
    "İ",
    "../../etc",
    "%00",
    "a b",
    "'; DROP TABLE rows; --",
    "tandem.>",
    "*",
    "$JS.API",
    "a.b",
    "a\r\nb: c",
    "-",
    "~",
    "/",
    "//",
    "contracts/",
    "/c1",
    "contracts/c1/c2",
    "NaN",
    "-0",
    "1e999",
    "\u{10ffff}",
    "null",
    "{}",
    "${x}",
];

const FILTERS: &[&str] = &[
    "state = ACTIVE",
    "state = NOTHING",
    "name = \"x\" AND",
    "a:b OR NOT c",
    "create_time > \"2026-01-01T00:00:00Z\"",
    "\"",
    "follower_count > 99999999999999999999",
    "follower_count >= 1",
    "a.b.c.d = 1",
    "x = 'y",
    "NOT",
    "= =",
    "-state:*",
];

/// Makes messages.
pub(crate) struct Generator<'a> {
    pub(crate) random: &'a mut Rng,
    pub(crate) known: &'a Known,
    /// Whether values of the tenant are known to who calls, beside the names of its resources.
    pub(crate) knows_values: bool,
    pub(crate) method: &'a MethodDescriptor,
    /// Whether a long list is in the message.
    pub(crate) has_long: bool,
}

impl Generator<'_> {
    pub(crate) fn request(&mut self) -> DynamicMessage {
        match self.one_in(20) {
            true => DynamicMessage::new(self.method.input()),
            false => self.message(&self.method.input(), DEPTH),
        }
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.random.usize(..count) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        values[self.random.usize(..values.len())]
    }

    fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        // Whatever is left out everywhere hides what lies behind it.
        let leave_out = [3, 8, 50][self.random.usize(..3)];
        for field in descriptor.fields() {
            if self.one_in(leave_out) || (depth == 0 && matches!(field.kind(), Kind::Message(_))) {
                continue;
            }
            let value = if field.is_map() {
                self.map(&field, depth)
            } else if field.is_list() {
                // One alone: lists of so many in one another are beyond all limits.
                let long = self.one_in(200) && !std::mem::replace(&mut self.has_long, true);
                let count = if long { 2000 } else { self.random.usize(..4) };
                Value::List((0..count).map(|_| self.value(&field, depth)).collect())
            } else {
                self.value(&field, depth)
            };
            // Of a map's key kind that is not dealt with.
            let _ = message.try_set_field(&field, value);
        }
        self.sensible(descriptor, &mut message);
        message
    }

    /// Most messages of well known types are made to mean something.
    fn sensible(&mut self, descriptor: &MessageDescriptor, message: &mut DynamicMessage) {
        if self.one_in(4) {
            return;
        }
        let (small, cents) = (self.random.i64(0..5000), self.random.i32(0..100));
        let mut set = |field: &str, value: Value| _ = message.try_set_field_by_name(field, value);
        match descriptor.full_name() {
            "google.protobuf.Timestamp" => {
                set("seconds", Value::I64(1_780_000_000 + small * 10_000));
                set("nanos", Value::I32(0));
            }
            "google.protobuf.Duration" => {
                set("seconds", Value::I64(small));
                set("nanos", Value::I32(0));
            }
            "google.type.Date" => {
                set("year", Value::I32(2026));
                set("month", Value::I32(1 + cents % 12));
                set("day", Value::I32(1 + cents % 28));
            }
            "google.type.Money" => {
                set("currency_code", Value::String("USD".to_owned()));
                set("units", Value::I64(small));
                set("nanos", Value::I32(cents * 10_000_000));
            }
            _ => {}
        }
    }

    fn map(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        let Kind::Message(entry) = field.kind() else { return Value::Map(Default::default()) };
        let value = entry.map_entry_value_field();
        let count = self.random.usize(..3);
        let entries = (0..count).map(|_| (MapKey::String(self.text("key")), self.value(&value, depth)));
        Value::Map(entries.collect())
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::Message(descriptor) => Value::Message(self.message(&descriptor, depth.saturating_sub(1))),
            Kind::Enum(descriptor) => Value::EnumNumber(self.number_of(&descriptor)),
            Kind::Bool => Value::Bool(self.random.bool()),
            Kind::String => Value::String(self.text(field.name())),
            Kind::Bytes => {
                let length = self.random.usize(..40);
                Value::Bytes((0..length).map(|_| self.random.u8(..)).collect::<Vec<_>>().into())
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                Value::I64(*self.of(&[&0, &1, &12, &-1, &2_000, &253_402_300_800, &i64::MAX, &i64::MIN]))
            }
            Kind::Uint64 | Kind::Fixed64 => Value::U64(*self.of(&[&0, &1, &12, &u64::MAX, &(1 << 63)])),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(*self.of(&[&0, &1, &12, &u32::MAX])),
            Kind::Double => {
                Value::F64(*self.of(&[&0.0, &1.5, &f64::NAN, &f64::INFINITY, &f64::MIN, &-0.0, &f64::MIN_POSITIVE]))
            }
            Kind::Float => Value::F32(*self.of(&[&0.0, &1.5, &f32::NAN, &f32::NEG_INFINITY])),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                let values = [&0, &1, &2, &5, &12, &28, &2026, &10_000, &-1, &1_000_000_000, &i32::MAX, &i32::MIN];
                Value::I32(*self.of(&values))
            }
        }
    }

    fn number_of(&mut self, descriptor: &EnumDescriptor) -> i32 {
        let known: Vec<i32> = descriptor.values().map(|value| value.number()).collect();
        match self.random.usize(..20) {
            0 => 4711,
            1 => -1,
            2 => i32::MAX,
            _ => known[self.random.usize(..known.len())],
        }
    }

    fn text(&mut self, field: &str) -> String {
        match self.random.usize(..24) {
            0 | 1 => self.of(ODD).to_owned(),
            2 => {
                let length = *self.of(&[&1, &63, &64, &65, &128, &129, &10_000, &100_000]);
                self.of(&["x", "é", "(", "NOT ", "a=1 AND ", "/", "0"]).repeat(length)
            }
            _ => self.plausible(field),
        }
    }

    fn plausible(&mut self, field: &str) -> String {
        let words: &[&str] = match field {
            "request_id" => return format!("{:016x}", self.random.u64(..)),
            "page_token" => return self.page_token(),
            "filter" => FILTERS,
            "order_by" => {
                &["create_time desc", "name", "follower_count desc, name", "name,,", "nothing", "create_time sideways"]
            }
            "currency_code" => &["USD", "EUR", "JPY", "XXX", "usd"],
            "time_zone" => &["America/New_York", "Europe/Berlin", "Mars/Olympus", "UTC"],
            "territories" | "territory" | "country_code" | "country" => &["US", "WORLD", "DE", "ZZ"],
            "paths" | "update_mask" => &["display_name", "*", "name", "a.b.c", "", "state"],
            "etag" => &["", "", "1", "ffffffffffffffff", "x"],
            _ => &["c1", "x-1", "reel-1", "A reason.", "instagram", "skin-care", "2026-06-11"],
        };
        let values = self.known.values.get(field).filter(|_| self.knows_values);
        let named = matches!(field, "name" | "names" | "parent" | "resource") || self.known_as_collection(field);
        match self.random.usize(..8) {
            0 | 1 if named => self.known.names[self.random.usize(..self.known.names.len())].clone(),
            2..=6 if named => self.fitting(field),
            0..=5 if values.is_some() => {
                let values = values.map(Vec::as_slice).unwrap_or_default();
                values[self.random.usize(..values.len())].clone()
            }
            _ => self.of(words).to_owned(),
        }
    }

    /// Whether a field is called like a resource, as `contract` is.
    fn known_as_collection(&self, field: &str) -> bool {
        let collection = format!("{field}s/");
        self.known.names.iter().any(|name| name.starts_with(&collection))
    }

    /// A name that the field, or the method, may mean: `GetContract` a contract.
    fn fitting(&mut self, field: &str) -> String {
        let method = self.method.name().to_ascii_lowercase();
        let fits = |name: &&String| {
            let mut collections: Vec<_> = name.split('/').step_by(2).collect();
            let last = collections.pop().unwrap_or_default().trim_end_matches('s').to_ascii_lowercase();
            last == field || (field == "name" && method.contains(&last))
        };
        let fitting: Vec<_> = self.known.names.iter().filter(fits).collect();
        match fitting.len() {
            0 => self.known.names[self.random.usize(..self.known.names.len())].clone(),
            count => fitting[self.random.usize(..count)].clone(),
        }
    }

    fn page_token(&mut self) -> String {
        let known = &self.known.page_tokens;
        match self.random.usize(..4) {
            0 if !known.is_empty() => known[self.random.usize(..known.len())].clone(),
            1 => self.of(&["x", "AAAA", "AAECAwQFBgcICQ==", "eyJhIjoxfQ", "\u{1f600}"]).to_owned(),
            _ => String::new(),
        }
    }
}
