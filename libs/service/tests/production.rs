//! What a service that is started for production refuses, and what it runs on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use async_nats::jetstream;
use common::{Args, Test, UnderTest};
use tandem_nats_server::{Builder, Cluster, NatsServer};
use tandem_service::testing::{Running, settings};
use tandem_service::{DeploymentEnvironment, Settings};
use tempfile::TempDir;

/// Somebody's public key.
const JWKS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Settings of production, with tokens of a key that nobody knows.
fn production(settings: &Settings, folder: &TempDir) -> Settings {
    let jwks = folder.path().join("jwks.json");
    std::fs::write(&jwks, JWKS).unwrap();
    let mut settings = Settings { environment: DeploymentEnvironment::Production, ..settings.clone() };
    (settings.auth.development_key, settings.auth.jwks) = (false, Some(jwks));
    settings
}

async fn start(settings: &Settings) -> anyhow::Result<Running> {
    Running::start::<UnderTest>(settings.clone(), Args::default()).await
}

async fn refused(settings: &Settings) -> String {
    match start(settings).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn one_server_is_not_enough_and_nothing_is_made_on_it() {
    let (test, folder) = (Test::new(Default::default()).await, TempDir::new().unwrap());
    let settings = production(&test.settings, &folder);
    let error = refused(&settings).await;
    for part in ["log-not-replicated", "start with --stream-replicas 3", "timers-not-replicated"] {
        assert!(error.to_lowercase().contains(part), "{part} is not in {error}");
    }
    let client = async_nats::connect(test.nats.url()).await.unwrap();
    let streams = jetstream::new(client).get_stream("tandem").await;
    assert!(streams.is_err(), "a stream was made");

    // The same starts for development, and then its log is refused for production.
    test.start().await.stop().await.unwrap();
    let error = refused(&settings).await;
    assert!(error.contains("nats stream edit tandem --replicas=3"), "{error}");
}

/// Three servers that keep streams together and tell about themselves, and a service that is to run on them.
struct Clustered {
    _cluster: Cluster,
    context: jetstream::Context,
    settings: Settings,
    _folder: TempDir,
}

impl Clustered {
    async fn start(member: Builder) -> Self {
        let mut cluster = Cluster::start(3, member.monitored()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut settings = production(&settings(&cluster.url(), folder.path()), &folder);
        settings.stream_replicas = 3;
        let monitors: Vec<_> = cluster.members().iter().map(|member| member.monitor_url().unwrap()).collect();
        settings.nats_monitor = Some(monitors.join(","));
        let urls: Vec<_> = cluster.members().iter().map(NatsServer::url).collect();
        let context = jetstream::new(async_nats::connect(urls).await.unwrap());
        make_streams(&context).await;
        Self { _cluster: cluster, context, settings, _folder: folder }
    }
}

/// Waits until the cluster makes streams of three copies.
async fn make_streams(context: &jetstream::Context) {
    let config = || jetstream::stream::Config { name: "probe".to_owned(), num_replicas: 3, ..Default::default() };
    let made = async {
        while context.create_stream(config()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), made).await.unwrap();
    context.delete_stream("probe").await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_three_that_always_syncs_is_what_it_runs_on() {
    let Clustered { context, settings, _cluster, _folder } =
        Clustered::start(NatsServer::builder().sync_always(true)).await;
    start(&settings).await.unwrap().stop().await.unwrap();

    let error = refused(&Settings { nats_monitor: None, ..settings.clone() }).await;
    assert!(error.contains("sync-unknown") && error.contains("--nats-monitor"), "{error}");
    let vouched_for = Settings { nats_monitor: Some("none".to_owned()), ..settings.clone() };
    start(&vouched_for).await.unwrap().stop().await.unwrap();

    let mut config = context.get_stream("tandem").await.unwrap().cached_info().config.clone();
    assert_eq!(config.num_replicas, 3);
    config.num_replicas = 1;
    context.update_stream(&config).await.unwrap();
    let error = refused(&settings).await;
    assert!(error.contains("log-not-replicated") && error.contains("--replicas=3"), "{error}");
}

#[tokio::test]
async fn servers_that_sync_late_are_refused() {
    let test = Clustered::start(NatsServer::builder()).await;
    let error = refused(&test.settings).await;
    for part in ["n1: it syncs to disk every 120 s", "n2: it syncs", "n3: it syncs", "sync_interval: always"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(test.context.get_stream("tandem").await.is_err(), "a stream was made");
}
