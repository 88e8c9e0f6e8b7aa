//! The real server: what it keeps over restarts, and that it dies when it should.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream::Config};
use tandem_nats_server::{Cluster, NatsServer, StartError};

const CHILD: &str = "TANDEM_NATS_SERVER_TEST_CHILD";
const PAUSED: &str = "TANDEM_NATS_SERVER_TEST_PAUSED";
const PATIENCE: Duration = Duration::from_secs(60);

async fn messages(server: &NatsServer) -> u64 {
    let client = async_nats::connect(server.url()).await.unwrap();
    let mut stream = jetstream::new(client).get_stream("things").await.unwrap();
    stream.info().await.unwrap().state.messages
}

#[tokio::test]
async fn data_survives_stop_kill_and_restart() {
    let mut server = NatsServer::builder().sync_always(true).start().await.unwrap();
    let url = server.url();
    let client = async_nats::connect(&url).await.unwrap();
    let context = jetstream::new(client);
    context.create_stream(Config { name: "things".into(), ..Default::default() }).await.unwrap();
    context.publish("things", "one".into()).await.unwrap().await.unwrap();

    server.stop().await.unwrap();
    assert_eq!(server.pid(), None);
    assert!(async_nats::connect(&url).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(messages(&server).await, 1);

    server.kill().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(messages(&server).await, 1);
}

#[tokio::test]
async fn a_given_store_is_kept_and_a_temporary_one_is_not() {
    let given = tempfile::tempdir().unwrap();
    let kept = NatsServer::builder().store(given.path()).start().await.unwrap();
    let temporary = NatsServer::builder().start().await.unwrap();
    let gone = temporary.store().to_owned();
    assert!(gone.exists());
    drop(kept);
    drop(temporary);
    assert!(given.path().exists());
    assert!(!gone.exists());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = NatsServer::builder().start().await.unwrap();
    let error = NatsServer::builder().port(first.port()).start().await.unwrap_err();
    assert!(matches!(error, StartError::PortTaken { port } if port == first.port()), "{error}");
}

#[tokio::test]
async fn it_tells_about_itself_at_the_same_place_after_a_restart() {
    let mut server = NatsServer::builder().monitored().start().await.unwrap();
    let url = server.monitor_url().unwrap();
    server.restart().await.unwrap();
    assert_eq!(server.monitor_url().unwrap(), url);
    assert!(tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_ok());
    assert_eq!(NatsServer::builder().start().await.unwrap().monitor_url(), None);
}

#[tokio::test]
async fn it_is_noticed_when_it_ends_by_itself() {
    let mut server = NatsServer::builder().start().await.unwrap();
    let pid = rustix::process::Pid::from_raw(server.pid().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(!server.exited().await.unwrap().success());
    server.restart().await.unwrap();
}

/// Runs itself as the parent to be killed: with [`CHILD`] set it starts a server, tells the port, and stays.
#[tokio::test]
async fn it_dies_with_a_parent_that_is_killed() {
    dies_with_its_parent(&[(CHILD, "1")]).await;
}

#[tokio::test]
async fn it_dies_with_a_parent_that_is_killed_even_while_it_is_paused() {
    dies_with_its_parent(&[(CHILD, "1"), (PAUSED, "1")]).await;
}

async fn dies_with_its_parent(settings: &[(&str, &str)]) {
    if std::env::var_os(CHILD).is_some() {
        let server = NatsServer::builder().start().await.unwrap();
        eprintln!("port={}", server.port());
        if std::env::var_os(PAUSED).is_some() {
            server.pause().unwrap();
        }
        eprintln!("settled");
        std::future::pending::<()>().await;
    }
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "it_dies_with_a_parent_that_is_killed", "--nocapture"])
        .envs(settings.iter().copied())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(parent.stderr.take().unwrap()).lines().map(Result::unwrap);
    let port = said.find_map(|line| line.strip_prefix("port=").map(|port| port.parse::<u16>().unwrap())).unwrap();
    assert!(said.any(|line| line == "settled"));
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    parent.kill().unwrap();
    parent.wait().unwrap();
    // Another process's end can't be awaited, only observed.
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "the server is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_configuration_of_its_own_is_taken_with_its_variables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nats.conf");
    std::fs::write(&file, "jetstream {}\nauthorization { user: ada, password: $ADAS_PASSWORD }\n").unwrap();
    let mut server = NatsServer::builder().config(&file).variable("ADAS_PASSWORD", "sesame").start().await.unwrap();
    let login = |password: &str| {
        let options = async_nats::ConnectOptions::with_user_and_password("ada".into(), password.into());
        options.connect(server.url())
    };
    login("sesame").await.unwrap();
    assert!(login("wrong").await.is_err());
    assert!(server.store().join("jetstream").exists(), "it keeps its streams where it is told to");
    server.stop().await.unwrap();
}

/// Tries until it succeeds: a cluster answers once its members have agreed on who leads.
async fn eventually<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_cluster_keeps_what_it_has_taken_whichever_member_is_killed() {
    let mut cluster = Cluster::start(3, NatsServer::builder().sync_always(true)).await.unwrap();
    let urls: Vec<String> = cluster.url().split(',').map(str::to_owned).collect();
    let context = jetstream::new(async_nats::connect(&urls[..]).await.unwrap());
    let config = Config { name: "things".into(), num_replicas: 3, ..Default::default() };
    eventually(async || context.create_stream(config.clone()).await).await;
    for (killed, expected) in (0..3).zip(1..) {
        eventually(async || context.publish("things", "one".into()).await?.await).await;
        cluster.members()[killed].kill().await.unwrap();
        let messages = eventually(async || {
            let mut stream = context.get_stream("things").await.map_err(|error| error.to_string())?;
            Ok::<_, String>(stream.info().await.map_err(|error| error.to_string())?.state.messages)
        });
        assert!(messages.await >= expected);
        cluster.members()[killed].restart().await.unwrap();
    }
}

#[tokio::test]
async fn beyond_its_storage_limit_it_takes_nothing_and_keeps_what_it_has() {
    let mut server = NatsServer::builder().storage_limit(64 * 1024).start().await.unwrap();
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    context.create_stream(Config { name: "things".into(), ..Default::default() }).await.unwrap();
    let mut taken = 0;
    while context.publish("things", vec![0; 1000].into()).await.unwrap().await.is_ok() {
        taken += 1;
        assert!(taken < 1000, "it takes whatever comes");
    }
    assert_eq!(messages(&server).await, taken);
    server.set_storage_limit(None);
    server.restart().await.unwrap();
    assert_eq!(messages(&server).await, taken);
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    context.publish("things", vec![0; 1000].into()).await.unwrap().await.unwrap();
}
