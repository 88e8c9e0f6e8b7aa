//! `tandem doctor`.

mod report;
mod services;

use std::process::ExitCode;

use tandem_doctor::gather::{self, Scope};
use tandem_doctor::{Facts, Known, Severity, examine};

use crate::connection::Connection;
use crate::nats::Nats;
use crate::output::Format;

/// Say what is wrong with a running Tandem, and how to put it right
///
/// The checks that keep a service from starting for production, and beside them: whether the services answer, which
/// versions they are, how far clocks are apart, how far views and processes are behind, and what is parked.
///
/// Exit code 0 if there is no error, 1 if there is one; warnings alone are no error.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Doctor {
    /// What it is to be judged as: development may be less
    #[arg(long, env = "TANDEM_ENVIRONMENT", value_enum, default_value_t = JudgedAs::Production)]
    environment: JudgedAs,
    /// Where the NATS servers tell about themselves, `http://<host>:8222`, comma separated: only they can tell whether they
    /// sync to disk late; `none` if somebody else runs them and answers for that
    #[arg(long, env = "TANDEM_NATS_MONITOR", value_name = "URL")]
    nats_monitor: Option<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    nats: Nats,
    #[command(flatten)]
    connection: Connection,
}

/// What a deployment is to be judged as.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum JudgedAs {
    Development,
    Production,
}

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let (facts, services) = tokio::join!(self.nats_facts(), services::gather(&client, self.connection.endpoints()));
        let facts = Facts { production: self.environment == JudgedAs::Production, services, ..facts };
        let findings = examine(&facts);
        if self.json || self.format == Format::Json {
            report::json(&facts, &findings)?;
        } else {
            report::text(&facts, &findings)?;
        }
        let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
        Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// What NATS tells. One that can't be reached hides nothing of the services.
    async fn nats_facts(&self) -> Facts {
        let scope = Scope { vault: true, consumers: true, monitor: self.nats_monitor.as_deref() };
        match self.nats.connect().await {
            Ok(client) => gather::nats(&client, &self.nats.stream, scope).await,
            Err(error) => {
                let mut facts = Facts::production(&self.nats.stream);
                let reason = format!("{error:#}");
                facts.log.state = Known::Unknown(reason.clone());
                facts.timers.state = facts.log.state.clone();
                facts.unreachable = Some(reason);
                facts
            }
        }
    }
}
