//! `tandem events`.

use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use tandem_client::{Client, Error};
use tandem_proto::json;
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tonic::Code;

use crate::connection::Connection;
use crate::output::{self, Format, instant, short};
use crate::vocabulary;

/// Between attempts to reach a service that is gone, doubled from the first to the second.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Watch the events of the log
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Events {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Print the tenant's events, and go on as they come
    ///
    /// When the connection is lost it is made again, and the events go on after the last one printed: none is skipped or
    /// doubled.
    Tail(Tail),
}

#[derive(clap::Args, Clone, Debug)]
struct Tail {
    /// Begin after this position; 0 is the start of the log
    #[arg(long, value_name = "POSITION", default_value_t = 0, allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// Only events of this type, such as tandem.contracts.v1.ContractSigned, or ContractSigned alone; repeat for more
    #[arg(long = "type", value_name = "TYPE", value_parser = vocabulary::event_type)]
    types: Vec<String>,
    /// Only events of this partnership: partnerships/{brand}~{creator}
    #[arg(long, value_name = "PARTNERSHIP", value_parser = vocabulary::partnership)]
    partnership: Option<String>,
    /// End at what is the end of the log now
    #[arg(long)]
    until_now: bool,
    /// Form of an event; JSON is a CloudEvent a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Events {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Tail(tail) = self.command;
        tail.run().await
    }
}

impl Tail {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let mut position = self.after;
        let (mut pause, mut reached) = (RECONNECT.0, false);
        loop {
            let before = position;
            let lost = match self.watch(&client, &mut position, &mut reached).await? {
                ControlFlow::Break(()) => return Ok(ExitCode::SUCCESS),
                ControlFlow::Continue(error) => error,
            };
            pause = if position > before { RECONNECT.0 } else { (pause * 2).min(RECONNECT.1) };
            let why = lost.map_or_else(|| "the service ended the stream".to_owned(), |e| e.message().to_owned());
            eprintln!("tandem: {why}; going on after position {position}");
            tokio::time::sleep(pause).await;
        }
    }

    /// Prints events until the stream ends: for good, or because the service was lost, with what it said.
    async fn watch(
        &self,
        client: &Client,
        position: &mut i64,
        reached: &mut bool,
    ) -> anyhow::Result<ControlFlow<(), Option<Error>>> {
        let request = WatchEventsRequest {
            after_position: *position,
            types: self.types.clone(),
            partnership: self.partnership.clone().unwrap_or_default(),
            until_now: self.until_now,
        };
        let mut events = match client.events().watch_events(request).await {
            Ok(response) => response.into_inner(),
            // Only what was there once is waited for.
            Err(status) if !*reached => return Err(Error::from(status).into()),
            Err(status) => return lost(status.into()),
        };
        *reached = true;
        loop {
            match events.message().await {
                Ok(Some(event)) => {
                    self.print(&event)?;
                    *position = event.position;
                }
                Ok(None) if self.until_now => return Ok(ControlFlow::Break(())),
                Ok(None) => return Ok(ControlFlow::Continue(None)),
                Err(status) => return lost(status.into()),
            }
        }
    }

    fn print(&self, event: &WatchEventsResponse) -> anyhow::Result<()> {
        match self.format {
            Format::Json => output::line(cloud_event(event)?)?,
            Format::Text => output::line(format_args!(
                "{:>9}  {}  {:<24}  {:<36}  {}",
                event.position,
                instant(event.time.as_ref()),
                short(&event.r#type),
                event.subject,
                event.actor
            ))?,
        }
        Ok(())
    }
}

/// What passes is waited for; the rest is an error of the request.
fn lost(error: Error) -> anyhow::Result<ControlFlow<(), Option<Error>>> {
    match error.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => {
            Ok(ControlFlow::Continue(Some(error)))
        }
        _ => Err(error.into()),
    }
}

/// The event as a CloudEvent in JSON; attributes that are empty are left out.
fn cloud_event(event: &WatchEventsResponse) -> anyhow::Result<serde_json::Value> {
    let time = event.time.as_ref().and_then(tandem_proto::time::from_proto).map(|time| time.to_string());
    let mut attributes = serde_json::json!({
        "specversion": "1.0",
        "id": event.id,
        "type": event.r#type,
        "source": event.source,
        "subject": event.subject,
        "time": time,
        "position": event.position,
        "actor": event.actor,
        "command": event.command,
        "reason": event.reason,
        "requestid": event.request_id,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
        "partnership": event.partnership,
        "datacontenttype": "application/json",
    });
    if let Some(attributes) = attributes.as_object_mut() {
        attributes.retain(|_, value| !value.is_null() && value != "");
        if event.test_clock {
            attributes.insert("testclock".into(), true.into());
        }
        // An event of a type that this program is too old for is shown without its content.
        if let Ok(data) = json::write_any(&event.r#type, &event.data) {
            attributes.insert("data".into(), data);
        }
    }
    Ok(attributes)
}
