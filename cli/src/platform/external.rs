//! A NATS server of somebody else.
//!
//! Invariant: nothing is started on one that is not there; who waits for it is told so.

use std::time::Duration;

use anyhow::bail;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const DEFAULT_PORT: u16 = 4222;
/// It may be starting, beside this.
const WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(250);

/// Waits until one of the servers of a URL, which may be several with commas between, takes connections.
pub(super) async fn wait_for(url: &str) -> anyhow::Result<()> {
    let addresses: Vec<_> = url.split(',').map(address).collect();
    let give_up = Instant::now() + WITHIN;
    let mut told = false;
    while !any_answers(&addresses).await {
        if Instant::now() > give_up {
            bail!("no NATS server answers at {url}; start it, name another in --external-nats, or leave that out");
        }
        if !told {
            eprintln!("waiting for NATS at {url}, {} s at most", WITHIN.as_secs());
            told = true;
        }
        sleep(BETWEEN_TRIES).await;
    }
    Ok(())
}

async fn any_answers(addresses: &[String]) -> bool {
    for address in addresses {
        if matches!(timeout(Duration::from_secs(2), TcpStream::connect(address)).await, Ok(Ok(_))) {
            return true;
        }
    }
    false
}

/// "host:port" of "nats://user:password@host:port".
fn address(url: &str) -> String {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, port)| port.parse::<u16>().is_ok() && (before.ends_with(']') || !before.contains(':')));
    if has_port { host.to_owned() } else { format!("{host}:{DEFAULT_PORT}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_urls() {
        for (url, expected) in [
            ("nats://127.0.0.1:4999", "127.0.0.1:4999"),
            (" tls://user:pass@nats.example/ ", "nats.example:4222"),
            ("localhost", "localhost:4222"),
            ("nats://[::1]:5000", "[::1]:5000"),
            ("nats://[::1]", "[::1]:4222"),
        ] {
            assert_eq!(address(url), expected, "{url}");
        }
    }
}
