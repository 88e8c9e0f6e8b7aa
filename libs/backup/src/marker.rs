//! The mark of a restore that goes on.
//!
//! Invariant: as long as it is there no service begins a new log: it holds the log's subjects until the log itself comes.

use async_nats::Client;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context, ErrorCode};
use tandem_doctor::restore_marker;

use crate::error::nats;
use crate::{BackupError, Manifest};

const MARK: &str = "mark the restore";

/// What stands in NATS while a restore goes on.
pub(crate) struct Marker {
    context: Context,
    config: Config,
}

impl Marker {
    /// Whether a restore was begun and has not ended.
    pub(crate) async fn is_set(client: &Client, log: &str) -> Result<bool, BackupError> {
        exists(&jetstream::new(client.clone()), &restore_marker(log)).await
    }

    /// Sets it. The log must be gone, for it takes the log's subjects.
    pub(crate) async fn set(client: &Client, manifest: &Manifest, replicas: usize) -> Result<Self, BackupError> {
        let log = &manifest.log.stream;
        let config = Config {
            name: restore_marker(log),
            subjects: vec![format!("{log}.>")],
            description: Some(format!("backup {} of {}", manifest.id, manifest.time)),
            num_replicas: replicas,
            ..Config::default()
        };
        let context = jetstream::new(client.clone());
        context.create_or_update_stream(config.clone()).await.map_err(nats(MARK))?;
        Ok(Self { context, config })
    }

    /// Lets go of the log's subjects, for the log comes next.
    pub(crate) async fn make_way(&mut self) -> Result<(), BackupError> {
        self.config.subjects = vec![self.config.name.clone()];
        self.context.update_stream(&self.config).await.map(|_| ()).map_err(nats(MARK))
    }

    /// The restore has ended.
    pub(crate) async fn remove(self) -> Result<(), BackupError> {
        self.context.delete_stream(&self.config.name).await.map(|_| ()).map_err(nats(MARK))
    }
}

/// Whether a stream is there.
pub(crate) async fn exists(context: &Context, stream: &str) -> Result<bool, BackupError> {
    match context.get_stream(stream).await {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(false),
            _ => Err(nats("tell what is there")(error)),
        },
    }
}
