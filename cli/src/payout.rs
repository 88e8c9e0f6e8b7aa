//! `tandem payout`.

mod explain;

use std::process::ExitCode;

use tandem_client::{Client, Error};
use tandem_proto::json;
use tandem_proto::payouts::v1::{Earning, EarningRule, ExplainPayoutRequest, ListEarningsRequest};

use crate::connection::Connection;
use crate::output::{self, Format, amount, count, day};
use crate::{pages, vocabulary};

/// See what creators are owed and paid, and why
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Payouts {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Show for every cent of a payout the rule, the clause of the contract, and the event
    Explain(Explain),
    /// List earnings: what creators are owed, and by which rule
    ListEarnings(ListEarnings),
}

#[derive(clap::Args, Clone, Debug)]
struct Explain {
    /// The payout: payoutRuns/{payout_run}/payouts/{creator}
    #[arg(value_parser = vocabulary::payout)]
    payout: String,
    /// Form of the result; JSON is ProtoJSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Args, Clone, Debug)]
struct ListEarnings {
    /// Only what this AIP-160 filter matches, such as 'creator = "creators/c1" AND state = "ACCRUED"'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    filter: String,
    /// Order of due_date, earn_time and name
    #[arg(long, value_name = "FIELDS", default_value = "earn_time, name")]
    order_by: String,
    /// Form of the result; JSON is ProtoJSON, one earning a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Payouts {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Explain(explain) => explain.run().await,
            Command::ListEarnings(list) => list.run().await,
        }
    }
}

impl Explain {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = ExplainPayoutRequest { name: self.payout };
        let explained = client.payout_runs().explain_payout(request).await.map_err(Error::from)?.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&explained)?)?,
            Format::Text => output::line(explain::text(explained)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ListEarnings {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let earnings = self.all(&client).await?;
        output::list(self.format, &earnings, print)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn all(&self, client: &Client) -> Result<Vec<Earning>, Error> {
        pages::all(|page_token| {
            let request = ListEarningsRequest {
                page_size: pages::PAGE_SIZE,
                page_token,
                filter: self.filter.clone(),
                order_by: self.order_by.clone(),
            };
            async move {
                let page = client.earnings().list_earnings(request).await?.into_inner();
                Ok((page.earnings, page.next_page_token))
            }
        })
        .await
    }
}

fn print(earnings: &[Earning]) -> std::io::Result<()> {
    let mut table =
        output::table(&["creator", ">amount", "because", "contract, version, clause", "due", "state", "payout run"]);
    for earning in earnings {
        table.add_row([
            earning.creator.clone(),
            amount(earning.amount.as_ref()),
            because(earning),
            granted_by(earning),
            day(earning.due_date.as_ref()),
            earning.state().as_str_name().trim_start_matches("EARNING_STATE_").to_owned(),
            earning.payout_run.clone(),
        ]);
    }
    if !earnings.is_empty() {
        output::print(&table)?;
    }
    eprintln!("{}", count(earnings.len(), "earning", "earnings"));
    Ok(())
}

/// The rule in words, "50 % of the fee of USD 4,000.00 on signing".
fn because(earning: &Earning) -> String {
    let explanation = earning.calculation.as_ref().map_or("", |calculation| &calculation.explanation);
    match explanation {
        "" => EarningRule::as_str_name(&earning.rule()).trim_start_matches("EARNING_RULE_").to_owned(),
        words => words.to_owned(),
    }
}

fn granted_by(earning: &Earning) -> String {
    format!("{} v{} {}", earning.contract, earning.contract_version, earning.clause_id)
}
