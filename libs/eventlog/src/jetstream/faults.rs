//! What keeps a stream from being a safe place.
//!
//! Invariant: a stream without faults keeps every event that it has acknowledged, and can take atomic batches.

use std::fmt;

use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};

/// A setting that a stream needs and has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFault {
    /// What is so, in the server's words for it.
    pub what: &'static str,
    /// What could come of it.
    pub why: &'static str,
    /// The option of `nats stream edit` that changes it; none where it is settled when the stream is made.
    pub option: Option<&'static str>,
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl StreamFault {
    /// That messages go away by number, size or age.
    pub const LIMITED: Self = Self {
        what: "it has limits of messages, bytes or age",
        why: "what exceeds them is discarded, or refused",
        option: Some("--max-msgs=-1 --max-bytes=-1 --max-msgs-per-subject=-1 --max-age=0"),
    };
    /// That writes are not acknowledged.
    pub const NO_ACK: Self = Self {
        what: "no_ack is on",
        why: "nobody learns whether a message was kept, so each write ends without an answer",
        option: Some("--ack"),
    };
    /// That it takes nothing more.
    pub const SEALED: Self = Self { what: "it is sealed", why: "it takes no messages any more", option: None };
    /// That it lives in memory.
    pub const IN_MEMORY: Self =
        Self { what: "it is not kept in files", why: "all of it is gone when its servers restart", option: None };
    /// That it takes other subjects than its own.
    pub const SUBJECTS: Self = Self {
        what: "its subjects are not <name>.>",
        why: "Tandem reads and writes below the stream's name: what is elsewhere would be lost, or not its own",
        option: Some("--subjects '<name>.>'"),
    };

    /// Whether nothing goes away by number, size or age.
    #[must_use]
    pub fn is_unlimited(config: &Config) -> bool {
        config.max_messages <= 0
            && config.max_bytes <= 0
            && config.max_messages_per_subject <= 0
            && config.max_age.is_zero()
    }
}

/// What keeps a stream from being the log.
#[must_use]
pub fn log_faults(config: &Config) -> Vec<StreamFault> {
    let needed = [
        (config.subjects == [format!("{}.>", config.name)], StreamFault::SUBJECTS),
        (
            config.deny_delete,
            StreamFault {
                what: "deny_delete is off",
                why: "an event could be deleted, and with it what was decided",
                option: Some("--deny-delete"),
            },
        ),
        (
            config.deny_purge,
            StreamFault {
                what: "deny_purge is off",
                why: "one request could empty the log",
                option: Some("--deny-purge"),
            },
        ),
        (
            !config.allow_rollup,
            StreamFault {
                what: "allow_rollup_hdrs is on",
                why: "a message with a header could replace all events before it",
                option: Some("--no-allow-rollup"),
            },
        ),
        (
            !config.allow_message_ttl,
            StreamFault {
                what: "allow_msg_ttl is on",
                why: "a message could set a time after which it goes away",
                option: None,
            },
        ),
        (!config.no_ack, StreamFault::NO_ACK),
        (!config.sealed, StreamFault::SEALED),
        (StreamFault::is_unlimited(config), StreamFault::LIMITED),
        (
            config.retention == RetentionPolicy::Limits,
            StreamFault { what: "its retention is not limits", why: "events go away once they are read", option: None },
        ),
        (config.storage == StorageType::File, StreamFault::IN_MEMORY),
        (
            config.allow_direct,
            StreamFault {
                what: "allow_direct is off",
                why: "aggregates are loaded by direct gets",
                option: Some("--allow-direct"),
            },
        ),
        (
            config.allow_atomic_publish,
            StreamFault {
                what: "allow_atomic is off (it needs nats-server 2.12)",
                why: "events that belong together could not be appended all or none",
                option: Some("--allow-batch"),
            },
        ),
    ];
    needed.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault).collect()
}
