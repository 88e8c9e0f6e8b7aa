//! The log, the timers, the vault.

use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use jiff::SignedDuration;

use super::given;
use crate::facts::{Facts, Known};

fn log(change: impl FnOnce(&mut Config)) -> impl FnOnce(&mut Facts) {
    |facts| change(&mut facts.log.state.is().config)
}

#[test]
fn each_stream_has_three_copies_in_production() {
    given(log(|config| config.num_replicas = 1)).then_error(
        "log-not-replicated",
        &["there is 1 copy", "every decision", "nats stream edit tandem --replicas=3"],
    );
    given(|facts| facts.timers.state.is().config.num_replicas = 2)
        .then_error("timers-not-replicated", &["there are 2 copies", "nats stream edit tandem-timers --replicas=3"]);
    given(|facts| facts.vault[1].state.is().config.num_replicas = 1)
        .then_error("vault-not-replicated", &["personal data", "nats stream edit KV_tandem_vault_keys --replicas=3"]);
}

#[test]
fn a_stream_that_would_be_made_with_one_copy_is_found_before_it_is_made() {
    given(|facts| {
        facts.log.state = Known::Missing;
        facts.settings.as_mut().unwrap().stream_replicas = 1;
    })
    .then_error("log-not-replicated", &["--stream-replicas 1", "Start with --stream-replicas 3"]);
    given(|facts| facts.log.state = Known::Missing).then_nothing();
}

#[test]
fn a_running_system_without_a_log_is_none() {
    given(|facts| (facts.settings, facts.log.state) = (None, Known::Missing)).then_error("log-missing", &["--stream"]);
    given(|facts| (facts.settings, facts.timers.state) = (None, Known::Missing)).then_warning("timers-missing", &[]);
}

#[test]
fn no_event_may_be_purged_deleted_replaced_or_expire() {
    let edit = "nats stream edit tandem";
    given(log(|config| config.deny_purge = false))
        .then_error("log-unfit", &["deny_purge is off", "empty the log", &format!("{edit} --deny-purge")]);
    given(log(|config| config.deny_delete = false))
        .then_error("log-unfit", &["deny_delete is off", &format!("{edit} --deny-delete")]);
    given(log(|config| config.allow_rollup = true)).then_error("log-unfit", &[&format!("{edit} --no-allow-rollup")]);
    given(log(|config| config.allow_message_ttl = true)).then_error("log-unfit", &["can't be changed in place"]);
    given(log(|config| config.max_messages = 10)).then_error("log-unfit", &[&format!("{edit} --max-msgs=-1")]);
    given(log(|config| config.retention = RetentionPolicy::Interest)).then_error("log-unfit", &["retention"]);
    given(log(|config| config.storage = StorageType::Memory)).then_error("log-unfit", &["not kept in files"]);
    given(log(|config| config.sealed = true)).then_error("log-unfit", &["sealed"]);
    given(log(|config| config.no_ack = true)).then_error("log-unfit", &[&format!("{edit} --ack")]);
}

#[test]
fn the_log_has_what_tandem_needs() {
    given(log(|config| config.allow_atomic_publish = false))
        .then_error("log-unfit", &["allow_atomic", "nats stream edit tandem --allow-batch"]);
    given(log(|config| config.allow_direct = false))
        .then_error("log-unfit", &["nats stream edit tandem --allow-direct"]);
    given(log(|config| config.subjects = vec!["tandem.acme.>".into()]))
        .then_error("log-unfit", &["nats stream edit tandem --subjects 'tandem.>'"]);
}

#[test]
fn it_stands_in_development_as_well() {
    given(|facts| {
        facts.production = false;
        facts.log.state.is().config.deny_purge = false;
    })
    .then_error("log-unfit", &["deny_purge"]);
}

#[test]
fn timers_can_fire() {
    given(|facts| facts.timers.state.is().config.allow_message_schedules = false)
        .then_error("timers-unfit", &["No timer would ever fire", "--allow-schedules"]);
}

#[test]
fn what_is_erased_is_answered_by_no_copy_and_can_be_erased() {
    given(|facts| facts.vault[0].state.is().config.allow_direct = true)
        .then_error("vault-unfit", &["erased", "nats stream edit KV_tandem_vault --no-allow-direct"]);
    given(|facts| facts.vault[1].state.is().config.deny_delete = true)
        .then_error("vault-unfit", &["deny_delete is on"]);
    given(|facts| facts.vault[0].state.is().config.max_age = std::time::Duration::from_secs(60))
        .then_error("vault-unfit", &["--max-age=0"]);
}

#[test]
fn a_vault_that_everybody_can_open_is_none() {
    given(|facts| facts.vault_development_key = Known::Is(true))
        .then_error("vault-development-key", &["openssl rand -base64 32", "--vault-key"]);
}

#[test]
fn a_copy_that_lags_or_is_away_is_told() {
    given(|facts| facts.log.state.is().copies[1].current = false).then_warning("copy-behind", &["n3 is behind"]);
    given(|facts| facts.log.state.is().copies[0].offline = true).then_warning("copy-behind", &["n2 is away"]);
    given(|facts| facts.log.state.is().leader = None).then_error("no-leader", &["takes no writes"]);
}

#[test]
fn a_restore_that_has_not_ended_is_told_wherever_it_is() {
    given(|facts| {
        facts.production = false;
        facts.restoring = Known::Is("backup of 2026-11-20".into());
    })
    .then_error("restore-unfinished", &["backup of 2026-11-20", "tandem restore"]);
}

#[test]
fn what_could_not_be_asked_is_told() {
    given(|facts| facts.log.state = Known::Unknown("timed out".into()))
        .then_warning("not-checked", &["timed out", "$JS.API.STREAM.INFO.tandem"]);
}

#[test]
fn clocks_are_compared() {
    given(|facts| facts.log.state.is().ahead = SignedDuration::from_secs(-5))
        .then_warning("clock-skew", &["5.0 s behind", "chrony"]);
    given(|facts| facts.log.state.is().ahead = SignedDuration::from_millis(1_500)).then_nothing();
}
