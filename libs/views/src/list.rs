//! Getting and listing rows of one generation.
//!
//! Invariant: every statement names the tenant as its `$1`, so that no row of another tenant can be answered.

use prost::Message;
use sqlx::{AssertSqlSafe, Row as _};
use tandem_eventlog::Position;

use crate::column::{ColumnKind, Value};
use crate::filter::Condition;
use crate::generation::Generation;
use crate::memory::in_memory;
use crate::order::{self, Term};
use crate::page::{ListQuery, Page};
use crate::query::{Fields, QueryError, Sql};
use crate::schema::Schema;
use crate::{StoreError, filter};

impl Generation {
    pub(crate) async fn get<R: Message + Default>(&self, tenant: &str, id: &str) -> Result<Option<R>, StoreError> {
        in_memory!(self.database, memory => memory.get(self, tenant, id).await);
        let sql = format!("SELECT body FROM {} WHERE tenant = $1 AND id = $2", self.tables.rows());
        let row = sqlx::query(AssertSqlSafe(sql)).bind(tenant).bind(id).fetch_optional(&self.database.pool).await?;
        row.map(|row| self.decode(id, row.try_get(0)?)).transpose()
    }

    pub(crate) async fn list<R: Message + Default>(
        &self,
        schema: &Schema<R>,
        tenant: &str,
        query: &ListQuery<'_>,
        position: Position,
    ) -> Result<Page<R>, QueryError> {
        let size = query.size()?;
        let fields = Fields::new(schema, self);
        let conditions = self.conditions(schema, &fields, query)?;
        let terms =
            order::parse(query.order_by, &fields).map_err(|reason| self.refuse(schema, reason, QueryError::OrderBy))?;
        let last = query.last(self.view, tenant, &terms)?;

        in_memory!(self.database, memory => {
            let matching = memory.matching(self, schema, tenant, &conditions, &terms).await?;
            crate::memory::page(matching, last, size, &terms, position, |values| query.token(self.view, tenant, values))
        });
        let condition = self.condition(tenant, &conditions);
        let (first, mut sql) = (last.is_none(), condition.clone());
        if let Some(last) = last {
            order::after(&terms, last, &mut sql);
        }
        // One more than asked for tells whether there is a next page.
        let limit = sql.bind(Value::Integer(i64::from(size) + 1));
        let columns: String = terms.iter().map(|term| format!(", {}", term.field.sql())).collect();
        let order = order::order_clause(&terms);
        // One statement sees one state, and is one journey to the database.
        let total = condition.count();
        sql.text = format!("SELECT id, body{columns}, ({total}) FROM {} ORDER BY {order} LIMIT {limit}", sql.text);
        let mut found = sql.query().fetch_all(&self.database.pool).await?;
        let total_size: i64 = match found.first() {
            Some(row) => row.try_get(2 + terms.len())?,
            None if first => 0,
            // All that came after the page before has gone.
            None => {
                let sql = Sql { text: total, values: condition.values };
                sql.query().fetch_one(&self.database.pool).await?.try_get(0)?
            }
        };

        let wanted = usize::try_from(size).unwrap_or_default();
        let more = found.len() > wanted;
        found.truncate(wanted);
        let next_page_token = match found.last().filter(|_| more) {
            Some(row) => query.token(self.view, tenant, values(row, &terms)?),
            None => String::new(),
        };
        let row = |row: &sqlx::any::AnyRow| {
            let id: String = row.try_get(0)?;
            let body = self.decode(&id, row.try_get(1)?)?;
            Ok((id, body))
        };
        let rows = found.iter().map(row).collect::<Result<_, StoreError>>()?;
        let total_size = i32::try_from(total_size).unwrap_or(i32::MAX);
        Ok(Page { rows, next_page_token, total_size, position })
    }

    /// Rows of all tenants, by tenant and id.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn all_rows<R: Message + Default>(
        &self,
    ) -> Result<std::collections::BTreeMap<(String, String), R>, StoreError> {
        in_memory!(self.database, memory => memory.rows(self).await);
        let sql = format!("SELECT tenant, id, body FROM {}", self.tables.rows());
        let mut rows = std::collections::BTreeMap::new();
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.database.pool).await? {
            let id: String = row.try_get(1)?;
            let body = self.decode(&id, row.try_get(2)?)?;
            rows.insert((row.try_get(0)?, id), body);
        }
        Ok(rows)
    }

    /// What the service and the caller ask of a row.
    fn conditions<'a, R>(
        &self,
        schema: &Schema<R>,
        fields: &Fields<'a>,
        query: &ListQuery<'_>,
    ) -> Result<Vec<Condition<'a>>, QueryError> {
        let refuse = |reason| self.refuse(schema, reason, QueryError::Filter);
        let mut conditions = Vec::with_capacity(query.fixed.len() + 1);
        for (name, value) in &query.fixed {
            conditions.push(fields.find(name).and_then(|field| filter::fixed(field, value)).map_err(refuse)?);
        }
        conditions.extend(filter::parse(query.filter, fields).map_err(refuse)?);
        Ok(conditions)
    }

    /// `<rows> WHERE ..`: what matches, over all pages.
    fn condition(&self, tenant: &str, conditions: &[Condition<'_>]) -> Sql {
        let tags = self.tables.tags();
        let mut sql = Sql::default();
        let tenant = sql.bind(Value::Text(tenant.to_owned()));
        sql.text = format!("{} WHERE tenant = {tenant}", self.tables.rows());
        for condition in conditions {
            sql.text.push_str(" AND ");
            condition.write(&tags, &mut sql);
        }
        sql
    }

    /// A generation of an older version may lack a field that the query rightly names.
    fn refuse<R>(&self, schema: &Schema<R>, reason: String, error: fn(String) -> QueryError) -> QueryError {
        if schema.columns.iter().all(|column| self.has(column)) {
            return error(reason);
        }
        QueryError::Building(format!("the new version of view {:?}", self.view))
    }
}

impl Sql {
    /// The statement that counts what a condition lets through.
    fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.text)
    }
}

/// Values of the order's terms, which stand after id and body.
fn values(row: &sqlx::any::AnyRow, terms: &[Term<'_>]) -> Result<Vec<Value>, sqlx::Error> {
    let value = |(at, term): (usize, &Term<'_>)| match term.field.kind {
        ColumnKind::Text | ColumnKind::Set => row.try_get(at + 2).map(Value::Text),
        ColumnKind::Integer | ColumnKind::Flag | ColumnKind::Time => row.try_get(at + 2).map(Value::Integer),
    };
    terms.iter().enumerate().map(value).collect()
}
