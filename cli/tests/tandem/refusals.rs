//! What can't be started or reached is said, with what to do, and nothing is left running.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::support::{run, up};
use tandem_cli::platform::{Options, Platform};
use tandem_nats_server::NatsServer;
use tempfile::TempDir;

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

/// A port that is taken, and the base by which the third service would have it; the ports around it are free.
fn taken_port() -> (TcpListener, u16) {
    loop {
        let listener = bind(0).unwrap();
        let base = port_of(&listener) - 3;
        if [1, 2, 4, 5].iter().all(|offset| bind(base + offset).is_ok()) {
            return (listener, base);
        }
    }
}

#[tokio::test]
async fn a_taken_port_of_a_service_is_named_with_its_option() {
    let (held, base) = taken_port();
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused = run(&["up", "--data", folder, "--port-base", &base.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {}, for the campaigns service, is taken", port_of(&held));
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--port-base"), "{refused:?}");
    assert!(!data.path().join("nats").exists(), "NATS was started");
    bind(base + 1).unwrap();
}

#[tokio::test]
async fn a_taken_port_of_nats_is_named_with_its_option() {
    let (held, base) = taken_port();
    let nats = port_of(&held);
    // The services' ports are those after the one that is held.
    let base = loop {
        let base = fresh_base(base);
        if (1..=5).all(|offset| bind(base + offset).is_ok()) {
            break base;
        }
    };
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused =
        run(&["up", "--data", folder, "--port-base", &base.to_string(), "--nats-port", &nats.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {nats}, for NATS, is taken");
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--nats-port"), "{refused:?}");
    bind(base + 1).unwrap();
}

/// Some other base than this.
fn fresh_base(than: u16) -> u16 {
    let port = port_of(&bind(0).unwrap());
    if port.abs_diff(than) > 12 && port < u16::MAX - 6 { port } else { fresh_base(than) }
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
    let port = port_of(&bind(0).unwrap());
    let url = format!("http://127.0.0.1:{port}");
    let refused = run(&["audit", "--relationships-endpoint", &url]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains(&format!("127.0.0.1:{port}")), "{refused:?}");
}
