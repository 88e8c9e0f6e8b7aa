//! What the doctor has seen, and what is wrong with it.
//!
//! Invariant: what was looked at is shown beside what was found, so that silence is told from health.

use std::io;

use serde_json::{Value, json};
use tandem_doctor::{Facts, Finding, Known, Severity, StreamFacts};

use crate::output::{self, grouped};

pub(super) fn text(facts: &Facts, findings: &[Finding]) -> io::Result<()> {
    let mut table = output::table(&["part", "state", "more"]);
    for stream in streams(facts) {
        let state = match &stream.state {
            Known::Is(is) => format!("{} messages", grouped(is.messages)),
            other => unknown(other),
        };
        let more = stream.state.get().map_or_else(String::new, |is| {
            let away = is.copies.iter().filter(|copy| copy.offline || !copy.current).count();
            let copies = format!("copies: {}", is.config.num_replicas);
            if away > 0 { format!("{copies}, of which not current: {away}") } else { copies }
        });
        table.add_row([format!("stream {}", stream.name), state, more]);
    }
    for server in &facts.servers {
        let state = server.state.get().map_or_else(|| unknown(&server.state), |is| is.version.clone());
        let more = server.state.get().and_then(|is| is.sync_interval).map_or_else(String::new, |interval| {
            if interval.is_zero() {
                "syncs always".to_owned()
            } else {
                format!("syncs every {} s", interval.as_secs_f64())
            }
        });
        let name = server.state.get().map_or(&server.address, |is| &is.name);
        table.add_row([format!("nats-server {name}"), state, more]);
    }
    for service in &facts.services {
        let state = match &service.state {
            Known::Is(is) if is.serving => "serving".to_owned(),
            Known::Is(_) => "not serving".to_owned(),
            other => unknown(other),
        };
        let version = service.state.get().and_then(|is| is.info.get()).map(|info| info.version.clone());
        table.add_row([format!("service {}", service.name), state, version.unwrap_or_default()]);
        for view in service.state.get().and_then(|is| is.views.get()).into_iter().flatten() {
            let lag = view.lag.map_or_else(|| "lag unknown".to_owned(), |lag| format!("lag {}", grouped(lag)));
            table.add_row([format!("view {}", view.name), lag, format!("parked: {}", grouped(view.parked))]);
        }
    }
    for consumer in facts.consumers.iter().filter_map(|of| of.state.get()).flatten() {
        let more = format!("under way: {}, again: {}", grouped(consumer.unacknowledged), grouped(consumer.redelivered));
        table.add_row([format!("process {}", consumer.name), format!("waiting: {}", grouped(consumer.pending)), more]);
    }
    output::print(&table)?;
    for finding in findings {
        let mark = if finding.severity == Severity::Error { "ERROR" } else { "warning" };
        output::line(format!("\n{mark} {finding}"))?;
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    output::line(format!("\nerrors: {errors}, warnings: {}", findings.len() - errors))
}

pub(super) fn json(facts: &Facts, findings: &[Finding]) -> io::Result<()> {
    let streams = streams(facts).map(|stream| {
        known(&stream.name, &stream.state, |is| {
            json!({"messages": is.messages, "last_sequence": is.last_sequence, "replicas": is.config.num_replicas})
        })
    });
    let servers = facts.servers.iter().map(|server| {
        known(&server.address, &server.state, |is| {
            json!({
                "server": is.name, "version": is.version, "clock_ahead_seconds": is.ahead.as_secs_f64(),
                "sync_interval_seconds": is.sync_interval.map(|interval| interval.as_secs_f64()),
            })
        })
    });
    let services = facts.services.iter().map(|service| {
        known(&service.name, &service.state, |is| {
            let views = is.views.get().into_iter().flatten().map(
                |view| json!({"name": view.name, "position": view.position, "lag": view.lag, "parked": view.parked}),
            );
            json!({
                "address": service.address, "serving": is.serving, "views": views.collect::<Vec<_>>(),
                "version": is.info.get().map(|info| &info.version),
                "clock_ahead_seconds": is.info.get().map(|info| info.ahead.as_secs_f64()),
            })
        })
    });
    let processes = facts.consumers.iter().filter_map(|of| of.state.get()).flatten().map(|consumer| {
        json!({
            "name": consumer.name, "pending": consumer.pending, "unacknowledged": consumer.unacknowledged,
            "redelivered": consumer.redelivered,
        })
    });
    output::line(json!({
        "findings": findings,
        "streams": streams.collect::<Vec<_>>(),
        "servers": servers.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
        "processes": processes.collect::<Vec<_>>(),
    }))
}

fn streams(facts: &Facts) -> impl Iterator<Item = &StreamFacts> {
    [&facts.log, &facts.timers].into_iter().chain(&facts.vault)
}

fn unknown<T>(known: &Known<T>) -> String {
    match known {
        Known::Is(_) => String::new(),
        Known::Missing => "missing".to_owned(),
        Known::Unknown(_) => "can't be asked".to_owned(),
    }
}

/// What is known, under its name; or why nothing is.
fn known<T>(name: &str, state: &Known<T>, show: impl Fn(&T) -> Value) -> Value {
    let mut value = match state {
        Known::Is(is) => show(is),
        Known::Missing => json!({"missing": true}),
        Known::Unknown(reason) => json!({"unknown": reason}),
    };
    value["name"] = name.into();
    value
}
