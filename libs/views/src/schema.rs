//! The schema of one generation of a view, and the text of every statement that reads or writes it.
//!
//! Only identifiers are spliced into SQL: a view's name and its columns' names, checked here. All else is bound. The
//! text is the common subset of SQLite and Postgres; where they differ stands in [`Dialect`].

use std::sync::Arc;

use crate::column::{Column, ColumnKind, Value};
use crate::dialect::Dialect;
use crate::enumeration::Enumeration;
use crate::store::StoreError;
use crate::working_set::Tag;

/// Rows per statement. The few sizes keep the statement texts few, so that each is prepared once.
pub(crate) const CHUNKS: [usize; 4] = [128, 32, 8, 1];

/// Columns of a view, checked, and what depends on them alone.
#[derive(Debug)]
pub(crate) struct Schema<R> {
    pub(crate) columns: Vec<Column<R>>,
    pub(crate) has_sets: bool,
}

impl<R> Schema<R> {
    pub(crate) fn new(view: &str, version: i32, columns: Vec<Column<R>>) -> Result<Arc<Self>, StoreError> {
        let refuse = |reason: String| Err(StoreError::Definition { view: view.to_owned(), reason });
        if !is_identifier(view) {
            return refuse("its name is not 1 to 40 of a-z 0-9 _, beginning with a letter".to_owned());
        }
        if version < 1 {
            return refuse(format!("its version {version} is below 1"));
        }
        for (at, column) in columns.iter().enumerate() {
            let name = column.name;
            if !is_identifier(name) {
                return refuse(format!("column {name:?} is not 1 to 40 of a-z 0-9 _, beginning with a letter"));
            }
            if name == "id" || columns[..at].iter().any(|other| other.name == name) {
                return refuse(format!("column {name:?} is defined twice (\"id\" is there always)"));
            }
            if let Some(Err(reason)) = column.enumeration.as_ref().map(Enumeration::check) {
                return refuse(format!("column {name:?}: {reason}"));
            }
        }
        if columns.iter().filter(|column| column.grouping).count() > 1 {
            return refuse("more than one of its columns is grouping".to_owned());
        }
        let has_sets = columns.iter().any(|column| column.kind == ColumnKind::Set);
        Ok(Arc::new(Self { columns, has_sets }))
    }

    pub(crate) fn scalars(&self) -> impl Iterator<Item = &Column<R>> {
        self.columns.iter().filter(|column| column.kind != ColumnKind::Set)
    }

    /// Values of the scalar columns, in their order.
    pub(crate) fn values(&self, row: &R) -> impl Iterator<Item = Value> {
        self.columns.iter().filter_map(move |column| column.value(row))
    }

    /// The column that tells a row's group.
    pub(crate) fn grouping(&self) -> Option<&Column<R>> {
        self.columns.iter().find(|column| column.grouping)
    }

    /// Members of the set columns, sorted, each once.
    pub(crate) fn tags(&self, row: Option<&R>) -> Vec<Tag> {
        let Some(row) = row.filter(|_| self.has_sets) else { return Vec::new() };
        let members = |column: &Column<R>| {
            let field = column.name;
            column.members(row).into_iter().map(move |value| Tag { field, value }).collect::<Vec<_>>()
        };
        let mut tags: Vec<Tag> = self.columns.iter().flat_map(members).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Names and kinds of the columns, as kept with a generation: `state:text market:set`.
    pub(crate) fn signature(&self) -> String {
        self.columns.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>().join(" ")
    }
}

/// SQL names of one generation's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tables {
    prefix: String,
}

impl Tables {
    pub(crate) fn new(view: &str, version: i32, generation: i64) -> Self {
        Self { prefix: format!("{view}_v{version}_g{generation}") }
    }

    pub(crate) fn rows(&self) -> String {
        self.prefix.clone()
    }

    pub(crate) fn tags(&self) -> String {
        format!("{}_tags", self.prefix)
    }

    pub(crate) fn parked(&self) -> String {
        format!("{}_parked", self.prefix)
    }

    /// The tables, with no index but their primary keys: rows are written faster without.
    pub(crate) fn create<R>(&self, schema: &Schema<R>, dialect: Dialect) -> [String; 3] {
        let text = dialect.text();
        let columns: String = schema
            .scalars()
            .map(|column| match column.kind {
                ColumnKind::Text | ColumnKind::Set => format!("c_{} {text} NOT NULL, ", column.name),
                ColumnKind::Integer | ColumnKind::Flag | ColumnKind::Time => {
                    format!("c_{} BIGINT NOT NULL, ", column.name)
                }
            })
            .collect();
        [
            format!(
                "CREATE TABLE {} (tenant {text} NOT NULL, id {text} NOT NULL, {columns}body BYTEA NOT NULL, \
                 PRIMARY KEY (tenant, id))",
                self.rows()
            ),
            format!(
                "CREATE TABLE {} (tenant {text} NOT NULL, field {text} NOT NULL, value {text} NOT NULL, \
                 id {text} NOT NULL, PRIMARY KEY (tenant, field, value, id))",
                self.tags()
            ),
            format!(
                "CREATE TABLE {} (position BIGINT NOT NULL PRIMARY KEY, subject {text} NOT NULL, \
                 event_type {text} NOT NULL, error {text} NOT NULL, time BIGINT NOT NULL)",
                self.parked()
            ),
        ]
    }

    /// What queries want, made when a generation is built: indexes, and what the database is to know of the tables.
    pub(crate) fn finish<R>(&self, schema: &Schema<R>, dialect: Dialect) -> Vec<String> {
        let index = |(at, column): (usize, &Column<R>)| {
            let (rows, name) = (self.rows(), column.name);
            format!("CREATE INDEX IF NOT EXISTS {rows}_i{at} ON {rows} (tenant, c_{name}, id)")
        };
        let indexes = schema.scalars().enumerate().filter(|(_, column)| column.indexed).map(index);
        indexes.chain([self.rows(), self.tags()].iter().filter_map(|table| dialect.filled(table))).collect()
    }

    pub(crate) fn drop(&self) -> [String; 3] {
        [self.rows(), self.tags(), self.parked()].map(|table| format!("DROP TABLE IF EXISTS {table}"))
    }
}

/// A statement in each of the sizes of [`CHUNKS`].
pub(crate) type Chunked = [Arc<str>; CHUNKS.len()];

/// Text of the statements that the runner uses, made once per generation.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) load: Chunked,
    pub(crate) upsert: Chunked,
    pub(crate) delete: Chunked,
    pub(crate) add_tags: Chunked,
    pub(crate) remove_tags: Chunked,
    pub(crate) park: Chunked,
}

impl Statements {
    pub(crate) fn new<R>(schema: &Schema<R>, tables: &Tables, dialect: Dialect) -> Self {
        let chunked = |width, text: &dyn Fn(&str) -> String| chunked(dialect, width, text);
        let (rows, tags, parked) = (tables.rows(), tables.tags(), tables.parked());
        let columns: Vec<String> = schema.scalars().map(|column| format!("c_{}", column.name)).collect();
        let list: String = columns.iter().map(|column| format!("{column}, ")).collect();
        let sets: String = columns.iter().map(|column| format!("{column} = excluded.{column}, ")).collect();
        Self {
            load: chunked(2, &|keys| {
                format!("SELECT tenant, id, body FROM {rows} WHERE (tenant, id) IN (VALUES {keys})")
            }),
            upsert: chunked(3 + columns.len(), &|values| {
                format!(
                    "INSERT INTO {rows} (tenant, id, {list}body) VALUES {values} \
                     ON CONFLICT (tenant, id) DO UPDATE SET {sets}body = excluded.body"
                )
            }),
            delete: chunked(2, &|keys| format!("DELETE FROM {rows} WHERE (tenant, id) IN (VALUES {keys})")),
            add_tags: chunked(4, &|values| {
                format!("INSERT INTO {tags} (tenant, id, field, value) VALUES {values} ON CONFLICT DO NOTHING")
            }),
            remove_tags: chunked(4, &|keys| {
                format!("DELETE FROM {tags} WHERE (tenant, id, field, value) IN (VALUES {keys})")
            }),
            park: chunked(5, &|values| {
                format!("INSERT INTO {parked} (position, subject, event_type, error, time) VALUES {values}")
            }),
        }
    }
}

/// `text` with `(?, ?), (?, ?), ..` of `width` parameters a row.
fn chunked(dialect: Dialect, width: usize, text: &dyn Fn(&str) -> String) -> Chunked {
    CHUNKS.map(|rows| {
        let row = |at: usize| {
            let parameters: Vec<_> = (1..=width).map(|n| dialect.parameter(at * width + n)).collect();
            format!("({})", parameters.join(", "))
        };
        let values: Vec<String> = (0..rows).map(row).collect();
        text(&values.join(", ")).into()
    })
}

/// Whether it can be spliced into SQL as a name.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
