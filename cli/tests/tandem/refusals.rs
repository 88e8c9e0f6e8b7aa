//! What can't be started or reached is said, with what to do, and nothing is left running.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::support::{free_base, run, up};
use tandem_cli::platform::{Options, Platform};
use tandem_nats_server::NatsServer;
use tempfile::TempDir;

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[tokio::test]
async fn a_taken_port_of_a_service_is_named_with_its_option() {
    let base = free_base();
    let _held = bind(base + 3).unwrap();
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused = run(&["up", "--data", folder, "--port-base", &base.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {}, for the campaigns service, is taken", base + 3);
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--port-base"), "{refused:?}");
    assert!(!data.path().join("nats").exists(), "NATS was started");
    bind(base + 1).unwrap();
}

#[tokio::test]
async fn a_taken_port_of_nats_is_named_with_its_option() {
    let base = free_base();
    let nats = base + 6;
    let _held = bind(nats).unwrap();
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused =
        run(&["up", "--data", folder, "--port-base", &base.to_string(), "--nats-port", &nats.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {nats}, for NATS, is taken");
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--nats-port"), "{refused:?}");
    bind(base + 1).unwrap();
}

#[tokio::test]
async fn data_in_use_is_not_used_twice() {
    let data = TempDir::new().unwrap();
    let first = up(data.path()).await;
    let refused = run(&["up", "--ephemeral-ports", "--data", data.path().to_str().unwrap()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("in use by another tandem") && refused.stderr.contains("--data"), "{refused:?}");
    first.child.stop().await.unwrap();
}

#[tokio::test]
async fn a_nats_of_somebody_else_is_left_running() {
    let mut nats = NatsServer::builder().start().await.unwrap();
    let data = TempDir::new().unwrap();
    let options = Options { external_nats: Some(nats.url()), ..Options::ephemeral(data.path()) };
    let platform = Platform::start_in_process(options).await.unwrap();
    assert_eq!(platform.nats_url(), nats.url());
    let views = platform.client("demo").unwrap().views(tandem_client::Service::Creators);
    let listed = { views }.list_views(tandem_proto::common::v1::ListViewsRequest {}).await.unwrap();
    assert!(!listed.into_inner().views.is_empty());
    platform.stop().await.unwrap();
    TcpStream::connect((Ipv4Addr::LOCALHOST, nats.port())).unwrap();
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_nats_that_is_not_there_is_named() {
    let mut nats = NatsServer::builder().start().await.unwrap();
    nats.stop().await.unwrap();
    // The services wait for NATS no longer than some seconds: a wrong URL is told.
    let data = TempDir::new().unwrap();
    let options = Options { external_nats: Some(nats.url()), ..Options::ephemeral(data.path()) };
    let Err(error) = Platform::start_in_process(options).await else { panic!("it started without NATS") };
    assert!(format!("{error:#}").contains(&nats.url()), "{error:#}");
}

#[tokio::test]
async fn the_development_token_is_not_sent_to_other_machines() {
    let refused = run(&["audit", "--relationships-endpoint", "http://192.0.2.1:7405"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("192.0.2.1") && refused.stderr.contains("--token-file"), "{refused:?}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let port = free_base() + 1;
    let url = format!("http://127.0.0.1:{port}");
    for command in [&["audit"][..], &["events", "tail"]] {
        let refused = run(&[command, &["--relationships-endpoint", &url]].concat()).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(&format!("127.0.0.1:{port}")), "{refused:?}");
    }
}
