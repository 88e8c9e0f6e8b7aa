//! Queries: what can be wrong with one, the fields it may use, and the SQL that it becomes.
//!
//! Invariant: of a query only checked column names reach the text of SQL; every value is bound.

use std::fmt;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use crate::StoreError;
use crate::column::{ColumnKind, Value};
use crate::enumeration::Enumeration;
use crate::generation::{Generation, bind_value};
use crate::schema::Schema;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The filter is wrong: INVALID_ARGUMENT, field `filter`.
    #[error("filter: {0}")]
    Filter(String),
    /// The order is wrong: INVALID_ARGUMENT, field `order_by`.
    #[error("order_by: {0}")]
    OrderBy(String),
    /// Negative: INVALID_ARGUMENT, field `page_size`.
    #[error("page_size: {0} is negative: use 1 to 1000, or 0 for the default of 50")]
    PageSize(i32),
    /// Not a token of this very list: INVALID_ARGUMENT, field `page_token`.
    #[error(
        "page_token: it is not one that this list gave: pass next_page_token as it came, with the same filter and \
         order_by, or none to start over"
    )]
    PageToken,
    /// The view is being built for the first time, or its new version with a new field is: UNAVAILABLE, try again.
    #[error("{0} is still being built: try again later")]
    Building(String),
    /// The store failed: UNAVAILABLE or INTERNAL, no fault of the caller.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueryError {
    /// The request's field that is at fault, for `BadRequest`; none if it is not the request.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Filter(_) => Some("filter"),
            Self::OrderBy(_) => Some("order_by"),
            Self::PageSize(_) => Some("page_size"),
            Self::PageToken => Some("page_token"),
            Self::Building(_) | Self::Store(_) => None,
        }
    }
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A field that a query may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    /// Which values it has, if it is of an enum.
    pub(crate) enumeration: Option<&'a Enumeration>,
}

impl Field<'_> {
    pub(crate) const ID: Self = Self { name: "id", kind: ColumnKind::Text, enumeration: None };

    /// The column in SQL.
    pub(crate) fn sql(self) -> String {
        if self == Self::ID { "id".to_owned() } else { format!("c_{}", self.name) }
    }
}

/// The fields of a view, as one generation has them.
pub(crate) struct Fields<'a>(pub(crate) Vec<Field<'a>>);

impl<'a> Fields<'a> {
    /// The id, then the columns that the generation has.
    pub(crate) fn new<R>(schema: &'a Schema<R>, generation: &Generation) -> Self {
        let present = schema.columns.iter().filter(|column| generation.has(column));
        let fields = present.map(|column| Field {
            name: column.name,
            kind: column.kind,
            enumeration: column.enumeration.as_ref(),
        });
        Self(std::iter::once(Field::ID).chain(fields).collect())
    }

    pub(crate) fn find(&self, name: &str) -> Result<Field<'a>, String> {
        let found = self.0.iter().find(|field| field.name == name);
        found.copied().ok_or_else(|| format!("there is no field {name:?}: the fields are {self}"))
    }
}

/// `amount (integer), state (enum: DRAFT, SIGNED), platform (set of enum: INSTAGRAM, TIKTOK)`.
impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |field: &Field<'_>| match (field.enumeration, field.kind) {
            (Some(values), ColumnKind::Set) => format!("{} (set of enum: {values})", field.name),
            (Some(values), _) => format!("{} (enum: {values})", field.name),
            (None, kind) => format!("{} ({kind})", field.name),
        };
        let fields: Vec<String> = self.0.iter().map(field).collect();
        f.write_str(&fields.join(", "))
    }
}

/// Text of a statement under construction, with the values bound to its `$n`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    /// Binds a value and answers its placeholder.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// The statement, ready to run. A connection keeps the hundred texts that were used last prepared: values are bound,
    /// so there are only as many as filters have shapes.
    pub(crate) fn query(self) -> Query<'static, Any, AnyArguments> {
        self.values.into_iter().fold(sqlx::query(AssertSqlSafe(self.text)), bind_value)
    }
}
