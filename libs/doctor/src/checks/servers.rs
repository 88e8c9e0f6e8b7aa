//! The NATS servers: when they sync to disk, and their clocks.
//!
//! Invariant: in production no server acknowledges what it could lose with the power; and what nobody could see is said
//! not to have been checked.

use std::collections::BTreeSet;

use super::clock;
use crate::facts::{Facts, Known, Server};
use crate::finding::Finding;

const SYNC: &str =
    "JetStream then acknowledges events before they are on disk: machines that lose power together lose them";
const ALWAYS: &str =
    "put `sync_interval: always` into `jetstream {}` of each server's configuration and restart them in turn";

pub(super) fn check(facts: &Facts, findings: &mut Vec<Finding>) {
    let mut seen: Vec<&Server> = Vec::new();
    for server in &facts.servers {
        match &server.state {
            Known::Is(is) => {
                let subject = format!("nats-server {}", is.name);
                findings.extend(facts.production.then(|| sync(&subject, is)).flatten());
                findings.extend(clock(subject, is.ahead));
                seen.push(is);
            }
            Known::Missing | Known::Unknown(_) => {
                let reason = if let Known::Unknown(reason) = &server.state { reason } else { "nothing is there" };
                findings.push(
                    Finding::warning("not-checked", server.address.clone(), format!("the server can't be asked: {reason}"))
                        .because("when it syncs to disk is not known")
                        .remedy("correct --nats-monitor, which is `http://<host>:8222` with `http_port: 8222` in its configuration"),
                );
            }
        }
    }
    findings.extend(unseen(facts, &seen));
    let versions: BTreeSet<_> = seen.iter().map(|server| server.version.as_str()).collect();
    if versions.len() > 1 {
        let problem = format!("servers of different versions: {}", versions.into_iter().collect::<Vec<_>>().join(", "));
        findings.push(
            Finding::warning("server-versions", "NATS", problem)
                .because("the older ones decide what the cluster can do")
                .remedy("finish the upgrade, one server at a time"),
        );
    }
}

fn sync(subject: &str, server: &Server) -> Option<Finding> {
    let interval = server.sync_interval.filter(|interval| !interval.is_zero())?;
    let problem = format!("it syncs to disk every {} s, not always", interval.as_secs_f64());
    Some(Finding::error("sync-late", subject, problem).because(SYNC).remedy(ALWAYS))
}

/// If there are servers that nobody has asked.
fn unseen(facts: &Facts, seen: &[&Server]) -> Option<Finding> {
    if facts.production && facts.servers.is_empty() && !facts.servers_vouched_for {
        return Some(
            Finding::error("sync-unknown", "NATS", "when its servers sync to disk is not known")
                .because("only their monitoring tells it, and no client would notice before the power fails")
                .remedy(
                    "name the monitoring of all servers in --nats-monitor (TANDEM_NATS_MONITOR), commas between; if somebody \
                     else runs them and answers for `sync_interval: always`, say `none`",
                ),
        );
    }
    let names: BTreeSet<_> = seen.iter().map(|server| &server.name).collect();
    let cluster = seen.iter().map(|server| server.cluster_size).max();
    let problem = match cluster {
        _ if !facts.production => return None,
        None if facts.servers.is_empty() => {
            "when the servers sync to disk was not checked: somebody else answers for it".to_owned()
        }
        Some(size) if names.len() < size => {
            format!("{} of {size} servers were asked when they sync to disk", names.len())
        }
        _ => return None,
    };
    Some(
        Finding::warning("not-checked", "NATS", problem)
            .because(SYNC)
            .remedy("name the monitoring of all servers in --nats-monitor (TANDEM_NATS_MONITOR), commas between"),
    )
}
