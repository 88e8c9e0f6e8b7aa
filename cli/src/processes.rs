//! `tandem processes`.

use std::process::ExitCode;

use futures::future::join_all;
use tandem_client::{Client, Error, Service};
use tandem_proto::common::v1::ListProcessesRequest;
use tandem_proto::{json, time};
use tonic::Code;

use crate::connection::Connection;
use crate::output::{self, Format, grouped};

/// See what the processes of all services can't handle
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Processes {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Show the events that fail, with what went wrong and when they are tried again
    ///
    /// They are tried until they succeed: there is nothing to be retried by hand. With several replicas, what the one that
    /// answers has seen.
    Status {
        /// Form of the result; JSON is one value a line
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        connection: Connection,
    },
}

impl Processes {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Status { format, connection } = self.command;
        status(&connection.client()?, format).await
    }
}

async fn status(client: &Client, format: Format) -> anyhow::Result<ExitCode> {
    let of = |service: Service| async move {
        let listed = client.processes(service).list_processes(ListProcessesRequest {}).await;
        (service, listed.map(|response| response.into_inner().processes).map_err(Error::from))
    };
    let mut table = output::table(&["service", "process", ">failing"]);
    let (mut failing, mut reached) = (Vec::new(), true);
    for (service, processes) in join_all(Service::ALL.map(of)).await {
        let processes = match processes {
            Ok(processes) => processes,
            // Not all services have any.
            Err(error) if error.code() == Code::Unimplemented => continue,
            Err(error) => {
                eprintln!("tandem: the {service} service: {error}");
                reached = false;
                continue;
            }
        };
        for process in processes {
            if format == Format::Json {
                output::line(serde_json::json!({"service": service.name(), "process": json::write(&process)?}))?;
            }
            let name = process.name.trim_start_matches("processes/");
            table.add_row([service.name(), name, &grouped(process.failing_count)]);
            failing.extend(process.failing_deliveries.iter().map(|event| {
                let since = event.first_fail_time.as_ref().and_then(time::from_proto).unwrap_or_default();
                format!(
                    "{name}: {} of {} at position {} has failed {} times since {since:.0}: {}",
                    output::short(&event.r#type),
                    event.subject,
                    event.position,
                    grouped(event.attempt_count),
                    event.error
                )
            }));
        }
    }
    if format == Format::Text && !table.is_empty() {
        output::print(&table)?;
        for event in &failing {
            output::line(event)?;
        }
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
