//! Endpoints of `https://`.

use std::time::Duration;

use tandem_client::{ClientTls, Identity};
use tandem_tls::testing::Authority;
use tonic::Code;
use tonic::transport::{Certificate, ServerTlsConfig};

use crate::support::{Server, Stub, client, list};

fn config(identity: &Identity) -> ServerTlsConfig {
    let read = |path| std::fs::read(path).unwrap();
    ServerTlsConfig::new()
        .identity(tonic::transport::Identity::from_pem(read(&identity.certificate), read(&identity.key)))
}

async fn serve(stub: &Stub, config: ServerTlsConfig) -> (Server, String) {
    let server = Server::start_tls(stub, config).await;
    let url = format!("https://localhost:{}", server.address.port());
    (server, url)
}

fn trusting(authority: &Authority, identity: Option<Identity>) -> ClientTls {
    ClientTls::open(Some(authority.ca()), identity).unwrap()
}

#[tokio::test]
async fn a_server_of_the_given_authority_is_trusted() {
    let (stub, authority) = (Stub::default(), Authority::new());
    let (_server, url) = serve(&stub, config(&authority.issue("server"))).await;

    let client = client(url).tls(trusting(&authority, None)).build().unwrap();

    client.creators().list_creators(list()).await.unwrap();
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_server_of_another_authority_is_not() {
    let (stub, authority) = (Stub::default(), Authority::new());
    let (_server, url) = serve(&stub, config(&authority.issue("server"))).await;

    let client = client(url).tls(trusting(&Authority::new(), None)).deadline(Duration::from_millis(500));
    let error = client.build().unwrap().creators().list_creators(list()).await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("certificate"), "{error}");
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_it() {
    let (stub, authority) = (Stub::default(), Authority::new());
    let ca = Certificate::from_pem(std::fs::read(authority.ca()).unwrap());
    let (_server, url) = serve(&stub, config(&authority.issue("server")).client_ca_root(ca)).await;

    let known = client(&url).tls(trusting(&authority, Some(authority.issue("client")))).build().unwrap();
    known.creators().list_creators(list()).await.unwrap();

    let unknown = client(url).tls(trusting(&authority, None)).deadline(Duration::from_millis(500)).build().unwrap();
    let error = unknown.creators().list_creators(list()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(stub.seen().len(), 1);
}
