//! `tandem up`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tandem_client::{Claims, Endpoints, Service, SigningKey};
use tandem_service::{Caller, LogFormat, Telemetry, TelemetrySettings, terminated, write_ready_file};

use crate::cli::wrong_arguments;
use crate::connection::DEVELOPER;
use crate::output::line;
use crate::platform::{Options, Platform, Ports, Ready};

const PORT_BASE: u16 = 7400;
/// From the port base to the port of NATS.
const NATS_OFFSET: u16 = 22;
/// Of the token that is printed.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// As shells report the end by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Run a NATS server and all five services on this machine
///
/// For development: everything is in one process beside NATS, listens on 127.0.0.1 and takes tokens of the public
/// development key. What was done is in the data folder, and there again at the next start.
///
/// Ctrl-C finishes what has begun, then stops NATS; a second Ctrl-C does not wait.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Up {
    /// Folder of the log and the views
    #[arg(long, env = "TANDEM_DATA", value_name = "FOLDER", default_value = ".data")]
    data: PathBuf,
    /// The services listen on the five ports after this one
    #[arg(long, env = "TANDEM_PORT_BASE", value_name = "PORT", default_value_t = PORT_BASE)]
    port_base: u16,
    /// Port of NATS [default: the port base + 22]
    #[arg(long, env = "TANDEM_NATS_PORT", value_name = "PORT", conflicts_with = "external_nats")]
    nats_port: Option<u16>,
    /// Take free ports; --ready-file tells which
    #[arg(long, conflicts_with_all = ["port_base", "nats_port"])]
    ephemeral_ports: bool,
    /// Use a NATS server that runs already, instead of starting one
    #[arg(long, value_name = "URL")]
    external_nats: Option<String>,
    /// Where the views are kept, instead of in the data folder: postgres://<user>@<host>/<database>
    #[arg(long, env = "TANDEM_VIEWS", value_name = "URL")]
    views: Option<String>,
    /// File to be written, in one step, when all is ready: a JSON object with the URLs of "nats" and of each service,
    /// and a "token". It goes when all stops
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Tenant of the token that is printed and in the ready file
    #[arg(long, env = "TANDEM_TENANT", value_name = "TENANT", default_value = "demo")]
    tenant: String,
    /// What is logged to stderr, as in RUST_LOG
    #[arg(long, env = "TANDEM_LOG_FILTER", value_name = "FILTER", default_value = "warn")]
    log_filter: String,
    /// OTLP collector (gRPC) for traces and metrics, for example http://127.0.0.1:4317
    #[arg(long, env = "TANDEM_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        Caller::check(&self.tenant, DEVELOPER, None)
            .map_err(|problem| wrong_arguments(format_args!("--tenant is refused by every service: {problem}")))?;
        let ready_file = self.ready_file.clone();
        // What an earlier run has left tells of what is no more.
        remove(ready_file.as_deref())?;
        let telemetry = Telemetry::start("tandem", &self.telemetry())?;
        let outcome = self.run_platform().await;
        telemetry.stop().await;
        // However it ended, nothing answers any more.
        let removed = remove(ready_file.as_deref());
        outcome.and_then(|code| removed.map(|()| code))
    }

    async fn run_platform(self) -> anyhow::Result<ExitCode> {
        let began = Instant::now();
        let mut platform = tokio::select! {
            started = Platform::start_in_process(self.options()) => started?,
            stop = terminated() => {
                stop?;
                eprintln!("stopped before it was ready");
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if let Err(error) = self.announce(&platform, began.elapsed()) {
            platform.stop().await?;
            return Err(error);
        }
        let broken = tokio::select! {
            stop = terminated() => stop.err().map(anyhow::Error::from),
            error = platform.ended() => Some(error),
        };
        match &broken {
            Some(error) => eprintln!("tandem: {error:#}; stopping the rest"),
            None => eprintln!("stopping: finishing what has begun; Ctrl-C again does not wait"),
        }
        let stopped = tokio::select! {
            stopped = platform.stop() => stopped,
            stop = terminated() => {
                stop?;
                eprintln!("stopped without waiting; what was acknowledged is kept");
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if broken.is_some() {
            // The error is told already; that the others stopped with errors after it tells nothing more.
            eprintln!("tandem: stopped; what was acknowledged is kept");
            return Ok(ExitCode::FAILURE);
        }
        stopped?;
        say("stopped, nothing lost; `./justw up`, or `tandem up`, goes on from here");
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> Options {
        let ports = if self.ephemeral_ports {
            Ports::Free
        } else {
            let nats = self.nats_port.unwrap_or(self.port_base.saturating_add(NATS_OFFSET));
            Ports::Fixed { base: self.port_base, nats }
        };
        Options {
            data: self.data.clone(),
            ports,
            external_nats: self.external_nats.clone(),
            views: self.views.clone(),
            otlp_endpoint: self.otlp_endpoint.clone(),
            tls: None,
        }
    }

    fn telemetry(&self) -> TelemetrySettings {
        TelemetrySettings {
            otlp_endpoint: self.otlp_endpoint.clone(),
            log_format: LogFormat::Text,
            log_filter: self.log_filter.clone(),
        }
    }

    /// Says where everything is: to people, and to who has started this.
    fn announce(&self, platform: &Platform, took: Duration) -> anyhow::Result<()> {
        let claims = Claims::new(DEVELOPER, &self.tenant).with_permissions(["*"]);
        let token = SigningKey::development().mint(&claims, TOKEN_LIFE);
        let ready = Ready::new(platform.nats_url(), platform.endpoints(), token);
        say(&format!("Tandem is ready after {:.1} s; Ctrl-C stops it\n", took.as_secs_f64()));
        for service in Service::ALL {
            say(&format!("  {:<15}{}", service.name(), platform.endpoints().of(service)));
        }
        say(&format!("  {:<15}{}", "NATS", platform.nats_url()));
        say(&format!("  {:<15}{}\n", "data", self.data.display()));
        say(&self.examples(&ready));
        if let Some(file) = &self.ready_file {
            write_ready_file(file, &serde_json::to_value(&ready)?).context("--ready-file")?;
        }
        Ok(())
    }

    /// Calls to be pasted.
    fn examples(&self, ready: &Ready) -> String {
        let program = std::env::args().next().unwrap_or_else(|| "tandem".into());
        let mut options = String::new();
        if ready.creators != Endpoints::default().creators {
            options = format!(" --creators-endpoint {}", ready.creators);
        }
        if self.tenant != "demo" {
            options += &format!(" --tenant {}", self.tenant);
        }
        format!(
            "Try it, in another terminal, in the project's folder:\n\n  \
             {program} import{options} --mapping examples/creators-instagram.toml examples/creators-instagram-2022-09.csv\n\n  \
             ./justw tools buf && PATH=\"$PWD/.tools:$PATH\"\n  \
             TOKEN={}\n  \
             buf curl --protocol grpc --http2-prior-knowledge -H \"Authorization: Bearer $TOKEN\" \\\n    \
             -d '{{\"page_size\": 3, \"order_by\": \"follower_count desc\"}}' \\\n    \
             {}/tandem.creators.v1.CreatorService/ListCreators\n",
            ready.token, ready.creators
        )
    }
}

/// Takes the ready file away, so that whoever waits for it waits for the next start. A folder that is not there is told
/// before anything is started.
fn remove(ready_file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = ready_file else { return Ok(()) };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(wrong_arguments(format_args!("--ready-file: there is no folder {}", folder.display())));
    }
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("--ready-file {} can't be removed", file.display()))
        }
        _ => Ok(()),
    }
}

/// Prints a line. That nobody reads it is no reason to stop.
fn say(text: &str) {
    let _ = line(text);
}
