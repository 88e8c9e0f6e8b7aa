//! When servers sync, and what they are.

use std::time::Duration;

use jiff::SignedDuration;

use super::given;
use crate::facts::Known;

#[test]
fn a_server_that_acknowledges_before_it_syncs_is_refused_in_production() {
    given(|facts| facts.servers[2].state.is().sync_interval = Some(Duration::from_secs(120)))
        .then_error("sync-late", &["n3", "every 120 s", "lose power", "sync_interval: always"]);
    given(|facts| {
        facts.production = false;
        facts.servers[2].state.is().sync_interval = Some(Duration::from_secs(120));
    })
    .then_nothing();
}

#[test]
fn a_server_without_jetstream_syncs_nothing() {
    given(|facts| facts.servers[2].state.is().sync_interval = None).then_nothing();
}

#[test]
fn what_no_server_told_is_said_not_to_be_checked() {
    given(|facts| {
        facts.servers.clear();
        facts.servers_vouched_for = true;
    })
    .then_warning("not-checked", &["was not checked", "--nats-monitor"]);
    given(|facts| facts.servers.truncate(1)).then_warning("not-checked", &["1 of 3 servers", "--nats-monitor"]);
}

#[test]
fn servers_that_nobody_can_ask_or_answers_for_are_not_for_production() {
    given(|facts| facts.servers.clear()).then_error("sync-unknown", &["sync to disk", "--nats-monitor", "`none`"]);
    given(|facts| {
        facts.servers.clear();
        facts.production = false;
    })
    .then_nothing();
}

#[test]
fn a_nats_that_can_t_be_reached_is_one_error() {
    given(|facts| {
        facts.production = false;
        facts.unreachable = Some("NATS can't be reached at nats://127.0.0.1:1".into());
    })
    .then_error("nats-unreachable", &["127.0.0.1:1", "--nats-url"]);
}

#[test]
fn a_server_that_does_not_answer_is_told() {
    let mut facts = super::fit();
    facts.servers[0].state = Known::Unknown("connection refused".into());
    let found: Vec<_> = crate::examine(&facts).iter().map(ToString::to_string).collect();
    assert!(
        found.iter().any(|text| text.contains("connection refused") && text.contains("http_port: 8222")),
        "{found:?}"
    );
    assert!(found.iter().any(|text| text.contains("2 of 3 servers")), "{found:?}");
}

#[test]
fn versions_and_clocks_of_servers_are_compared() {
    given(|facts| facts.servers[0].state.is().version = "2.14.0".into())
        .then_warning("server-versions", &["2.12.1, 2.14.0"]);
    given(|facts| facts.servers[0].state.is().ahead = SignedDuration::from_secs(30))
        .then_warning("clock-skew", &["nats-server n1", "30.0 s ahead"]);
}
