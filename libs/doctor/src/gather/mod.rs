//! Finding out: NATS is asked for its streams, consumers and servers.
//!
//! Invariant: asking changes nothing, takes no longer than [`PATIENCE`] for each thing, and never fails: what could not be
//! had is [`Known::Unknown`].

mod monitor;
mod streams;

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream;
use futures::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use tandem_vault::{MasterKey, Vault};

use crate::facts::{Facts, Known, restore_marker};

/// How long one answer is waited for.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Said instead of where NATS servers tell about themselves: somebody else runs them, and answers for when they sync.
pub const VOUCHED_FOR: &str = "none";

/// What is to be asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The vault's buckets, and whether everybody knows its key.
    pub vault: bool,
    /// The durable consumers.
    pub consumers: bool,
    /// Where NATS servers tell about themselves: `http://<host>:8222`, several with commas between; [`VOUCHED_FOR`] if
    /// somebody else runs them.
    pub monitor: Option<&'a str>,
}

/// What NATS tells of a deployment over the log of this name, taken for one with real data.
pub async fn nats(client: &Client, log: &str, scope: Scope<'_>) -> Facts {
    let mut facts = Facts::production(log);
    let streams = async {
        let names = [log.to_owned(), facts.timers.name.clone()];
        let [log_stream, timers] = join_all(names.map(|name| streams::stream(client, name))).await.try_into().ok()?;
        Some((log_stream, timers))
    };
    let vault = async {
        if !scope.vault {
            return (Vec::new(), Known::Missing);
        }
        let buckets = Vault::streams(log).map(|name| streams::stream(client, name));
        join(join_all(buckets), development_vault(client, log)).await
    };
    let consumers = async {
        let names = if scope.consumers { vec![log.to_owned(), facts.timers.name.clone()] } else { Vec::new() };
        join_all(names.into_iter().map(|name| streams::consumers(client, name))).await
    };
    let marker = restore_marker(log);
    facts.servers_vouched_for = scope.monitor == Some(VOUCHED_FOR);
    let monitor = scope.monitor.filter(|_| !facts.servers_vouched_for);
    let (streams, vault, consumers, restoring, servers) =
        tokio::join!(streams, vault, consumers, streams::description(client, &marker), monitor::servers(monitor));
    if let Some((log, timers)) = streams {
        (facts.log, facts.timers) = (log, timers);
    }
    (facts.vault, facts.vault_development_key) = vault;
    (facts.consumers, facts.restoring, facts.servers) = (consumers, restoring, servers);
    facts
}

/// Whether the vault opens with the key that everybody knows.
async fn development_vault(client: &Client, log: &str) -> Known<bool> {
    let mut context = jetstream::new(client.clone());
    context.set_timeout(PATIENCE);
    match Vault::is_sealed_with(&context, log, &MasterKey::development()).await {
        Ok(Some(opens)) => Known::Is(opens),
        Ok(None) => Known::Missing,
        Err(error) => Known::Unknown(error.to_string()),
    }
}

/// By how much another clock is ahead of this machine's, which asked and was answered at these times.
#[must_use]
pub fn ahead(asked: Timestamp, said: Timestamp, answered: Timestamp) -> SignedDuration {
    // Said at some time in between: no difference is claimed that the time under way could explain.
    if said < asked {
        said.duration_since(asked)
    } else if said > answered {
        said.duration_since(answered)
    } else {
        SignedDuration::ZERO
    }
}

/// This machine's time.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "clocks are compared")]
    Timestamp::now()
}
