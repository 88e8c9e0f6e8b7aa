//! Where the log itself is, for those who operate it.
//!
//! Invariant: only commands that no service could carry out, or that judge the services, speak to NATS.

use tandem_service::NatsSettings;

/// Where NATS is, and which stream there is the log.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "NATS")]
pub(crate) struct Nats {
    #[command(flatten)]
    settings: NatsSettings,
    /// JetStream stream that is the log
    #[arg(long, env = "TANDEM_STREAM", value_name = "NAME", default_value = "tandem")]
    pub(crate) stream: String,
}

impl Nats {
    /// A connection.
    ///
    /// # Errors
    /// If the credentials can't be read, or no server answers.
    pub(crate) async fn connect(&self) -> anyhow::Result<async_nats::Client> {
        self.settings.connect("tandem").await
    }
}
