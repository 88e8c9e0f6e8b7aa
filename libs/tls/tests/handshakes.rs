//! Who is let in and who is trusted, also after the files have changed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use tandem_tls::rustls::pki_types::{CertificateDer, ServerName};
use tandem_tls::testing::Authority;
use tandem_tls::{ClientTls, Error, Identity, ServerTls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Echoes, to whom it lets in.
async fn serve(tls: ServerTls) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await.map(|(connection, _)| connection);
        Some((accepted, listener))
    });
    tokio::spawn(async move {
        let mut connections = Box::pin(tls.accept(incoming));
        while let Some(connection) = connections.next().await {
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(connection.unwrap());
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

fn server(identity: Identity, client_ca: Option<&Authority>) -> ServerTls {
    ServerTls::open(identity, client_ca.map(Authority::ca), b"echo").unwrap()
}

fn client(trusted: &Authority, identity: Option<Identity>) -> ClientTls {
    ClientTls::open(Some(trusted.ca()), identity).unwrap()
}

/// A connection over which something was said and heard: with TLS 1.3 a client learns only then that it was let in.
async fn connect(tls: &ClientTls, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(tls.config()));
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = connector.connect(name, TcpStream::connect(address).await?).await?;
    echo(&mut connection).await?;
    Ok(connection)
}

async fn echo(connection: &mut TlsStream<TcpStream>) -> io::Result<()> {
    connection.write_all(b"!").await?;
    connection.read_u8().await.map(|_| ())
}

fn shown(connection: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    connection.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

async fn refusal(tls: &ClientTls, address: SocketAddr) -> String {
    format!("{:?}", connect(tls, address).await.err().unwrap())
}

#[tokio::test]
async fn who_has_a_certificate_of_the_right_authority_is_let_in() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let address = serve(server(servers.issue("server"), Some(&clients))).await;
    connect(&client(&servers, Some(clients.issue("client"))), address).await.unwrap();
}

#[tokio::test]
async fn who_has_none_or_a_wrong_one_is_not() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let address = serve(server(servers.issue("server"), Some(&clients))).await;
    for (identity, reason) in [
        (None, "CertificateRequired"),
        (Some(servers.issue("client")), "UnknownCA"),
        (Some(clients.issue_expired("late")), "CertificateExpired"),
    ] {
        let refused = refusal(&client(&servers, identity), address).await;
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    connect(&client(&servers, Some(clients.issue("client"))), address).await.expect("others are let in after that");
}

#[tokio::test]
async fn a_server_with_a_wrong_certificate_is_not_trusted() {
    let (right, wrong) = (Authority::new(), Authority::new());
    for (identity, reason) in [
        (wrong.issue("server"), "UnknownIssuer"),
        (right.issue_expired("late"), "Expired"),
        (right.issue_for("other", "elsewhere.example"), "NotValidForName"),
    ] {
        let address = serve(server(identity, None)).await;
        let refused = refusal(&client(&right, None), address).await;
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
}

#[tokio::test]
async fn a_new_server_certificate_is_shown_from_the_next_connection_on() {
    let authority = Authority::new();
    let address = serve(server(authority.issue("server"), None)).await;
    let tls = client(&authority, None);
    let mut before = connect(&tls, address).await.unwrap();
    let same = connect(&tls, address).await.unwrap();
    assert_eq!(shown(&before), shown(&same));

    authority.issue("server");
    let after = connect(&tls, address).await.unwrap();
    assert_ne!(shown(&before), shown(&after));
    echo(&mut before).await.expect("the connection that stands goes on");
}

#[tokio::test]
async fn a_broken_file_keeps_the_certificate_of_before() {
    let authority = Authority::new();
    let identity = authority.issue("server");
    let address = serve(server(identity.clone(), None)).await;
    let tls = client(&authority, None);
    let before = shown(&connect(&tls, address).await.unwrap());
    let key = std::fs::read(&identity.key).unwrap();

    let others = std::fs::read(authority.issue("other").key).unwrap();
    for broken in [&b"half a fi"[..], &others] {
        std::fs::write(&identity.key, broken).unwrap();
        assert_eq!(shown(&connect(&tls, address).await.unwrap()), before);
    }
    std::fs::remove_file(&identity.key).unwrap();
    assert_eq!(shown(&connect(&tls, address).await.unwrap()), before);

    std::fs::write(&identity.key, key).unwrap();
    authority.issue("server");
    assert_ne!(shown(&connect(&tls, address).await.unwrap()), before, "once it is whole, it is used");
}

fn replace(file: &Path, by: &Path) {
    std::fs::copy(by, file).unwrap();
}

#[tokio::test]
async fn another_authority_of_clients_lets_in_others() {
    let (servers, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let address = serve(server(servers.issue("server"), Some(&old))).await;
    let (of_old, of_new) = (client(&servers, Some(old.issue("client"))), client(&servers, Some(new.issue("client"))));
    let mut before = connect(&of_old, address).await.unwrap();
    assert!(refusal(&of_new, address).await.contains("UnknownCA"));

    replace(&old.ca(), &new.ca());
    connect(&of_new, address).await.unwrap();
    assert!(refusal(&of_old, address).await.contains("UnknownCA"), "a session of before is not resumed");
    echo(&mut before).await.expect("the connection that stands goes on");
}

#[tokio::test]
async fn a_client_follows_its_files_too() {
    let (old, new) = (Authority::new(), Authority::new());
    let identity = old.issue("client");
    let tls = client(&old, Some(identity.clone()));
    let first = serve(server(old.issue("server"), Some(&old))).await;
    let second = serve(server(new.issue("server"), Some(&new))).await;
    connect(&tls, first).await.unwrap();
    assert!(refusal(&tls, second).await.contains("UnknownIssuer"));

    replace(&old.ca(), &new.ca());
    assert!(refusal(&tls, second).await.contains("UnknownCA"), "the server is trusted, but does not know this client");
    let renewed = new.issue("client");
    replace(&identity.certificate, &renewed.certificate);
    replace(&identity.key, &renewed.key);
    connect(&tls, second).await.unwrap();
}

#[tokio::test]
async fn one_who_connects_and_says_nothing_holds_up_nobody() {
    let authority = Authority::new();
    let address = serve(server(authority.issue("server"), None)).await;
    let _silent = TcpStream::connect(address).await.unwrap();
    connect(&client(&authority, None), address).await.unwrap();
}

#[test]
fn files_that_hold_something_else_are_named() {
    let authority = Authority::new();
    let Identity { certificate, key } = authority.issue("server");
    let swapped = Identity { certificate: key.clone(), key: certificate.clone() };
    let error = ServerTls::open(swapped, None, b"echo").unwrap_err();
    assert!(error.to_string().contains(&format!("{} has no PRIVATE KEY", certificate.display())), "{error}");

    let others = Identity { key: authority.issue("other").key, certificate };
    let error = ServerTls::open(others, None, b"echo").unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");

    let error = ClientTls::open(Some(key), None).unwrap_err();
    assert!(error.to_string().contains("has no CERTIFICATE in PEM"), "{error}");
    let error = ClientTls::open(Some("/nonexistent/ca.pem".into()), None).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/ca.pem can't be read"), "{error}");
}
