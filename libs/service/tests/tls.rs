//! TLS with callers and with NATS: who is let in, and how certificates are replaced while all runs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Args, Door, Test, UnderTest};
use tandem_client::{Client, ClientTls, Endpoints, Error, Identity, RetryPolicy, StaticToken};
use tandem_nats_server::{NatsServer, Tls};
use tandem_proto::common::v1::ListViewsRequest;
use tandem_service::testing::{Running, settings, token};
use tandem_service::{NatsSettings, Settings, TlsSettings};
use tandem_tls::testing::Authority;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// A service under mutual TLS.
async fn mutual(authority: &Authority) -> (Test, Running) {
    let mut test = Test::new(Door::default()).await;
    let Identity { certificate, key } = authority.issue("service");
    test.settings.tls = TlsSettings {
        tls_cert: Some(certificate),
        tls_key: Some(key),
        tls_client_ca: Some(authority.ca()),
        tls_ca: None,
    };
    let running = test.start().await;
    (test, running)
}

fn client_at(url: String, trusted: &Authority, identity: Option<Identity>) -> Client {
    let tls = ClientTls::open(Some(trusted.ca()), identity).unwrap();
    let token = StaticToken::new(token("users/ada", "acme", &["*"]));
    let client = Client::builder().endpoints(Endpoints::behind(url)).token(token).tls(tls);
    // What is refused is refused at once, and what is let in needs no second try.
    client.retry(RetryPolicy::NEVER).build().unwrap()
}

fn client(running: &Running, trusted: &Authority, identity: Option<Identity>) -> Client {
    client_at(format!("https://{}", running.address), trusted, identity)
}

async fn call(client: &Client) -> Result<(), Error> {
    let service = tandem_client::Service::Contracts;
    client.views(service).list_views(ListViewsRequest {}).await.map(|_| ()).map_err(Error::from)
}

async fn is_refused(client: &Client) -> String {
    let error = call(client).await.expect_err("it is not let in");
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    format!("{:?}", error.status())
}

#[tokio::test]
async fn callers_show_a_certificate_or_are_not_let_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (_test, running) = mutual(&authority).await;
    call(&client(&running, &authority, Some(authority.issue("caller")))).await.unwrap();

    is_refused(&client(&running, &authority, None)).await;
    is_refused(&client(&running, &authority, Some(other.issue("caller")))).await;
    is_refused(&client(&running, &authority, Some(authority.issue_expired("late")))).await;
    let distrustful = is_refused(&client(&running, &other, Some(authority.issue("caller")))).await;
    assert!(distrustful.contains("UnknownIssuer"), "{distrustful}");
    is_refused(&client_at(running.uri(), &authority, None)).await;
}

fn replace(file: &Path, by: &Path) {
    std::fs::copy(by, file).unwrap();
}

#[tokio::test]
async fn certificates_are_replaced_under_a_running_connection() {
    let (old, new) = (Authority::new(), Authority::new());
    let (test, running) = mutual(&old).await;
    let connected = client(&running, &old, Some(old.issue("caller")));
    call(&connected).await.unwrap();

    let (renewed, files) = (new.issue("service"), &test.settings.tls);
    replace(files.tls_cert.as_ref().unwrap(), &renewed.certificate);
    replace(files.tls_key.as_ref().unwrap(), &renewed.key);
    let of_new = client(&running, &new, Some(new.issue("caller")));
    is_refused(&of_new).await;
    replace(&old.ca(), &new.ca());
    call(&of_new).await.expect("who connects now has to do with the new authority");
    is_refused(&client(&running, &new, Some(old.issue("caller")))).await;
    call(&connected).await.expect("the connection of before goes on");
}

#[tokio::test]
async fn certificates_that_can_not_be_used_do_not_start() {
    let mut test = Test::new(Door::default()).await;
    let authority = Authority::new();
    let Identity { certificate, key } = authority.issue("service");
    test.settings.tls.tls_client_ca = Some(authority.ca());
    let error = test.fails_to_start().await;
    assert!(error.contains("--tls-client-ca is for TLS"), "{error}");

    test.settings.tls.tls_cert = Some(certificate);
    let error = test.fails_to_start().await;
    assert!(error.contains("--tls-cert and --tls-key go together"), "{error}");

    test.settings.tls.tls_key = Some(authority.issue("other").key);
    let error = test.fails_to_start().await;
    assert!(error.contains("--tls-key") && error.contains("other.key.pem can't be used"), "{error}");

    test.settings.tls.tls_key = Some(key);
    test.settings.nats.ca = Some("/nonexistent/ca.pem".into());
    let error = test.fails_to_start().await;
    assert!(error.contains("--nats-ca") && error.contains("/nonexistent/ca.pem can't be read"), "{error}");
}

/// NATS under mutual TLS, and what a service needs to reach it.
async fn nats(server: &Authority, clients: &Authority) -> (NatsServer, NatsSettings) {
    let Identity { certificate, key } = server.issue("nats");
    let nats = NatsServer::builder().tls(&Tls { certificate, key, client_ca: Some(clients.ca()) });
    let nats = nats.start().await.unwrap();
    let Identity { certificate, key } = clients.issue("client");
    let mut settings = settings(&nats.url(), Path::new("")).nats;
    (settings.ca, settings.cert, settings.key) = (Some(server.ca()), Some(certificate), Some(key));
    (nats, settings)
}

#[tokio::test]
async fn nats_is_reached_with_the_right_certificates_alone() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (nats, right) = nats(&authority, &authority).await;
    let expired = authority.issue_expired("late");
    let views = tempfile::tempdir().unwrap();
    let start = async |nats_tls: NatsSettings| {
        let settings = Settings { nats: nats_tls, ..settings(&nats.url(), views.path()) };
        Running::start::<UnderTest>(settings, Args::default()).await
    };
    // What is refused by reason of its certificate may be let in by another one: it is tried again, and not ready.
    let starts = async |nats_tls| {
        let started = tokio::time::timeout(Duration::from_secs(3), start(nats_tls)).await;
        started.is_ok_and(|started| started.is_ok())
    };
    let started = tokio::join!(
        starts(NatsSettings { ca: Some(other.ca()), ..right.clone() }),
        starts(NatsSettings { cert: None, key: None, ..right.clone() }),
        starts(NatsSettings {
            cert: Some(expired.certificate.clone()),
            key: Some(expired.key.clone()),
            ..right.clone()
        }),
    );
    assert_eq!(started, (false, false, false));
    start(right).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn nats_is_reached_again_with_new_certificates() {
    let (old, new) = (Authority::new(), Authority::new());
    let (mut nats, nats_tls) = nats(&old, &old).await;
    let views = tempfile::tempdir().unwrap();
    let settings = Settings { nats: nats_tls.clone(), ..settings(&nats.url(), views.path()) };
    let running = Running::start::<UnderTest>(settings, Args::default()).await.unwrap();
    let health = HealthClient::new(running.channel());
    let until = async |wanted: ServingStatus| {
        let mut states = health.clone().watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        let wait = async { while states.message().await.unwrap().unwrap().status() != wanted {} };
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("never {wanted:?}"));
    };
    until(ServingStatus::Serving).await;

    nats.stop().await.unwrap();
    until(ServingStatus::NotServing).await;
    let (server, client) = (new.issue("nats"), new.issue("client"));
    let files = old.issue("nats");
    replace(&files.certificate, &server.certificate);
    replace(&files.key, &server.key);
    replace(nats_tls.cert.as_ref().unwrap(), &client.certificate);
    replace(nats_tls.key.as_ref().unwrap(), &client.key);
    replace(&old.ca(), &new.ca());
    nats.restart().await.unwrap();
    until(ServingStatus::Serving).await;
    running.stop().await.unwrap();
}
