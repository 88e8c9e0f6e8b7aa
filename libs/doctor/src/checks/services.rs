//! The services and their views.
//!
//! Invariant: a service that can't be asked hides nothing of the others.

use std::collections::BTreeSet;

use super::clock;
use crate::facts::{Facts, Info, Known, Service, View};
use crate::finding::Finding;

/// A view that has more to read than this is behind, not just busy: some seconds of folding.
const VIEW_BEHIND: u64 = 10_000;

pub(super) fn check(facts: &Facts, findings: &mut Vec<Finding>) {
    let mut versions = BTreeSet::new();
    for service in &facts.services {
        let name = format!("service {}", service.name);
        match &service.state {
            Known::Is(is) => {
                running(&name, is, facts.production, findings);
                versions.extend(is.info.get().map(|info| info.version.clone()));
            }
            Known::Missing | Known::Unknown(_) => {
                let reason = if let Known::Unknown(reason) = &service.state { reason } else { "nothing is there" };
                findings.push(
                    Finding::error(
                        "service-unreachable",
                        name,
                        format!("no answer from {}: {reason}", service.address),
                    )
                    .because("what it decides or shows can't be had")
                    .remedy(format!("start it, or correct --{}-endpoint", service.name)),
                );
            }
        }
    }
    if versions.len() > 1 {
        let problem =
            format!("services of different versions: {}", versions.into_iter().collect::<Vec<_>>().join(", "));
        findings.push(
            Finding::warning("service-versions", "services", problem)
                .because("an older one may not know what a newer one writes, and waits with it until it does")
                .remedy("finish the upgrade: what reads (relationships, payouts) before what writes"),
        );
    }
}

fn running(name: &str, service: &Service, production: bool, findings: &mut Vec<Finding>) {
    if !service.serving {
        findings.push(
            Finding::error("service-not-serving", name, "its health is NOT_SERVING")
                .because("it has lost the log or is shutting down; requests are answered UNAVAILABLE")
                .remedy("see its log, and whether it reaches NATS"),
        );
    }
    match &service.info {
        Known::Is(info) => {
            findings.extend(clock(name.to_owned(), info.ahead));
            findings.extend(production.then(|| development(name, info)).flatten());
        }
        Known::Missing => {}
        Known::Unknown(reason) => findings.push(not_checked(name, "what it is", reason, "info.read")),
    }
    match &service.views {
        Known::Is(views) => findings.extend(views.iter().filter_map(parked)),
        Known::Missing => {}
        Known::Unknown(reason) => findings.push(not_checked(name, "its views", reason, "views.read")),
    }
    findings.extend(service.views.get().into_iter().flatten().filter_map(behind));
}

fn not_checked(name: &str, what: &str, reason: &str, permission: &str) -> Finding {
    Finding::warning("not-checked", name, format!("{what} could not be asked: {reason}"))
        .because("whether it is fit is not known")
        .remedy(format!("ask with a token that has the permission {permission}"))
}

fn development(name: &str, info: &Info) -> Option<Finding> {
    let problem = match info {
        Info { development_key: true, .. } => "it takes tokens of the development key, and with them the test clock",
        Info { production: false, .. } => "it was started for development",
        _ => return None,
    };
    Some(
        Finding::error("service-development", name, problem)
            .because("what is unsafe with real data is not refused there: anyone may be able to sign in as anybody")
            .remedy("start it with --environment production, and correct what it then refuses"),
    )
}

fn behind(view: &View) -> Option<Finding> {
    let name = format!("view {}", view.name);
    match view.lag {
        None => Some(
            Finding::warning("view-not-measured", name, "how far it is behind is not known")
                .because("the log could not be asked")
                .remedy("see whether its service reaches NATS"),
        ),
        Some(lag) if lag > VIEW_BEHIND => Some(
            Finding::warning("view-behind", name, format!("it has {lag} positions still to read"))
                .because("lists answer what was")
                .remedy(
                    "look again: a view that was just made or rebuilt catches up by itself; else see its service's log",
                ),
        ),
        Some(_) => None,
    }
}

fn parked(view: &View) -> Option<Finding> {
    (view.parked > 0).then(|| {
        let problem = format!("it has parked {} events; the first: {}", view.parked, view.parked_error);
        Finding::error("events-parked", format!("view {}", view.name), problem)
            .because("its rows of these aggregates stand still")
            .remedy("see them with `tandem views status`; fix the fold and raise its version, and start again")
    })
}
