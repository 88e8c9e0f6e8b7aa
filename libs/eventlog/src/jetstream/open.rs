//! Finding or making the stream.
//!
//! Invariant: a log is only opened on a stream that keeps everything and can take atomic batches.

use std::sync::Arc;

use async_nats::Client;
use async_nats::jetstream::context::CreateStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, ErrorCode};

use super::faults::{StreamFault, log_faults};
use super::group::Group;
use super::inbox::Inbox;
use super::last::Found;
use super::{Connection, JetStreamLog, JetStreamOptions};
use crate::is_token;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name can't be a subject token.
    #[error("{0:?} can't name the log's stream: use 1 to 128 of A-Z a-z 0-9 _ ~ -")]
    InvalidName(String),
    /// The stream is not there, or can't be created or asked.
    #[error("the stream {name} can't be opened: {reason}")]
    Unavailable {
        /// The stream.
        name: String,
        /// What NATS said.
        reason: String,
    },
    /// There is a stream of this name that is no safe place for the log.
    #[error("the stream {name} can't hold the log: {}; choose another stream, or make it so", list(faults))]
    Unsafe {
        /// The stream.
        name: String,
        /// The settings that it needs and has not.
        faults: Vec<StreamFault>,
    },
    /// The client is closed.
    #[error("the connection to NATS is closed: {0}")]
    Closed(String),
}

fn list(faults: &[StreamFault]) -> String {
    faults.iter().map(|fault| fault.what).collect::<Vec<_>>().join(", ")
}

impl JetStreamLog {
    /// Connects to the NATS servers at `url` and opens the log there.
    ///
    /// # Errors
    /// As [`JetStreamLog::open`], or if no server answers.
    pub async fn connect(url: &str, options: JetStreamOptions) -> Result<Self, OpenError> {
        let client = async_nats::connect(url).await.map_err(|error| OpenError::Unavailable {
            name: options.name.clone(),
            reason: format!("{url}: {error}"),
        })?;
        Self::open(client, options).await
    }

    /// Opens the log over a connection that others may share.
    ///
    /// # Errors
    /// If the stream can't be had, or is one that could lose events: see [`OpenError`].
    pub async fn open(client: Client, options: JetStreamOptions) -> Result<Self, OpenError> {
        if !is_token(&options.name) {
            return Err(OpenError::InvalidName(options.name));
        }
        let mut context = jetstream::new(client.clone());
        context.set_timeout(options.timeout);
        let config = stream(&context, &options)
            .await
            .map_err(|reason| OpenError::Unavailable { name: options.name.clone(), reason })?;
        let faults = log_faults(&config);
        if !faults.is_empty() {
            return Err(OpenError::Unsafe { name: options.name, faults });
        }
        let inbox = Inbox::open(&client).await.map_err(|error| OpenError::Closed(error.to_string()))?;
        Ok(Self(Arc::new(Connection {
            direct_get: format!("$JS.API.DIRECT.GET.{}", options.name).into(),
            client,
            context,
            inbox,
            found: Found::default(),
            group: Group::new(options.group_above),
            replicated: config.num_replicas > 1,
            stream: options.name,
            timeout: options.timeout,
            ack_wait: options.ack_wait,
        })))
    }
}

/// The configuration of the stream as the server has it.
async fn stream(context: &Context, options: &JetStreamOptions) -> Result<Config, String> {
    let stream = if options.create {
        context.get_or_create_stream(wanted(options)).await.map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP => format!(
                "another stream has its subjects ({error}). If that is {}-restore, a restore has not ended: wait for it, or \
                 run `tandem restore` again",
                options.name
            ),
            _ => error.to_string(),
        })?
    } else {
        context.get_stream(&options.name).await.map_err(|error| error.to_string())?
    };
    Ok(stream.cached_info().config.clone())
}

fn wanted(options: &JetStreamOptions) -> Config {
    Config {
        name: options.name.clone(),
        subjects: vec![format!("{}.>", options.name)],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        num_replicas: options.replicas,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Default::default()
    }
}
