//! Importing creators from an export.
//!
//! Invariant: every row of the file ends up in the report: taken, merged with one before, or rejected with its line and
//! the reason. Importing the same file again changes nothing.
//!
//! ```no_run
//! use tandem_cli::import::{self, Mapping};
//!
//! # async fn example(client: tandem_client::Client) -> anyhow::Result<()> {
//! let mapping = Mapping::from_file("examples/creators-instagram.toml".as_ref())?;
//! let file = std::fs::File::open("examples/creators-instagram-2022-09.csv")?;
//! let report = import::run(&client, &mapping, file, |_| {}).await?;
//! assert_eq!(report.rows, report.created + report.repeats);
//! # Ok(())
//! # }
//! ```

mod command;
mod headers;
mod lines;
mod mapping;
mod number;
mod report;
mod rows;
#[cfg(test)]
mod tests;

use std::io::Read;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tandem_client::Client;
use tandem_proto::creators::v1::{BatchImportCreatorsRequest, ImportCreatorResult};
use tonic::{Code, Request};

pub use command::Import;
pub use mapping::{Column, Columns, Field, Mapping, MappingError};
pub use number::parse_count;
pub use report::{Rejection, Report};
pub use rows::{Layout, Row, Rows};

use report::Tally;

/// Rows of a request.
const BATCH_ROWS: usize = 200;
/// Requests at the same time; enough to keep the service busy while the next ones are read.
const BATCHES_IN_FLIGHT: usize = 4;
/// What a service allows a request at most; a batch writes each of its creators.
const BATCH_DEADLINE: std::time::Duration = std::time::Duration::from_secs(30);

/// Why an import did not begin, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The mapping does not fit, or not this file.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The delimiter is no ASCII character.
    #[error("delimiter {0:?} is not one ASCII character, such as \",\" or \";\"")]
    Delimiter(char),
    /// The file is empty or begins with a blank record.
    #[error("the file has no header line; put the names of the columns on its first line")]
    NoHeaders,
    /// The file can't be read any further.
    #[error("the file can't be read: {0}")]
    File(#[from] csv::Error),
    /// The caller may not import: no row was taken.
    #[error("no row was taken: {0}")]
    Denied(#[source] tandem_client::Error),
    /// The service took a batch no more. Rows that it took before remain.
    #[error(
        "the rows from line {first_line} to {last_line} were not taken: {source}\nOther rows may have been taken, and \
         are kept. Run the import again: what was taken already is not changed by that."
    )]
    Refused {
        /// Line of the batch's first row.
        first_line: u64,
        /// Line on which its last row begins.
        last_line: u64,
        /// What the service said.
        source: tandem_client::Error,
    },
    /// The service answered with more or fewer results than rows.
    #[error("the service answered {results} results to {rows} rows; it does not speak this version of the API")]
    Results {
        /// Rows sent.
        rows: usize,
        /// Results received.
        results: usize,
    },
}

impl ImportError {
    /// Whether rows may have been taken before.
    #[must_use]
    pub fn may_have_begun(&self) -> bool {
        match self {
            Self::Mapping(_) | Self::Delimiter(_) | Self::NoHeaders | Self::Denied(_) => false,
            Self::File(_) | Self::Refused { .. } | Self::Results { .. } => true,
        }
    }

    /// The same, by one who knows whether rows were taken: a caller who may not import may have been able to before.
    fn after(self, taken: bool) -> Self {
        match self {
            Self::Refused { source, .. }
                if !taken && matches!(source.code(), Code::Unauthenticated | Code::PermissionDenied) =>
            {
                Self::Denied(source)
            }
            other => other,
        }
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Rows answered for.
    pub rows: u64,
    /// Rows rejected among them.
    pub rejected: u64,
    /// Bytes of the file that these rows, and those before, take.
    pub bytes: u64,
}

/// Rows of a request, and what was rejected while they were read.
struct Batch {
    rows: Vec<Row>,
    rejected: Vec<Rejection>,
    bytes: u64,
}

/// Imports a file by a mapping. `progress` is told after each batch.
///
/// # Errors
/// If the file or the mapping can't be used, before anything is sent; or if the service is lost on the way: rows that
/// it took before remain.
pub async fn run(
    client: &Client,
    mapping: &Mapping,
    file: impl Read,
    mut progress: impl FnMut(Progress),
) -> Result<Report, ImportError> {
    let rows = Rows::open(file, mapping)?;
    let layout = rows.layout().clone();
    let mut tally = Tally::default();
    let mut done = Progress::default();
    let mut answers = stream::iter(batches(rows))
        .map(|batch| async move {
            let batch = batch?;
            let results = send(client, &batch.rows).await?;
            Ok::<_, ImportError>((batch, results))
        })
        .buffer_unordered(BATCHES_IN_FLIGHT);
    while let Some((batch, results)) = answers.try_next().await.map_err(|error| error.after(tally.taken()))? {
        for rejection in batch.rejected {
            tally.rejected(rejection);
        }
        for (row, result) in batch.rows.iter().zip(results) {
            tally.answered(row.line, result, &layout);
        }
        done = Progress { rows: tally.rows, rejected: tally.rejected_count(), bytes: done.bytes.max(batch.bytes) };
        progress(done);
    }
    drop(answers);
    Ok(tally.report())
}

/// The file in batches.
fn batches<R: Read>(mut rows: Rows<R>) -> impl Iterator<Item = Result<Batch, ImportError>> {
    std::iter::from_fn(move || {
        let mut batch = Batch { rows: Vec::with_capacity(BATCH_ROWS), rejected: Vec::new(), bytes: 0 };
        // Rejected rows count too: a file of bad rows alone is not gathered in memory as one batch.
        while batch.rows.len() + batch.rejected.len() < BATCH_ROWS {
            match rows.next() {
                Some(Ok(Ok(row))) => batch.rows.push(row),
                Some(Ok(Err(rejection))) => batch.rejected.push(rejection),
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        batch.bytes = rows.bytes_read();
        (!batch.rows.is_empty() || !batch.rejected.is_empty()).then_some(Ok(batch))
    })
    .fuse()
}

/// Has a batch taken. Tried again by the client: a batch is one command, however often it is sent.
async fn send(client: &Client, rows: &[Row]) -> Result<Vec<ImportCreatorResult>, ImportError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let mut request = Request::new(BatchImportCreatorsRequest {
        rows: rows.iter().map(|row| row.row.clone()).collect(),
        ..Default::default()
    });
    request.set_timeout(BATCH_DEADLINE);
    let refused = |status: tonic::Status| ImportError::Refused {
        first_line: first.line,
        last_line: last.line,
        source: status.into(),
    };
    let results = client.creators().batch_import_creators(request).await.map_err(refused)?.into_inner().results;
    if results.len() != rows.len() {
        return Err(ImportError::Results { rows: rows.len(), results: results.len() });
    }
    Ok(results)
}
