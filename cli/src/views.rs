//! `tandem views`.

use std::process::ExitCode;

use anyhow::bail;
use futures::future::join_all;
use tandem_client::{Client, Error, Service};
use tandem_proto::common::v1::{
    ListViewsRequest, ParkedEvent, RebuildViewRequest, RebuildViewResponse, RetryViewRequest, View,
};
use tandem_proto::json;
use tonic::Request;

use crate::connection::Connection;
use crate::output::{self, Format, grouped};

/// A rebuild reads the whole log.
const REBUILD_DEADLINE: std::time::Duration = std::time::Duration::from_secs(3600);

/// See and rebuild the views of all services
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Views {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Show how far each view has read the log, and what it could not take
    Status {
        /// Form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Build views anew from the log
    ///
    /// Each is built beside the live one, which answers until the new one has caught up and takes its place.
    Rebuild {
        /// The views' names, as `tandem views status` shows them
        #[arg(value_name = "VIEW", required_unless_present = "all", conflicts_with = "all")]
        names: Vec<String>,
        /// All views of all services
        #[arg(long)]
        all: bool,
        /// Form of the result; JSON is one value a line
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take in the events that a view has set aside, after what kept it from them is mended
    ///
    /// What it still can't take is set aside again. A view whose rows gather several aggregates is built anew.
    Retry {
        /// The view's name, as `tandem views status` shows it
        #[arg(value_name = "VIEW")]
        name: String,
        /// Only the events of one aggregate, by its subject as `tandem views status` shows it
        #[arg(long, value_name = "SUBJECT")]
        subject: Option<String>,
        /// Form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        connection: Connection,
    },
}

impl Views {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Status { format, connection } => status(&connection.client()?, format).await,
            Command::Rebuild { names, all: _, format, connection } => {
                rebuild(&connection.client()?, &names, format).await
            }
            Command::Retry { name, subject, format, connection } => {
                retry(&connection.client()?, &name, subject, format).await
            }
        }
    }
}

/// The views of all services. A service that does not answer does not hide those of the others.
async fn list(client: &Client) -> Vec<(Service, Result<Vec<View>, Error>)> {
    let of = |service| async move {
        let listed = client.views(service).list_views(ListViewsRequest {}).await;
        (service, listed.map(|response| response.into_inner().views).map_err(Error::from))
    };
    join_all(Service::ALL.map(of)).await
}

async fn status(client: &Client, format: Format) -> anyhow::Result<ExitCode> {
    let columns = ["service", "view", ">version", ">generation", ">position", ">lag", ">rows", ">parked", ">newer"];
    let mut table = output::table(&columns);
    let (mut set_aside, mut reached) = (Vec::new(), true);
    for (service, views) in list(client).await {
        let views = match views {
            Ok(views) => views,
            Err(error) => {
                eprintln!("tandem: the {service} service: {error}");
                reached = false;
                continue;
            }
        };
        for view in views {
            if format == Format::Json {
                output::line(serde_json::json!({"service": service.name(), "view": json::write(&view)?}))?;
            }
            let name = view.name.trim_start_matches("views/");
            let lag = if view.lag < 0 { "unknown".to_owned() } else { grouped(view.lag) };
            table.add_row([
                service.name(),
                name,
                &view.version.to_string(),
                &view.generation.to_string(),
                &view.position.to_string(),
                &lag,
                &grouped(view.row_count),
                &grouped(view.parked_count),
                &grouped(view.newer_count),
            ]);
            let told = |what: &str, event: &ParkedEvent, why: &str| {
                let ParkedEvent { position, subject, r#type, .. } = event;
                format!("{name}: {what} {} of {subject} at position {position}: {why}", output::short(r#type))
            };
            set_aside.extend(view.parked_events.iter().map(|event| told("parked", event, &event.error)));
            let newer = "a newer version has written it; upgrade, and the view is built anew";
            set_aside.extend(view.newer_events.iter().map(|event| told("passed over", event, newer)));
        }
    }
    if format == Format::Text && !table.is_empty() {
        output::print(&table)?;
        for event in &set_aside {
            output::line(event)?;
        }
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rebuild(client: &Client, names: &[String], format: Format) -> anyhow::Result<ExitCode> {
    let mut known = Vec::new();
    for (service, views) in list(client).await {
        known.extend(views?.into_iter().map(|view| (service, view.name)));
    }
    let wanted = if names.is_empty() { known } else { chosen(&known, names)? };
    let mut table = output::table(&["service", "view", ">generation", ">events read", ">rows", ">took"]);
    for (service, name) in wanted {
        let mut request = Request::new(RebuildViewRequest { name });
        request.set_timeout(REBUILD_DEADLINE);
        let rebuilt = client.views(service).rebuild_view(request).await.map_err(Error::from)?.into_inner();
        if format == Format::Json {
            output::line(serde_json::json!({"service": service.name(), "rebuild": json::write(&rebuilt)?}))?;
        }
        let RebuildViewResponse { view, event_count, row_count, duration_millis } = rebuilt;
        let View { name, generation, .. } = view.unwrap_or_default();
        table.add_row([
            service.name(),
            name.trim_start_matches("views/"),
            &generation.to_string(),
            &grouped(event_count),
            &grouped(row_count),
            &format!("{} ms", grouped(duration_millis)),
        ]);
    }
    if format == Format::Text {
        output::print(&table)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn retry(client: &Client, name: &str, subject: Option<String>, format: Format) -> anyhow::Result<ExitCode> {
    let mut known = Vec::new();
    for (service, views) in list(client).await {
        // One that does not answer may have it: that is told if no other has.
        match views {
            Ok(views) => known.extend(views.into_iter().map(|view| (service, view.name))),
            Err(error) => eprintln!("tandem: the {service} service: {error}"),
        }
    }
    let mut parked = 0;
    for (service, name) in chosen(&known, &[name.to_owned()])? {
        let request = RetryViewRequest { name: name.clone(), subject: subject.clone().unwrap_or_default() };
        let mut request = Request::new(request);
        request.set_timeout(REBUILD_DEADLINE);
        let retried = client.views(service).retry_view(request).await.map_err(Error::from)?.into_inner();
        parked += retried.parked_count;
        if format == Format::Json {
            output::line(serde_json::json!({"service": service.name(), "retry": json::write(&retried)?}))?;
            continue;
        }
        let name = name.trim_start_matches("views/");
        output::line(match (retried.retried_count, retried.parked_count) {
            (0, _) => format!("{name}: nothing of it is parked"),
            (tried, 0) if retried.rebuilt => format!("{name}: built anew; all {} are taken in", grouped(tried)),
            (tried, 0) => format!("{name}: all {} are taken in", grouped(tried)),
            (tried, parked) => {
                format!(
                    "{name}: of {} parked events {} still are; see `tandem views status`",
                    grouped(tried),
                    grouped(parked)
                )
            }
        })?;
    }
    Ok(if parked == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those of the known views that have these names, with or without "views/".
fn chosen(known: &[(Service, String)], names: &[String]) -> anyhow::Result<Vec<(Service, String)>> {
    let mut chosen = Vec::new();
    for name in names {
        let short = name.trim_start_matches("views/");
        let before = chosen.len();
        chosen.extend(known.iter().filter(|(_, view)| view.trim_start_matches("views/") == short).cloned());
        if chosen.len() == before {
            let known: Vec<_> = known.iter().map(|(_, view)| view.trim_start_matches("views/")).collect();
            bail!("there is no view {short:?}; there are: {}", known.join(", "));
        }
    }
    Ok(chosen)
}
