//! The real server: what it keeps over restarts, and that it dies when it should.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream::Config};
use tandem_nats_server::{NatsServer, StartError};

const CHILD: &str = "TANDEM_NATS_SERVER_TEST_CHILD";

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
    if std::env::var_os(CHILD).is_some() {
        let server = NatsServer::builder().start().await.unwrap();
        eprintln!("port={}", server.port());
        std::future::pending::<()>().await;
    }
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "it_dies_with_a_parent_that_is_killed", "--nocapture"])
        .env(CHILD, "1")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let port = BufReader::new(parent.stderr.take().unwrap())
        .lines()
        .find_map(|line| line.unwrap().strip_prefix("port=").map(|port| port.parse::<u16>().unwrap()))
        .unwrap();
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
