//! `tandem contracts list`.

use std::process::ExitCode;

use tandem_client::{Client, Error};
use tandem_proto::contracts::v1::{Contract, ListContractsRequest};

use super::plan::state;
use super::show::last_day;
use crate::connection::Connection;
use crate::output::{self, Format, count, day};
use crate::pages;

/// List contracts
#[derive(clap::Args, Clone, Debug)]
pub(super) struct List {
    /// Only what this AIP-160 filter matches, such as 'brand = "brands/glowco" AND state = ACTIVE'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    filter: String,
    /// Order, such as 'end_date'
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    order_by: String,
    /// Form of the result; JSON is ProtoJSON, one contract a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let contracts = self.all(&client).await?;
        output::list(self.format, &contracts, print)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn all(&self, client: &Client) -> Result<Vec<Contract>, Error> {
        pages::all(|page_token| {
            let request = ListContractsRequest {
                page_size: pages::PAGE_SIZE,
                page_token,
                filter: self.filter.clone(),
                order_by: self.order_by.clone(),
            };
            async move {
                let page = client.contracts().list_contracts(request).await?.into_inner();
                Ok((page.contracts, page.next_page_token))
            }
        })
        .await
    }
}

fn print(contracts: &[Contract]) -> std::io::Result<()> {
    let mut table =
        output::table(&["contract", "state", "brand", "creator", "first day", "last day", ">version", "title"]);
    for contract in contracts {
        let start = contract.terms.as_ref().and_then(|terms| terms.start_date.as_ref());
        table.add_row([
            contract.name.clone(),
            state(contract).to_owned(),
            contract.brand.clone(),
            contract.creator.clone(),
            day(start),
            day(last_day(contract)),
            contract.version.to_string(),
            contract.title.clone(),
        ]);
    }
    if !contracts.is_empty() {
        output::print(&table)?;
    }
    eprintln!("{}", count(contracts.len(), "contract", "contracts"));
    Ok(())
}
