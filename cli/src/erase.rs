//! `tandem erase`.

use std::process::ExitCode;

use tandem_client::Error;
use tandem_proto::creators::v1::EraseCreatorRequest;
use tandem_proto::json;

use crate::connection::Connection;
use crate::output::{self, Format};

/// Erase the personal data of a creator for good
///
/// Name, handles and payout account leave the vault; there is no way back. The log keeps its references, which then
/// lead nowhere, and still verifies. Erasing a creator again has no further effect.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Erase {
    /// The creator: creators/{creator}
    creator: String,
    /// Why, without personal data, for example "request of the person"; kept in the audit trail
    #[arg(long)]
    reason: String,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Erase {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = EraseCreatorRequest { name: self.creator, reason: self.reason, ..Default::default() };
        let creator = client.creators().erase_creator(request).await.map_err(Error::from)?.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&creator)?)?,
            Format::Text => {
                output::line(format_args!("{} is erased; its personal data is gone from the vault", creator.name))?
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
