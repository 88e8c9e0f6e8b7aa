//! What NATS servers tell of themselves over HTTP: no client can see when a server syncs.
//!
//! Invariant: a name that stands for several servers has all of them asked, each by its address.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::{PATIENCE, ahead, now};
use crate::facts::{Known, Server, ServerFacts};

const DEFAULT_PORT: u16 = 8222;
/// More than a server ever says of itself.
const LIMIT: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Varz {
    server_name: String,
    version: String,
    now: Timestamp,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Deserialize, Default)]
struct JetStream {
    config: Option<Config>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_always: bool,
    /// Nanoseconds.
    #[serde(default)]
    sync_interval: u64,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    cluster_size: usize,
}

/// All servers behind these addresses.
pub(super) async fn servers(addresses: Option<&str>) -> Vec<ServerFacts> {
    let addresses = addresses.unwrap_or_default().split(',').map(str::trim).filter(|address| !address.is_empty());
    let mut servers: Vec<ServerFacts> = join_all(addresses.map(behind)).await.into_iter().flatten().collect();
    servers.dedup_by(|a, b| {
        a.state.get().is_some() && a.state.get().map(|it| &it.name) == b.state.get().map(|it| &it.name)
    });
    servers
}

async fn behind(url: &str) -> Vec<ServerFacts> {
    let found = match authority(url) {
        Ok(authority) => match lookup_host(&*authority).await {
            Ok(found) => Ok(found.map(|address| (authority.clone(), address)).collect::<Vec<_>>()),
            Err(error) => Err(error.to_string()),
        },
        Err(reason) => Err(reason),
    };
    match found {
        Ok(found) => join_all(found.into_iter().map(|(host, address)| server(host, address))).await,
        Err(reason) => vec![ServerFacts { address: url.to_owned(), state: Known::Unknown(reason) }],
    }
}

/// `host:port` of `http://host:port`.
fn authority(url: &str) -> Result<String, String> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some((scheme, _)) => return Err(format!("{scheme}:// is not understood, only http://")),
        None => url,
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { authority.to_owned() } else { format!("{authority}:{DEFAULT_PORT}") })
}

async fn server(host: String, address: SocketAddr) -> ServerFacts {
    let asked = now();
    let state = match timeout(PATIENCE, get(&host, address, "/varz")).await {
        Err(_) => Known::Unknown(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Known::Unknown(error.to_string()),
        Ok(Ok(body)) => match serde_json::from_slice::<Varz>(&body) {
            Err(error) => Known::Unknown(format!("this is no monitoring of a nats-server: {error}")),
            Ok(said) => Known::Is(Server {
                name: said.server_name,
                version: said.version,
                sync_interval: said.jetstream.config.map(|config| {
                    if config.sync_always { Duration::ZERO } else { Duration::from_nanos(config.sync_interval) }
                }),
                cluster_size: said.jetstream.meta.map_or(1, |meta| meta.cluster_size.max(1)),
                ahead: ahead(asked, said.now, now()),
            }),
        },
    };
    ServerFacts { address: format!("http://{address}"), state }
}

/// The body of an answer. HTTP/1.0, where an answer ends with its connection: for one request of a known server the
/// whole of HTTP would be a dependency without use.
async fn get(host: &str, address: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    connection.take(LIMIT).read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&answer[..end.unwrap_or(0)]);
    match (head.split(' ').nth(1), end) {
        (Some("200"), Some(end)) => Ok(answer.split_off(end + 4)),
        _ => Err(std::io::Error::other(format!("it answers {:?}", head.lines().next().unwrap_or_default()))),
    }
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn the_port_of_monitoring_may_be_left_out() {
        assert_eq!(authority("http://nats.example:8333/varz").unwrap(), "nats.example:8333");
        assert_eq!(authority("http://nats.example").unwrap(), "nats.example:8222");
        assert_eq!(authority("127.0.0.1:9000").unwrap(), "127.0.0.1:9000");
        assert!(authority("https://nats.example").unwrap_err().contains("https"));
    }
}
