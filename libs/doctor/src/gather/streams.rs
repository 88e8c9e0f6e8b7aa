//! Streams and their consumers, by the API of JetStream.
//!
//! Invariant: the server's own words are read, with its time, which typed clients leave out.

use async_nats::jetstream::stream::Config;
use async_nats::{Client, Request};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{PATIENCE, ahead, now};
use crate::facts::{Consumer, ConsumerFacts, Copy, Known, Stream, StreamFacts};

/// "stream not found"
const STREAM_NOT_FOUND: u64 = 10059;

/// Why there is no answer.
#[derive(Deserialize)]
struct Refused {
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct StreamInfo {
    config: Config,
    state: State,
    cluster: Option<Cluster>,
    ts: Option<Timestamp>,
}

#[derive(Deserialize)]
struct State {
    messages: u64,
    last_seq: u64,
}

#[derive(Deserialize)]
struct Cluster {
    leader: Option<String>,
    #[serde(default)]
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
struct Replica {
    name: String,
    current: bool,
    #[serde(default)]
    offline: bool,
}

#[derive(Deserialize)]
struct ConsumerPage {
    #[serde(default)]
    total: usize,
    #[serde(default)]
    consumers: Vec<ConsumerInfo>,
}

#[derive(Deserialize)]
struct ConsumerInfo {
    name: String,
    config: ConsumerConfig,
    #[serde(default)]
    num_pending: u64,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    num_redelivered: u64,
}

#[derive(Deserialize)]
struct ConsumerConfig {
    durable_name: Option<String>,
}

pub(super) async fn stream(client: &Client, name: String) -> StreamFacts {
    let asked = now();
    let state = match request::<StreamInfo>(client, &format!("STREAM.INFO.{name}"), String::new()).await {
        Known::Is(info) => {
            let replicas = info.cluster.as_ref().map(|cluster| cluster.replicas.as_slice()).unwrap_or_default();
            let copies = replicas.iter().map(|replica| Copy {
                server: replica.name.clone(),
                current: replica.current,
                offline: replica.offline,
            });
            Known::Is(Box::new(Stream {
                copies: copies.collect(),
                leader: info.cluster.and_then(|cluster| cluster.leader).filter(|leader| !leader.is_empty()),
                messages: info.state.messages,
                last_sequence: info.state.last_seq,
                ahead: info.ts.map(|said| ahead(asked, said, now())).unwrap_or_default(),
                config: info.config,
            }))
        }
        Known::Missing => Known::Missing,
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    StreamFacts { name, state }
}

/// What a stream is described as.
pub(super) async fn description(client: &Client, name: &str) -> Known<String> {
    match request::<StreamInfo>(client, &format!("STREAM.INFO.{name}"), String::new()).await {
        Known::Is(info) => Known::Is(info.config.description.unwrap_or_default()),
        Known::Missing => Known::Missing,
        Known::Unknown(reason) => Known::Unknown(reason),
    }
}

/// The durable consumers of a stream; others come and go with their reader.
pub(super) async fn consumers(client: &Client, stream: String) -> ConsumerFacts {
    let mut all = Vec::new();
    let state = loop {
        let page = serde_json::json!({ "offset": all.len() }).to_string();
        match request::<ConsumerPage>(client, &format!("CONSUMER.LIST.{stream}"), page).await {
            Known::Is(page) if page.consumers.is_empty() => break Known::Is(()),
            Known::Is(page) => {
                all.extend(page.consumers);
                if all.len() >= page.total {
                    break Known::Is(());
                }
            }
            Known::Missing => break Known::Missing,
            Known::Unknown(reason) => break Known::Unknown(reason),
        }
    };
    let durable = all.into_iter().filter(|info| info.config.durable_name.is_some());
    let consumer = |info: ConsumerInfo| Consumer {
        name: info.name,
        pending: info.num_pending,
        unacknowledged: info.num_ack_pending,
        redelivered: info.num_redelivered,
    };
    let mut durable: Vec<_> = durable.map(consumer).collect();
    durable.sort_by(|a, b| a.name.cmp(&b.name));
    let state = match state {
        Known::Is(()) => Known::Is(durable),
        Known::Missing => Known::Missing,
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    ConsumerFacts { stream, state }
}

async fn request<T: DeserializeOwned>(client: &Client, api: &str, payload: String) -> Known<T> {
    let request = Request::new().payload(payload.into()).timeout(Some(PATIENCE));
    let answer = match client.send_request(format!("$JS.API.{api}"), request).await {
        Ok(answer) => answer,
        Err(error) => return Known::Unknown(error.to_string()),
    };
    let refused = serde_json::from_slice::<Refused>(&answer.payload).ok().and_then(|refused| refused.error);
    match refused {
        Some(error) if error.err_code == STREAM_NOT_FOUND => Known::Missing,
        Some(error) => Known::Unknown(error.description),
        None => match serde_json::from_slice(&answer.payload) {
            Ok(content) => Known::Is(content),
            Err(error) => Known::Unknown(format!("the answer can't be understood: {error}")),
        },
    }
}
