//! The NATS servers as the manifests configure them: each service can do all of its work as its own user, and nothing that
//! is another's.

#![expect(clippy::unwrap_used, reason = "a test")]

mod cluster;
mod services;
mod user;

use std::collections::BTreeSet;

use serde_json::json;
use tandem_client::Service;
use tandem_demo::{Faults, tell};
use tandem_tls::testing::Authority;

use cluster::Cluster;
use services::Services;
use user::User;

/// Named consumers, by which processes are handed events: whose they are, and of which stream.
const CONSUMERS: [(Service, &str, &str); 6] = [
    (Service::Contracts, "tandem", "contracts"),
    (Service::Campaigns, "tandem", "campaigns"),
    (Service::Payouts, "tandem", "payouts-accrual"),
    (Service::Contracts, "tandem-timers", "contracts-contract-timers"),
    (Service::Contracts, "tandem-timers", "contracts-usage_right-timers"),
    (Service::Campaigns, "tandem-timers", "campaigns-participation-timers"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_service_can_do_its_work_as_its_own_user() {
    let cluster = Cluster::start().await;
    tell_the_demo_on(&cluster).await;

    let operator = User::login(&cluster, "operator").await;
    let mut consumers = BTreeSet::new();
    for stream in ["tandem", "tandem-timers"] {
        for name in operator.durables(stream).await {
            consumers.insert(format!("{stream} {name}"));
        }
    }
    let expected: BTreeSet<_> = CONSUMERS.iter().map(|(_, stream, name)| format!("{stream} {name}")).collect();
    assert_eq!(consumers, expected, "the refusals below, and users.conf, are of all that there are");
}

#[tokio::test(flavor = "multi_thread")]
async fn production_does_the_same_under_tls() {
    let cluster = Cluster::start_under_tls(&Authority::new()).await;
    tell_the_demo_on(&cluster).await;
    let url = cluster.url();
    let stranger = async_nats::ConnectOptions::new().require_tls(true).connect(url.split(',').collect::<Vec<_>>());
    assert!(stranger.await.is_err(), "who shows no certificate is not let in");
}

async fn tell_the_demo_on(cluster: &Cluster) {
    cluster.provision().await;
    let services = Services::start(cluster).await;
    let told = tell(services.client(), Faults::None).await;
    services.stop().await;
    let output = services.output();
    told.unwrap_or_else(|error| panic!("{error:#}\n{output}"));
    let refused = output.to_lowercase().contains("permissions violation");
    assert!(!refused, "something was refused, and tried again:\n{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_can_do_what_is_anothers() {
    let cluster = Cluster::start().await;
    cluster.provision().await;
    let operator = User::login(&cluster, "operator").await;
    for (_, stream, name) in CONSUMERS {
        operator.make_durable(stream, name).await;
    }
    let before = operator.state().await;
    for service in Service::ALL {
        let mut user = User::login(&cluster, service.name()).await;
        for subject in destructive().chain(of_others(service)) {
            user.is_refused_to_publish(&subject).await;
        }
        for subject in [">", "tandem.>", "$KV.>", "$JS.>", "_INBOX.>", "_INBOX.operator.>"] {
            user.is_refused_to_subscribe(subject).await;
        }
        for other in Service::ALL.into_iter().filter(|other| *other != service) {
            user.is_refused_to_subscribe(&format!("_INBOX.{other}.>")).await;
        }
        for (_, _, name) in CONSUMERS.into_iter().filter(|(of, stream, _)| *of != service && *stream == "tandem") {
            take_over(&user, name).await;
        }
    }
    operator.delete_consumer("tandem", "mine").await;
    assert_eq!(operator.state().await, before, "nothing of it had an effect");
}

/// What only the operator may, and what only the server does.
fn destructive() -> impl Iterator<Item = String> {
    let streams = ["tandem", "tandem-timers", "KV_tandem_vault", "KV_tandem_vault_keys"];
    let verbs = ["CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN", "PEER.REMOVE"];
    let on_streams =
        verbs.into_iter().flat_map(move |verb| streams.map(|stream| format!("$JS.API.STREAM.{verb}.{stream}")));
    let others = [
        "$JS.API.STREAM.MSG.DELETE.tandem",
        "$JS.API.STREAM.MSG.DELETE.tandem-timers",
        "$JS.API.CONSUMER.CREATE.tandem",
        "$JS.API.CONSUMER.LIST.tandem",
        "$JS.API.META.LEADER.STEPDOWN",
        "$JS.API.ACCOUNT.PURGE.TANDEM",
        "$SYS.REQ.SERVER.PING",
        "tandem-timers.fired.acme.contracts.contract.c1",
        "tandem-timers.fired.acme.campaigns.participation.p1",
    ];
    on_streams.chain(others.map(str::to_owned))
}

/// What belongs to other services than this one.
fn of_others(service: Service) -> impl Iterator<Item = String> {
    let contexts = Service::ALL.into_iter().filter(move |other| *other != service);
    let events = contexts.clone().map(|other| format!("tandem.acme.{other}.thing.t1"));
    let timers = contexts.map(|other| format!("tandem-timers.armed.acme.{other}.thing.t1.1"));
    let consumers = CONSUMERS.into_iter().filter(move |(of, ..)| *of != service).flat_map(|(_, stream, name)| {
        [
            format!("$JS.API.CONSUMER.CREATE.{stream}.{name}"),
            format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}"),
            format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"),
            format!("$JS.API.CONSUMER.PAUSE.{stream}.{name}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
            format!("$JS.ACK.{stream}.{name}.1.1.1.1763650000000000000.0"),
        ]
    });
    let vault = ["KV_tandem_vault", "KV_tandem_vault_keys"].into_iter().flat_map(|stream| {
        let bucket = stream.trim_start_matches("KV_");
        [
            format!("$KV.{bucket}.acme.c1"),
            format!("$JS.API.DIRECT.GET.{stream}"),
            format!("$JS.API.DIRECT.GET.{stream}.$KV.{bucket}.acme.c1"),
            format!("$JS.API.STREAM.MSG.GET.{stream}"),
            format!("$JS.API.STREAM.MSG.DELETE.{stream}"),
            format!("$JS.API.CONSUMER.CREATE.{stream}"),
        ]
    });
    let vault = vault.filter(move |_| service != Service::Creators);
    events.chain(timers).chain(consumers).chain(vault)
}

/// The name that the server allows or denies by is the one in the subject. What a request says besides is not believed.
async fn take_over(user: &User, consumer: &str) {
    for durable in [json!(null), json!(consumer)] {
        for action in ["create", "update", ""] {
            let config = json!({"name": consumer, "durable_name": durable, "ack_policy": "explicit",
                "deliver_policy": "all", "max_ack_pending": 1});
            let request = json!({"stream_name": "tandem", "config": config, "action": action});
            user.ask("$JS.API.CONSUMER.CREATE.tandem.mine", &request).await;
        }
    }
}
