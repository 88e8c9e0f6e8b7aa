//! Snapshots of a stream, by JetStream's own protocol: taken in acknowledged chunks, put back chunk by chunk.
//!
//! Invariant: a snapshot is whole or an error: chunks are counted, and the server says when it has sent or read all.

use std::time::Duration;

use async_nats::{Client, Message, Request, StatusCode};
use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::BackupError;
use crate::error::nats;
use crate::files::{Reader, Writer};
use crate::manifest::Log;

/// How long an answer, or the next chunk, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the server may take to put a stream together out of what it was sent.
const ASSEMBLY: Duration = Duration::from_secs(3600);
const TAKE: &str = "snapshot the log";
const PUT: &str = "restore the log";

#[derive(Deserialize)]
struct Snapshot {
    config: Value,
    state: Value,
}

#[derive(Deserialize)]
struct Deliver {
    deliver_subject: String,
}

/// Name, events and last position, out of the server's words.
pub(crate) fn log(stream: &str, config: Value, state: Value) -> Log {
    let number = |field: &str| state[field].as_u64().unwrap_or_default();
    let (events, last_position) = (number("messages"), number("last_seq"));
    Log { stream: stream.to_owned(), config, state, events, last_position }
}

/// Writes a snapshot of a stream, without its consumers, whose messages the server has checked.
pub(crate) async fn take(client: &Client, stream: &str, writer: &mut Writer) -> Result<Log, BackupError> {
    let inbox = client.new_inbox();
    let mut chunks = client.subscribe(inbox.clone()).await.map_err(nats(TAKE))?;
    let request = json!({"deliver_subject": inbox, "no_consumers": true, "jsck": true});
    let answer: Snapshot = api(client, &format!("STREAM.SNAPSHOT.{stream}"), &request, TAKE).await?;
    let mut taken = 0;
    loop {
        let next = timeout(PATIENCE, chunks.next()).await.map_err(|_| nats(TAKE)("the next part did not come"))?;
        let chunk = next.ok_or_else(|| nats(TAKE)("the connection was closed"))?;
        if chunk.payload.is_empty() {
            let good = chunk.status.is_none_or(|status| status == StatusCode::from_u16(204).unwrap_or(StatusCode::OK));
            let said = chunk.description.as_deref().unwrap_or_default().to_owned();
            return if good { Ok(log(stream, answer.config, answer.state)) } else { Err(nats(TAKE)(said)) };
        }
        writer.write(&chunk.payload)?;
        // The last chunk is not acknowledged and has no number.
        if let Some(reply) = chunk.reply {
            taken += 1;
            let number: Option<u64> = reply.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
            if number != Some(taken) {
                return Err(nats(TAKE)(format!("part {taken} is missing")));
            }
            client.publish(reply, "".into()).await.map_err(nats(TAKE))?;
        }
    }
}

/// Makes a stream out of a snapshot, with so many copies. Answers its state.
pub(crate) async fn put(
    client: &Client,
    log: &Log,
    replicas: Option<usize>,
    reader: &mut Reader,
) -> Result<Log, BackupError> {
    let mut config = log.config.clone();
    if let Some(replicas) = replicas {
        config["num_replicas"] = replicas.into();
    }
    let request = json!({"config": config, "state": log.state});
    let Deliver { deliver_subject } = api(client, &format!("STREAM.RESTORE.{}", log.stream), &request, PUT).await?;
    while let Some(chunk) = reader.next()? {
        for part in chunk.chunks(PART) {
            let answer = send(client, &deliver_subject, part.to_vec(), PATIENCE).await?;
            if !answer.payload.is_empty() {
                refused(&answer.payload, PUT)?;
            }
        }
    }
    let answer = send(client, &deliver_subject, Vec::new(), ASSEMBLY).await?;
    refused(&answer.payload, PUT)?;
    let restored: Snapshot = serde_json::from_slice(&answer.payload).map_err(nats(PUT))?;
    Ok(self::log(&log.stream, restored.config, restored.state))
}

/// Bytes of a message, well below what any server takes.
const PART: usize = 128 * 1024;

async fn send(client: &Client, subject: &str, payload: Vec<u8>, patience: Duration) -> Result<Message, BackupError> {
    let request = Request::new().payload(payload.into()).timeout(Some(patience));
    client.send_request(subject.to_owned(), request).await.map_err(nats(PUT))
}

/// Calls JetStream's API.
pub(crate) async fn api<T: DeserializeOwned>(
    client: &Client,
    api: &str,
    request: &Value,
    action: &'static str,
) -> Result<T, BackupError> {
    let request = Request::new().payload(request.to_string().into()).timeout(Some(PATIENCE));
    let answer = client.send_request(format!("$JS.API.{api}"), request).await.map_err(nats(action))?;
    refused(&answer.payload, action)?;
    serde_json::from_slice(&answer.payload).map_err(nats(action))
}

fn refused(payload: &[u8], action: &'static str) -> Result<(), BackupError> {
    #[derive(Deserialize)]
    struct Refused {
        error: Option<Value>,
    }
    let refused = serde_json::from_slice::<Refused>(payload).map_err(nats(action))?;
    refused.error.map_or(Ok(()), |error| {
        let said = error["description"].as_str().map_or_else(|| error.to_string(), str::to_owned);
        Err(nats(action)(said))
    })
}
