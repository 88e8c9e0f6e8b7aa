//! `tandem contracts render`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use tandem_client::Error;
use tandem_proto::contracts::v1::{RenderContractRequest, RenderFormat};

use crate::connection::Connection;
use crate::{output, vocabulary};

/// Write a contract for people: its terms in full, what each round and amendment changed, signatures and history
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Render {
    /// The contract: contracts/{contract}
    #[arg(value_parser = vocabulary::contract)]
    contract: String,
    /// As what; HTML is one page without references, for screen and print
    #[arg(long, value_enum, default_value_t)]
    format: As,
    /// The terms of this round of the negotiation [default: the newest]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..))]
    round: Option<i32>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default)]
enum As {
    #[default]
    Markdown,
    Html,
}

impl Render {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let format = match self.format {
            As::Markdown => RenderFormat::Markdown,
            As::Html => RenderFormat::Html,
        };
        let request =
            RenderContractRequest { name: self.contract, format: format.into(), round: self.round.unwrap_or_default() };
        let content = client.contracts().render_contract(request).await.map_err(Error::from)?.into_inner().content;
        match self.output {
            Some(file) => {
                std::fs::write(&file, content).with_context(|| format!("{} can't be written", file.display()))?;
            }
            None => output::line(content.trim_end())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
