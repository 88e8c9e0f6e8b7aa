//! `tandem audit`.

use std::process::ExitCode;

use tandem_client::{Client, Error};
use tandem_proto::relationships::v1::{AuditEntry, ListAuditEntriesRequest};

use crate::connection::Connection;
use crate::output::{self, Format, count, instant, short};
use crate::{pages, vocabulary};

/// Show the audit trail: who did what, when and why
///
/// In the order of the log. The position is that of the event in the log: the proof.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Audit {
    /// Only of this partnership: partnerships/{brand}~{creator}
    #[arg(long, value_name = "PARTNERSHIP", value_parser = vocabulary::partnership)]
    partnership: Option<String>,
    /// Only of this resource, such as contracts/c1
    #[arg(long, value_name = "RESOURCE", value_parser = vocabulary::resource)]
    resource: Option<String>,
    /// Only what this AIP-160 filter matches, such as 'actor = "users/maria" AND time > "2026-01-01T00:00:00Z"'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Form of the entries; JSON is one a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Audit {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let filter = self.filter();
        let entries = list(&client, &filter).await?;
        output::list(self.format, &entries, print)?;
        Ok(ExitCode::SUCCESS)
    }

    /// All conditions as one filter.
    fn filter(&self) -> String {
        let condition = |field: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{field}\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
        };
        let own = self.filter.as_ref().map(|filter| format!("({filter})"));
        let conditions = [condition("partnership:", &self.partnership), condition("resource = ", &self.resource), own];
        conditions.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
    }
}

/// All entries that match.
async fn list(client: &Client, filter: &str) -> Result<Vec<AuditEntry>, Error> {
    pages::all(|page_token| {
        let filter = filter.to_owned();
        let request = ListAuditEntriesRequest { page_size: pages::PAGE_SIZE, page_token, filter };
        async move {
            let page = client.relationships().list_audit_entries(request).await?.into_inner();
            Ok((page.audit_entries, page.next_page_token))
        }
    })
    .await
}

fn print(entries: &[AuditEntry]) -> std::io::Result<()> {
    let mut table =
        output::table(&[">position", "time (UTC)", "actor", "command", "resource", "what happened", "reason"]);
    for entry in entries {
        table.add_row([
            entry.position.to_string(),
            instant(entry.time.as_ref()),
            entry.actor.clone(),
            short(&entry.command.replace('/', ".")).to_owned(),
            entry.resource.clone(),
            entry.summary.clone(),
            entry.reason.clone(),
        ]);
    }
    output::print(&table)?;
    eprintln!("{}", count(entries.len(), "entry", "entries"));
    Ok(())
}
