//! Importing rows of an export: judged alone, merged by channel, many at a time.
//!
//! Invariant: a row's outcome depends on the row and on what was known of its channel, on nothing else in the batch;
//! and a batch that is repeated, whole or cut short, answers each row as it would have.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use prost::Message as _;
use tandem_aggregate::{CommandMeta, ExecuteError, Executor, Outcome};
use tandem_eventlog::Position;
use tandem_proto::FieldViolation;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::{ImportCreatorResult, ImportCreatorRow, ImportOutcome};
use tandem_service::Problem;
use tandem_vault::{Vault, VaultError};

use crate::creator::{Command, Creator, remaining};
use crate::person::{self, Persons};
use crate::row::Report;

/// Channels worked on at the same time for one request.
const CHANNELS_IN_FLIGHT: usize = 32;

/// Takes in rows of one tenant.
pub(crate) struct Importer<'a> {
    pub(crate) creators: &'a Executor<Creator>,
    pub(crate) vault: &'a Vault,
    /// Of the batch.
    pub(crate) meta: &'a CommandMeta,
}

/// A good row and where it stands in the batch.
struct Row {
    index: usize,
    /// Of the row: made from the batch's and the row's content, not from its place, so that a client may repeat the
    /// batch in another order or without the rows that were rejected.
    request_id: String,
    report: Report,
}

impl Importer<'_> {
    /// One result a row, in their order, and the position of the last write.
    ///
    /// # Errors
    /// If log or vault can't be reached. Rows may have been taken in by then: repeat with the same request id.
    pub(crate) async fn import(
        &self,
        rows: &[ImportCreatorRow],
    ) -> Result<(Vec<ImportCreatorResult>, Position), Problem> {
        // It may be tomorrow already where the report was made.
        let today = self.meta.time.to_zoned(TimeZone::UTC).date();
        let latest = today.saturating_add(1.day());
        let mut results = vec![ImportCreatorResult::default(); rows.len()];
        let mut channels: HashMap<String, Vec<Row>> = HashMap::new();
        let keyed_hash = |domain: &str, value: &str| self.vault.identity(&self.meta.tenant, domain, value);
        for (index, row) in rows.iter().enumerate() {
            match Report::parse(row, keyed_hash, latest) {
                Ok(report) => {
                    let row = Row { index, request_id: self.request_id(row), report };
                    channels.entry(row.report.channel.channel_id.clone()).or_default().push(row);
                }
                Err(violations) => results[index] = rejected(&violations),
            }
        }
        let imports: Vec<_> = channels.into_values().map(|rows| self.import_channel(rows)).collect();
        let mut taken = stream::iter(imports).buffer_unordered(CHANNELS_IN_FLIGHT);
        let mut position = 0;
        while let Some((channel, last)) = taken.try_next().await? {
            position = position.max(last);
            for (index, result) in channel {
                results[index] = result;
            }
        }
        Ok((results, position))
    }

    /// Rows of one channel, one after the other.
    async fn import_channel(&self, rows: Vec<Row>) -> Result<(Vec<(usize, ImportCreatorResult)>, Position), Problem> {
        let mut results: Vec<(usize, ImportCreatorResult)> = Vec::with_capacity(rows.len());
        let mut seen = HashSet::new();
        let mut position = 0;
        for row in rows {
            let (mut result, at) = self.import_row(&row).await?;
            // The same row once more in this batch: the log, asked for its request id, answers as for the first.
            if !seen.insert(row.request_id) && result.outcome() != ImportOutcome::Rejected {
                result.set_outcome(ImportOutcome::Unchanged);
            }
            position = position.max(at);
            results.push((row.index, result));
        }
        Ok((results, position))
    }

    async fn import_row(&self, row: &Row) -> Result<(ImportCreatorResult, Position), Problem> {
        let Report { handle, display_name, day, channel } = &row.report;
        // First the vault: what a crash leaves there without an event is not referred to, whereas an event whose
        // handle is nowhere could never be resolved. It also keeps out who was erased.
        match self.persons().remember(&channel.channel_id, handle, display_name, *day).await {
            Ok(()) => {}
            Err(VaultError::Erased { .. }) => return Ok((erased(), 0)),
            Err(error) => return Err(person::problem(error)),
        }
        let (request_id, request_hash) = (row.request_id.clone(), row.request_id.clone());
        let meta = CommandMeta { request_id, request_hash, ..self.meta.clone() };
        match observe(self.creators, &channel.channel_id, &Command::Observe(channel.clone()), &meta).await {
            Ok(done) => Ok((accepted(&done), done.loaded.position)),
            Err(ExecuteError::Refused(refusal)) if refusal.reason == ErrorReason::PersonErased => Ok((erased(), 0)),
            Err(error) => Err(error.into()),
        }
    }

    fn request_id(&self, row: &ImportCreatorRow) -> String {
        let content = [self.meta.request_id.as_bytes(), &[0], &row.encode_to_vec()[..]].concat();
        self.persons().fingerprint(&content)
    }

    fn persons(&self) -> Persons<'_> {
        Persons { vault: self.vault, tenant: &self.meta.tenant }
    }
}

/// Lets the creator of a channel take in a report, or the one that they were merged into.
async fn observe(
    creators: &Executor<Creator>,
    channel_id: &str,
    command: &Command,
    meta: &CommandMeta,
) -> Result<Outcome<Creator>, ExecuteError> {
    let mut id = channel_id.to_owned();
    loop {
        match creators.execute(&id, command, meta).await {
            Err(ExecuteError::Refused(refusal)) if refusal.reason == ErrorReason::CreatorMerged => {
                let (remaining, _) = remaining(creators, &meta.tenant, &id).await?;
                id = remaining;
            }
            done => return done,
        }
    }
}

/// What a row came to, told from the log alone: so a repeated row is answered as it was at first.
fn accepted(done: &Outcome<Creator>) -> ImportCreatorResult {
    let outcome = match (done.written || done.repeated, done.loaded.event_count) {
        (true, 1) => ImportOutcome::Created,
        (true, _) => ImportOutcome::Updated,
        (false, _) => ImportOutcome::Unchanged,
    };
    ImportCreatorResult { outcome: outcome.into(), creator: done.loaded.state.0.name.clone(), ..Default::default() }
}

fn erased() -> ImportCreatorResult {
    rejected(&[FieldViolation::new(
        "handle",
        "is of a person whose data was erased for good; leave the row out, and out of later exports",
    )])
}

/// Names the first field at fault, and says what is wrong with all of them.
fn rejected(violations: &[FieldViolation]) -> ImportCreatorResult {
    let sentences: Vec<_> = violations.iter().map(|it| format!("{} {}.", it.field, it.description)).collect();
    ImportCreatorResult {
        outcome: ImportOutcome::Rejected.into(),
        creator: String::new(),
        field: violations.first().map(|violation| violation.field.clone()).unwrap_or_default(),
        message: sentences.join(" "),
    }
}
