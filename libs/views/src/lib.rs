//! Views: what is only *seen*, folded from the log into rows that can be got, listed, filtered and ordered.
//!
//! A view is a name, a version, a row type and a fold ([`View`]). [`start`] runs it: a task follows the log, folds
//! batches of events in memory, and writes the changed rows together with the checkpoint in one transaction of the
//! [`ViewStore`], SQLite files or a Postgres database that replicas share. The [`ViewHandle`] answers queries. No other
//! crate speaks SQL to a view.
//!
//! Invariant: the rows of a view are at all times exactly the fold of the log's events up to its position, parked
//! events excepted. An event is never folded twice, nor skipped without a [`Parked`] entry that says so.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use tandem_eventlog::{EventLog, Kind, Positions, RecordedEvent};
//! use tandem_views::{AnyView, Column, FoldError, ListQuery, View, ViewStore};
//!
//! /// A stored message; in a service this is the resource that it answers with.
//! #[derive(Clone, PartialEq, prost::Message)]
//! struct Contract {
//!     #[prost(string, tag = "1")]
//!     state: String,
//!     #[prost(string, repeated, tag = "2")]
//!     markets: Vec<String>,
//!     #[prost(message, optional, tag = "3")]
//!     update_time: Option<prost_types::Timestamp>,
//! }
//!
//! struct Contracts;
//!
//! impl View for Contracts {
//!     const NAME: &'static str = "contracts";
//!     const VERSION: i32 = 1;
//!     const KINDS: &'static [Kind] = &[Kind { context: "contracts", aggregate: "contract" }];
//!     type Row = Contract;
//!
//!     fn columns() -> Vec<Column<Contract>> {
//!         vec![
//!             Column::text("state", |row: &Contract| row.state.clone()).indexed(),
//!             Column::set("market", |row: &Contract| row.markets.clone()),
//!             Column::time("update_time", |row: &Contract| row.update_time),
//!         ]
//!     }
//!
//!     fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
//!         Ok(vec![event.tokens()[3].to_owned()])
//!     }
//!
//!     fn fold(&self, _key: &str, row: Option<Contract>, event: &RecordedEvent) -> Result<Option<Contract>, FoldError> {
//!         let mut row = row.unwrap_or_default();
//!         match event.envelope.event_type.as_str() {
//!             "tandem.contracts.v1.ContractSigned" => row.state = "SIGNED".into(),
//!             "tandem.contracts.v1.ContractErased" => return Ok(None),
//!             _ => {}
//!         }
//!         Ok(Some(row))
//!     }
//! }
//!
//! # async fn example(log: Arc<dyn EventLog>, positions: Positions) -> Result<(), Box<dyn std::error::Error>> {
//! let shutdown = tokio_util::sync::CancellationToken::new();
//! let store = ViewStore::open("sqlite:/var/lib/tandem/contracts").await?;
//! let contracts = tandem_views::start(Contracts, &store, log, shutdown).await?;
//!
//! // Read after one's own write, bounded by the deadline; then list.
//! contracts.wait_for(&positions, tokio::time::Instant::now() + Duration::from_secs(5)).await?;
//! let page = contracts
//!     .list("acme", &ListQuery { filter: r#"state = SIGNED AND market:DE"#, order_by: "update_time desc", ..Default::default() })
//!     .await?;
//! # drop(page);
//! # Ok(())
//! # }
//! ```

mod build;
mod column;
mod dialect;
mod enumeration;
mod filter;
mod fold;
mod generation;
mod handle;
mod lease;
mod lexer;
mod list;
mod memory;
mod order;
mod page;
mod park;
mod pipeline;
mod postgres;
mod query;
mod register;
mod retry;
mod runner;
mod schema;
mod sqlite;
mod standby;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod view;
mod working_set;

pub use column::Column;
pub use fold::{FoldError, fold_all};
pub use handle::{AnyView, RebuildError, RebuildReport, RetryError, ViewHandle, ViewStatus, WaitError};
#[cfg(any(test, feature = "testing"))]
pub use memory::{MemoryViews, StoreGate};
pub use page::{ListQuery, Page};
pub use park::Parked;
pub use query::QueryError;
pub use retry::RetryReport;
pub use runner::start;
pub use store::{StoreError, ViewStore};
pub use view::View;
