//! The streams: the log, the timers, the vault.
//!
//! Invariant: of what Tandem can't lose there are at least three copies, and nothing takes anything away.

use async_nats::jetstream::stream::{Config, StorageType};
use tandem_eventlog::{StreamFault, log_faults};
use tandem_timers::timer_faults;

use super::clock;
use crate::facts::{Facts, Known, Stream, StreamFacts};
use crate::finding::Finding;

/// With fewer, one server that is away takes writes with it, and one disk that is lost takes events with it.
const COPIES: usize = 3;

/// What a stream is to Tandem.
struct Role {
    what: &'static str,
    missing: &'static str,
    unfit: &'static str,
    single: &'static str,
    lost: &'static str,
    faults: fn(&Config) -> Vec<StreamFault>,
}

const LOG: Role = Role {
    what: "the log",
    missing: "log-missing",
    unfit: "log-unfit",
    single: "log-not-replicated",
    lost: "one lost disk would take every decision with it, for there is nothing else that they could be rebuilt from",
    faults: log_faults,
};
const TIMERS: Role = Role {
    what: "the timers",
    missing: "timers-missing",
    unfit: "timers-unfit",
    single: "timers-not-replicated",
    lost: "one lost disk would take with it what is due by itself: offers that lapse, renewals, drafts approved by silence",
    faults: timer_faults,
};
const VAULT: Role = Role {
    what: "the vault",
    missing: "vault-missing",
    unfit: "vault-unfit",
    single: "vault-not-replicated",
    lost: "one lost disk would take all personal data with it, which is nowhere else",
    faults: vault_faults,
};

pub(super) fn check(facts: &Facts, findings: &mut Vec<Finding>) {
    if let Some(reason) = &facts.unreachable {
        findings.push(
            Finding::error("nats-unreachable", "NATS", reason.clone())
                .because("nothing is decided without it, and nothing of it could be checked")
                .remedy("start it, or correct --nats-url (TANDEM_NATS_URL) and whom it is reached as"),
        );
        return;
    }
    if let Known::Is(since) = &facts.restoring {
        findings.push(
            Finding::error(
                "restore-unfinished",
                format!("stream {}", facts.log.name),
                format!("a restore has not ended: {since}"),
            )
            .because("what is there is part of a backup at most, and a service would begin a new log beside it")
            .remedy("wait for it, or, if it was broken off, run `tandem restore` again with the same backup"),
        );
    }
    role(&LOG, &facts.log, facts, findings);
    role(&TIMERS, &facts.timers, facts, findings);
    for bucket in &facts.vault {
        role(&VAULT, bucket, facts, findings);
    }
    if let Some(finding) = facts.log.state.get().and_then(|log| clock("NATS".to_owned(), log.ahead)) {
        findings.push(finding);
    }
    if facts.production && facts.vault_development_key == Known::Is(true) {
        findings.push(
            Finding::error("vault-development-key", "the vault", "it is sealed with the development key")
                .because("everybody knows that key: who gets at the files reads all personal data")
                .remedy(
                    "make a key with `openssl rand -base64 32`, start creators on a new --stream with --vault-key, and \
                     import anew; the key of a vault can't be changed",
                ),
        );
    }
}

fn role(role: &Role, stream: &StreamFacts, facts: &Facts, findings: &mut Vec<Finding>) {
    let subject = format!("stream {}", stream.name);
    let is = match &stream.state {
        Known::Is(is) => is,
        Known::Missing => return findings.extend(missing(role, subject, facts)),
        Known::Unknown(reason) => {
            findings.push(
                Finding::warning("not-checked", subject, format!("{}'s stream can't be asked: {reason}", role.what))
                    .because("whether it is safe is not known")
                    .remedy(format!("let this user of NATS request $JS.API.STREAM.INFO.{}", stream.name)),
            );
            return;
        }
    };
    findings.extend((role.faults)(&is.config).into_iter().map(|fault| unfit(role, &stream.name, fault)));
    if facts.production && is.config.num_replicas < COPIES {
        let copies = is.config.num_replicas;
        let problem = format!(
            "there {} of {}",
            if copies == 1 { "is 1 copy".to_owned() } else { format!("are {copies} copies") },
            role.what
        );
        findings.push(Finding::error(role.single, subject.clone(), problem).because(role.lost).remedy(format!(
            "on a NATS cluster of three or more, run: nats stream edit {} --replicas={COPIES}",
            stream.name
        )));
    }
    findings.extend(copies(&subject, is));
}

/// A stream that is not there is made by the first service that needs it, as that was told.
fn missing(role: &Role, subject: String, facts: &Facts) -> Option<Finding> {
    let Some(settings) = &facts.settings else {
        let problem = format!("there is no stream for {}", role.what);
        let finding = if role.missing == LOG.missing { Finding::error } else { Finding::warning };
        return Some(
            finding(role.missing, subject, problem)
                .because("services make it when they start; none that needs it has started here")
                .remedy("start them, or name the stream of their log in --stream"),
        );
    };
    (facts.production && settings.stream_replicas < COPIES).then(|| {
        let problem = format!("it would be made with --stream-replicas {}", settings.stream_replicas);
        Finding::error(role.single, subject, problem)
            .because(role.lost)
            .remedy(format!("start with --stream-replicas {COPIES}, on a NATS cluster of three or more"))
    })
}

fn unfit(role: &Role, stream: &str, fault: StreamFault) -> Finding {
    let remedy = match fault.option {
        Some(option) => format!("run: nats stream edit {stream} {}", option.replace("<name>", stream)),
        None => {
            "that can't be changed in place: name another stream in --stream, which is made as it has to be".to_owned()
        }
    };
    Finding::error(role.unfit, format!("stream {stream}"), fault.what).because(fault.why).remedy(remedy)
}

/// If copies are away or behind.
fn copies(subject: &str, stream: &Stream) -> Option<Finding> {
    let replicated = stream.config.num_replicas > 1;
    if replicated && stream.leader.is_none() {
        return Some(
            Finding::error("no-leader", subject, "it has no leader")
                .because("it takes no writes until more than half of its servers are back")
                .remedy("start the servers that are away: nats server report jetstream"),
        );
    }
    let late = stream.copies.iter().filter(|copy| copy.offline || !copy.current);
    let late: Vec<_> =
        late.map(|copy| format!("{} is {}", copy.server, if copy.offline { "away" } else { "behind" })).collect();
    (!late.is_empty()).then(|| {
        Finding::warning("copy-behind", subject, format!("not all copies are current: {}", late.join(", ")))
            .because("as long as they are not, fewer losses can be borne")
            .remedy("see why with: nats server report jetstream")
    })
}

fn vault_faults(config: &Config) -> Vec<StreamFault> {
    let history = StreamFault {
        what: "its messages go away by number, size or age, or it keeps no history",
        why: "personal data that is discarded can't be had again",
        option: Some("--max-msgs=-1 --max-bytes=-1 --max-age=0"),
    };
    let stale = StreamFault {
        what: "allow_direct is on while it is replicated",
        why: "a copy that lags would still answer what was erased",
        option: Some("--no-allow-direct"),
    };
    let shred = StreamFault {
        what: "deny_delete is on",
        why: "a person's key could not be overwritten, so nobody could be erased",
        option: None,
    };
    let needed = [
        (config.max_messages <= 0 && config.max_bytes <= 0 && config.max_age.is_zero(), history),
        (!config.allow_direct || config.num_replicas <= 1, stale),
        (!config.deny_delete, shred),
        (!config.no_ack, StreamFault::NO_ACK),
        (!config.sealed, StreamFault::SEALED),
        (config.storage == StorageType::File, StreamFault::IN_MEMORY),
    ];
    needed.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault).collect()
}
