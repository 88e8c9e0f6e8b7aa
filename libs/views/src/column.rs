//! Columns: what of a row stands beside its protobuf, so that a list can filter and order by it.
//!
//! Invariant: a column's value is computed from the row alone, so rows and columns can't disagree.

use std::fmt;

use prost_types::Timestamp;

use crate::enumeration::Enumeration;

/// A field of the row that a list may filter and order by, under the name that the API's filter uses.
pub struct Column<R> {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    pub(crate) indexed: bool,
    /// Whether its value is the row's group.
    pub(crate) grouping: bool,
    /// Which texts it can hold, if it is of an enum.
    pub(crate) enumeration: Option<Enumeration>,
    read: Read<R>,
}

enum Read<R> {
    One(Reader<R, Value>),
    Set(Reader<R, Vec<String>>),
}

type Reader<R, T> = Box<dyn Fn(&R) -> T + Send + Sync>;

/// What a column holds, and with it which operators and literals fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Compared by bytes.
    Text,
    /// Whole numbers: counts, minor units of money.
    Integer,
    /// Yes or no, as 1 and 0: reading a BOOLEAN through `sqlx::Any` fails on SQLite.
    Flag,
    /// UTC microseconds since 1970; [`UNSET_TIME`] if there is none.
    Time,
    /// Strings, asked by `:` only.
    Set,
}

/// Stands for "no time", before all times: columns have no NULL, for pages are told apart by comparing.
pub(crate) const UNSET_TIME: i64 = i64::MIN;

/// A scalar column's value, as it is bound to SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
}

impl<R> Column<R> {
    /// Text: a resource name, a currency.
    pub fn text(name: &'static str, read: impl Fn(&R) -> String + Send + Sync + 'static) -> Self {
        Self::one(name, ColumnKind::Text, move |row| Value::Text(storable(read(row))))
    }

    /// A whole number. Money goes in minor units, and so does the filter.
    pub fn integer(name: &'static str, read: impl Fn(&R) -> i64 + Send + Sync + 'static) -> Self {
        Self::one(name, ColumnKind::Integer, move |row| Value::Integer(read(row)))
    }

    /// Yes or no, which a filter asks for by `name = true` and `name = false`; `name:*` is yes.
    pub fn flag(name: &'static str, read: impl Fn(&R) -> bool + Send + Sync + 'static) -> Self {
        Self::one(name, ColumnKind::Flag, move |row| Value::Integer(read(row).into()))
    }

    /// An instant, kept to the microsecond. `None` orders before all times and is found by `NOT name:*`.
    pub fn time(name: &'static str, read: impl Fn(&R) -> Option<Timestamp> + Send + Sync + 'static) -> Self {
        Self::one(name, ColumnKind::Time, move |row| Value::Integer(read(row).map_or(UNSET_TIME, micros)))
    }

    /// A value of an enum of the proto files, `enumeration` being its full name: `tandem.contracts.v1.ContractState`.
    ///
    /// Kept and ordered by as text without the prefix, `SIGNED`. A filter may write `CONTRACT_STATE_SIGNED` or `signed`
    /// as well; what is no value is refused. The zero value is found by `NOT name:*`.
    pub fn enumeration(
        name: &'static str,
        enumeration: &'static str,
        read: impl Fn(&R) -> i32 + Send + Sync + 'static,
    ) -> Self {
        let values = Enumeration::of(enumeration);
        let known = values.clone();
        let column = Self::one(name, ColumnKind::Text, move |row| Value::Text(known.stored(read(row))));
        Self { enumeration: Some(values), ..column }
    }

    /// Several strings, asked by `name:value`. Can't be ordered by.
    pub fn set(name: &'static str, read: impl Fn(&R) -> Vec<String> + Send + Sync + 'static) -> Self {
        let read = Read::Set(Box::new(read));
        Self { name, kind: ColumnKind::Set, indexed: false, grouping: false, enumeration: None, read }
    }

    /// Several values of an enum, each as [`Self::enumeration`] has it, zero values left out; asked by `name:value`.
    pub fn enumeration_set(
        name: &'static str,
        enumeration: &'static str,
        read: impl Fn(&R) -> Vec<i32> + Send + Sync + 'static,
    ) -> Self {
        let values = Enumeration::of(enumeration);
        let known = values.clone();
        let members =
            move |row: &R| read(row).into_iter().filter(|value| *value != 0).map(|value| known.stored(value)).collect();
        Self { enumeration: Some(values), ..Self::set(name, members) }
    }

    /// With an index: for what is often filtered by and seldom the same. Costs at every write. Sets always have one.
    #[must_use]
    pub fn indexed(mut self) -> Self {
        self.indexed = self.kind != ColumnKind::Set;
        self
    }

    /// A text that says to which group the row belongs, with an index: an event can touch a whole group, see
    /// [`View::groups`](crate::View::groups). A row's group never changes; the empty text is none. Of one column at most.
    #[must_use]
    pub fn grouping(self) -> Self {
        Self { grouping: self.kind == ColumnKind::Text, ..self.indexed() }
    }

    fn one(name: &'static str, kind: ColumnKind, read: impl Fn(&R) -> Value + Send + Sync + 'static) -> Self {
        Self { name, kind, indexed: false, grouping: false, enumeration: None, read: Read::One(Box::new(read)) }
    }

    /// The row's group, if this column tells it.
    pub(crate) fn group(&self, row: &R) -> Option<String> {
        match self.value(row) {
            Some(Value::Text(group)) if self.grouping && !group.is_empty() => Some(group),
            _ => None,
        }
    }

    /// The row's value; none for a set.
    pub(crate) fn value(&self, row: &R) -> Option<Value> {
        match &self.read {
            Read::One(read) => Some(read(row)),
            Read::Set(_) => None,
        }
    }

    /// The row's members; none for a scalar.
    pub(crate) fn members(&self, row: &R) -> Vec<String> {
        match &self.read {
            Read::One(_) => Vec::new(),
            Read::Set(read) => read(row).into_iter().map(storable).collect(),
        }
    }
}

/// `state:enum`: a generation whose columns differ in this is built anew.
impl<R> fmt::Debug for Column<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.enumeration, self.kind) {
            (Some(_), ColumnKind::Set) => write!(f, "{}:enum_set", self.name),
            (Some(_), _) => write!(f, "{}:enum", self.name),
            (None, kind) => write!(f, "{}:{kind}", self.name),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Flag => "flag",
            Self::Time => "time",
            Self::Set => "set",
        })
    }
}

/// Text that every database can hold: Postgres refuses NUL characters, and one in an event must not stop the view. The
/// row itself is kept as it is.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Microseconds since 1970, saturating: a protobuf timestamp reaches further than any time that is meant.
fn micros(time: Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000_000).saturating_add(i64::from(time.nanos) / 1000).max(UNSET_TIME + 1)
}
