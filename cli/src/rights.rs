//! `tandem rights`.

use std::process::ExitCode;

use jiff::Timestamp;
use tandem_client::Error;
use tandem_proto::contracts::v1::{
    CheckRightsRequest, CheckRightsResponse, ListExpiringRightsRequest, ListUsageRightsRequest, UsageKind, UsageRight,
};
use tandem_proto::{json, time};

use crate::connection::Connection;
use crate::output::{self, Format, count, instant};
use crate::{pages, vocabulary};

/// When the answer is no.
const NOT_ALLOWED: u8 = 3;

/// See what published content may be used for, where, and until when
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Rights {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Tell whether content may be used for something, by which clause, and what is missing if not
    ///
    /// The exit code is 0 for yes and 3 for no.
    Check(Check),
    /// List rights to use content
    List(List),
    /// List rights in force that end soon, the first to end first
    Expiring(Expiring),
}

#[derive(clap::Args, Clone, Debug)]
struct Check {
    /// The content: participations/{participation}/deliverables/{deliverable}
    #[arg(value_parser = vocabulary::deliverable)]
    deliverable: String,
    /// What for: organic, paid-amplification, full-commercial, ai-training, likeness
    #[arg(long = "for", value_name = "USE", value_parser = vocabulary::usage_kind)]
    kind: UsageKind,
    /// Where, such as instagram or brand-site
    #[arg(long, value_name = "CHANNEL")]
    channel: String,
    /// Country (ISO 3166-1 alpha-2), or WORLD
    #[arg(long, value_name = "COUNTRY")]
    territory: String,
    /// When, such as 2026-03-31T12:00:00Z, or 2026-03-31 for the end of that day in UTC; now if not given
    #[arg(long, value_name = "TIME", value_parser = vocabulary::as_of)]
    at: Option<Timestamp>,
    /// Form of the result; JSON is ProtoJSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Args, Clone, Debug)]
struct List {
    /// Only what this AIP-160 filter matches, such as 'contract = "contracts/c1" AND state = ACTIVE'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    filter: String,
    /// Order of end_time, start_time and name
    #[arg(long, value_name = "FIELDS", default_value = "end_time, name")]
    order_by: String,
    /// Form of the result; JSON is ProtoJSON, one right a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Args, Clone, Debug)]
struct Expiring {
    /// Days from now, or from --as-of
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i32).range(1..=3660))]
    within_days: i32,
    /// Only of this brand: brands/{brand}
    #[arg(long, value_name = "BRAND", default_value = "", hide_default_value = true)]
    brand: String,
    /// Counted from then, such as 2026-03-31T12:00:00Z, or 2026-03-31 for the end of that day in UTC
    #[arg(long, value_name = "TIME", value_parser = vocabulary::as_of)]
    as_of: Option<Timestamp>,
    /// Form of the result; JSON is ProtoJSON, one right a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Rights {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Check(check) => check.run().await,
            Command::List(list) => list.run().await,
            Command::Expiring(expiring) => expiring.run().await,
        }
    }
}

impl Check {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = CheckRightsRequest {
            deliverable: self.deliverable,
            kind: self.kind.into(),
            channel: self.channel,
            territory: self.territory,
            use_time: self.at.map(time::to_proto),
        };
        let answer = client.rights().check_rights(request).await.map_err(Error::from)?.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&answer)?)?,
            Format::Text => output::line(words(&answer))?,
        }
        Ok(if answer.allowed { ExitCode::SUCCESS } else { ExitCode::from(NOT_ALLOWED) })
    }
}

impl List {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let rights = pages::all(|page_token| {
            let (filter, order_by) = (self.filter.clone(), self.order_by.clone());
            let request = ListUsageRightsRequest { page_size: pages::PAGE_SIZE, page_token, filter, order_by };
            let mut service = client.rights();
            async move {
                let page = service.list_usage_rights(request).await?.into_inner();
                Ok((page.usage_rights, page.next_page_token))
            }
        });
        print(&rights.await?, self.format)
    }
}

impl Expiring {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let rights = pages::all(|page_token| {
            let request = ListExpiringRightsRequest {
                within_days: self.within_days,
                brand: self.brand.clone(),
                as_of_time: self.as_of.map(time::to_proto),
                page_size: pages::PAGE_SIZE,
                page_token,
            };
            let mut service = client.rights();
            async move {
                let page = service.list_expiring_rights(request).await?.into_inner();
                Ok((page.usage_rights, page.next_page_token))
            }
        });
        print(&rights.await?, self.format)
    }
}

/// "yes" or "no", and why.
fn words(answer: &CheckRightsResponse) -> String {
    format!("{}: {}", if answer.allowed { "yes" } else { "no" }, answer.explanation)
}

fn print(rights: &[UsageRight], format: Format) -> anyhow::Result<ExitCode> {
    output::list(format, rights, print_table)?;
    Ok(ExitCode::SUCCESS)
}

fn print_table(rights: &[UsageRight]) -> std::io::Result<()> {
    let headers = [
        "content",
        "for",
        "channels",
        "territories",
        "from (UTC)",
        "until (UTC)",
        "state",
        "contract, version, clause",
    ];
    let mut table = output::table(&headers);
    for right in rights {
        table.add_row([
            right.deliverable.clone(),
            vocabulary::spoken(right.kind().as_str_name(), vocabulary::USAGE_KIND),
            if right.channels.is_empty() { "all".to_owned() } else { right.channels.join(", ") },
            right.territories.join(", "),
            instant(right.start_time.as_ref()),
            instant(right.end_time.as_ref()),
            right.state().as_str_name().trim_start_matches("USAGE_RIGHT_STATE_").to_owned(),
            format!("{} v{} {}", right.contract, right.contract_version, right.clause_id),
        ]);
    }
    if !rights.is_empty() {
        output::print(&table)?;
    }
    eprintln!("{}", count(rights.len(), "right", "rights"));
    Ok(())
}
