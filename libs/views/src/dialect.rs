//! Where SQLite and Postgres differ. All other SQL is the common subset: `ON CONFLICT DO UPDATE`, BIGINT, TEXT, BYTEA, no
//! NULL, flags as 0 and 1, times as BIGINT.
//!
//! Invariant: the same events make the same rows, in the same order, on both.

use std::borrow::Cow;

/// Of which database the SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One file per view.
    Sqlite,
    /// One schema per service.
    Postgres,
}

impl Dialect {
    /// Text that compares by bytes, so that a page follows the order of its predecessor.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Sqlite => "TEXT",
            Self::Postgres => r#"TEXT COLLATE "C""#,
        }
    }

    /// The `n`th parameter, from 1, of a statement that names its parameters in their order.
    pub(crate) fn parameter(self, n: usize) -> Cow<'static, str> {
        match self {
            // Named ones are looked up one after the other when they are bound: that takes the square of their number.
            Self::Sqlite => "?".into(),
            Self::Postgres => format!("${n}").into(),
        }
    }

    /// What makes a transaction wait for the disk when it is committed, if others don't.
    pub(crate) fn durable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SET LOCAL synchronous_commit = on"),
        }
    }

    /// What is to be said when a table has been filled, so that queries are planned by what is in it.
    pub(crate) fn filled(self, table: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("ANALYZE {table}")),
        }
    }
}
