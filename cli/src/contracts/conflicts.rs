//! `tandem contracts conflicts`.

use std::process::ExitCode;

use tandem_client::Error;
use tandem_proto::contracts::v1::CheckExclusivityRequest;
use tandem_proto::json;

use crate::connection::Connection;
use crate::output::{self, Format, count, day};
use crate::vocabulary;

/// Show which signed contracts the exclusivity of a contract stands against, or theirs against it
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Conflicts {
    /// The contract, signed or not: contracts/{contract}
    #[arg(value_parser = vocabulary::contract)]
    contract: String,
    /// Form of the result; JSON is ProtoJSON, one conflict a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Conflicts {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = CheckExclusivityRequest { contract: self.contract };
        let conflicts =
            client.exclusivity().check_exclusivity(request).await.map_err(Error::from)?.into_inner().conflicts;
        if self.format == Format::Json {
            for conflict in &conflicts {
                output::line(json::write(conflict)?)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = output::table(&["contract", "brand", "clause", "first day", "last day", "why"]);
        for conflict in &conflicts {
            table.add_row([
                conflict.contract.clone(),
                conflict.brand.clone(),
                conflict.clause_id.clone(),
                day(conflict.start_date.as_ref()),
                day(conflict.end_date.as_ref()),
                conflict.explanation.clone(),
            ]);
        }
        if !conflicts.is_empty() {
            output::print(&table)?;
        }
        eprintln!("{}", count(conflicts.len(), "conflict", "conflicts"));
        Ok(ExitCode::SUCCESS)
    }
}
