//! `tandem views`.

use std::process::ExitCode;

use anyhow::bail;
use futures::future::join_all;
use tandem_client::{Client, Error, Service};
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest, RebuildViewResponse, View};
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
}

impl Views {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Status { format, connection } => status(&connection.client()?, format).await,
            Command::Rebuild { names, all: _, format, connection } => {
                rebuild(&connection.client()?, &names, format).await
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
    let mut table =
        output::table(&["service", "view", ">version", ">generation", ">position", ">lag", ">rows", ">parked"]);
    let (mut parked, mut reached) = (Vec::new(), true);
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
                &grouped(view.parked_events.len()),
            ]);
            parked.extend(view.parked_events.iter().map(|event| {
                format!(
                    "{name}: parked {} at position {}: {}",
                    output::short(&event.r#type),
                    event.position,
                    event.error
                )
            }));
        }
    }
    if format == Format::Text && !table.is_empty() {
        output::print(&table)?;
        for event in &parked {
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
