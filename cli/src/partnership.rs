//! `tandem partnership`.

mod show;

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use tandem_client::{Client, Error};
use tandem_proto::relationships::v1::{GetPartnershipRequest, ListPartnershipsRequest, Partnership, Stage};
use tandem_proto::{json, time};

use crate::connection::Connection;
use crate::output::{self, Format, amount, count, instant};
use crate::{pages, vocabulary};

/// See where partnerships of brands and creators stand, now or at any time
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Partnerships {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Show a partnership: its stages with their dates and figures, and its money
    Show(Show),
    /// List partnerships
    List(List),
}

#[derive(clap::Args, Clone, Debug)]
struct Show {
    /// The partnership: partnerships/{brand}~{creator}
    #[arg(value_parser = vocabulary::partnership)]
    partnership: String,
    /// As it was then: an instant (RFC 3339) or a day, which is meant to its end in UTC [default: now]
    #[arg(long, value_name = "TIME", value_parser = vocabulary::as_of)]
    as_of: Option<Timestamp>,
    /// Form of the result; JSON is ProtoJSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Args, Clone, Debug)]
struct List {
    /// Only what this AIP-160 filter matches, such as 'brand = "brands/glowco" AND stage = "NURTURE"'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    filter: String,
    /// Order, such as 'last_event_time desc'
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    order_by: String,
    /// Form of the result; JSON is ProtoJSON, one partnership a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Partnerships {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Show(show) => show.run().await,
            Command::List(list) => list.run().await,
        }
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = GetPartnershipRequest { name: self.partnership, as_of: self.as_of.map(time::to_proto) };
        let answer = client.relationships().get_partnership(request).await.map_err(Error::from);
        let partnership = match self.as_of {
            // One that exists may not have existed then.
            Some(as_of) => answer.with_context(|| show::as_of_words(as_of))?,
            None => answer?,
        };
        let partnership = partnership.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&partnership)?)?,
            Format::Text => output::line(show::text(&partnership, self.as_of))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let partnerships = self.all(&client).await?;
        output::list(self.format, &partnerships, print)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn all(&self, client: &Client) -> Result<Vec<Partnership>, Error> {
        pages::all(|page_token| {
            let request = ListPartnershipsRequest {
                page_size: pages::PAGE_SIZE,
                page_token,
                filter: self.filter.clone(),
                order_by: self.order_by.clone(),
            };
            async move {
                let page = client.relationships().list_partnerships(request).await?.into_inner();
                Ok((page.partnerships, page.next_page_token))
            }
        })
        .await
    }
}

fn print(partnerships: &[Partnership]) -> std::io::Result<()> {
    let headers =
        ["partnership", "stage", "first event (UTC)", "last event (UTC)", ">earned", ">outstanding", ">sales"];
    let mut table = output::table(&headers);
    for partnership in partnerships {
        // A line a currency.
        let money =
            |of: fn(&show::MoneyFigures) -> String| partnership.money.iter().map(of).collect::<Vec<_>>().join("\n");
        table.add_row([
            partnership.name.clone(),
            stage_name(partnership.stage()).to_owned(),
            instant(partnership.first_event_time.as_ref()),
            instant(partnership.last_event_time.as_ref()),
            money(|figures| amount(figures.earned.as_ref())),
            money(show::outstanding),
            money(|figures| amount(figures.sales.as_ref())),
        ]);
    }
    if !partnerships.is_empty() {
        output::print(&table)?;
    }
    eprintln!("{}", count(partnerships.len(), "partnership", "partnerships"));
    Ok(())
}

/// As filters write it, "NURTURE"; a dash before the first stage.
fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Unspecified => "–",
        _ => stage.as_str_name().trim_start_matches("STAGE_"),
    }
}
