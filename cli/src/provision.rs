//! `tandem provision`.
//!
//! Invariant: what is there already is checked, and left as it is.

use std::process::ExitCode;

use anyhow::Context as _;
use tandem_eventlog::{JetStreamLog, JetStreamOptions};
use tandem_service::NatsSettings;
use tandem_timers::{TimerStream, TimerStreamOptions};
use tandem_vault::Vault;

use crate::output::line;

/// Make the streams and buckets that the services keep everything in
///
/// Services make them by themselves where NATS lets them. Where it does not, as a user of NATS who may do all: run this
/// before them. What is there already is checked, and left as it is.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Provision {
    #[command(flatten)]
    nats: NatsSettings,
    /// JetStream stream that is the log
    #[arg(long, env = "TANDEM_STREAM", value_name = "NAME", default_value = "tandem")]
    stream: String,
    /// Copies of what is made: 1 or, on a cluster, 3 or 5
    #[arg(long, env = "TANDEM_STREAM_REPLICAS", value_name = "N", default_value_t = 1)]
    stream_replicas: usize,
}

impl Provision {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { nats, stream, stream_replicas: replicas } = self;
        let client = nats.connect("tandem").await?;
        let options = JetStreamOptions { name: stream.clone(), replicas, ..JetStreamOptions::default() };
        JetStreamLog::open(client.clone(), options).await.context("the log")?;
        line(format_args!("stream {stream}: the log"))?;
        let options = TimerStreamOptions { log: stream.clone(), replicas, ..TimerStreamOptions::default() };
        TimerStream::open(client.clone(), options).await.context("the timers")?;
        line(format_args!("stream {stream}-timers: timers"))?;
        let jetstream = async_nats::jetstream::new(client);
        Vault::provision(&jetstream, &stream, replicas).await.context("the vault")?;
        line(format_args!("buckets {stream}_vault, {stream}_vault_keys: the vault"))?;
        Ok(ExitCode::SUCCESS)
    }
}
