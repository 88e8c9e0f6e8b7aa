//! Which streams are taken as the log, and what else may stand in one.

use std::time::Duration;

use async_nats::jetstream::{self, stream::Config};
use futures::StreamExt;
use tandem_eventlog::testing::{CONTRACT, part};
use tandem_eventlog::{EventLog, Filter, JetStreamLog, JetStreamOptions, OpenError, Subject};
use tandem_nats_server::NatsServer;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

fn named(name: &str, create: bool) -> JetStreamOptions {
    JetStreamOptions { name: name.to_owned(), create, ..Default::default() }
}

#[tokio::test]
async fn is_created_only_if_asked_for() {
    let server = NatsServer::builder().start().await.unwrap();
    let missing = JetStreamLog::connect(&server.url(), named("log", false)).await.unwrap_err();
    assert!(matches!(missing, OpenError::Unavailable { .. }), "{missing}");
    let url = server.url();
    let opened = futures::future::join_all((0..8).map(|_| JetStreamLog::connect(&url, named("log", true)))).await;
    assert!(opened.iter().all(Result::is_ok));
    let subject = Subject::new("acme", CONTRACT, "c1").unwrap();
    opened[0].as_ref().unwrap().append(vec![part(&subject, 0, &["1"])]).await.unwrap();
    let again = JetStreamLog::connect(&server.url(), named("log", false)).await.unwrap();
    assert_eq!(again.read(&subject, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_that_may_lose_events_is_refused() {
    let server = NatsServer::builder().start().await.unwrap();
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let safe = Config {
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Default::default()
    };
    for (name, config, fault) in [
        ("deletes", Config { deny_delete: false, ..safe.clone() }, "deny_delete"),
        ("purges", Config { deny_purge: false, ..safe.clone() }, "deny_purge"),
        ("forgets", Config { max_messages: 10, ..safe.clone() }, "limits"),
        ("single", Config { allow_atomic_publish: false, ..safe.clone() }, "allow_atomic"),
    ] {
        let config = Config { name: name.to_owned(), subjects: vec![format!("{name}.>")], ..config };
        context.create_stream(config).await.unwrap();
        let error = JetStreamLog::connect(&server.url(), named(name, true)).await.unwrap_err();
        assert!(matches!(&error, OpenError::Unsafe { faults, .. } if faults.len() == 1), "{error}");
        assert!(error.to_string().contains(fault), "{error}");
    }
    let odd = JetStreamLog::connect(&server.url(), named("a.b", true)).await.unwrap_err();
    assert!(matches!(odd, OpenError::InvalidName(_)), "{odd}");
}

#[tokio::test]
async fn the_log_can_be_neither_purged_nor_shortened() {
    let server = NatsServer::builder().start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let log = JetStreamLog::open(client.clone(), JetStreamOptions::default()).await.unwrap();
    let subject = Subject::new("acme", CONTRACT, "c1").unwrap();
    let position = log.append(vec![part(&subject, 0, &["1"])]).await.unwrap()[0];
    let stream = jetstream::new(client).get_stream("tandem").await.unwrap();
    assert!(stream.purge().await.is_err());
    assert!(stream.delete_message(position).await.is_err());
    assert_eq!(log.read(&subject, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_of_somebody_else_stops_no_reader() {
    let server = NatsServer::builder().start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let log = JetStreamLog::open(client.clone(), JetStreamOptions::default()).await.unwrap();
    let context = jetstream::new(client);
    for subject in ["tandem.odd", "tandem.acme.contracts.contract.c1"] {
        context.publish(subject, "?".into()).await.unwrap().await.unwrap();
    }
    let followed = log.follow(&Filter::default(), 0).await.unwrap().take(2);
    let followed: Vec<_> = timeout(PATIENCE, followed.map(|followed| followed.unwrap().event).collect()).await.unwrap();
    assert_eq!(followed[0].tokens(), ["odd", "", "", ""]);
    assert_eq!(followed[1].tokens(), ["acme", "contracts", "contract", "c1"]);
    assert_eq!(followed[1].envelope.id, "");
    let subject = Subject::new("acme", CONTRACT, "c1").unwrap();
    assert_eq!(log.read(&subject, 0).await.unwrap(), followed[1..]);
    assert_eq!(log.get(1).await.unwrap().as_ref(), Some(&followed[0]));
    let mut deliveries = log.consume("odd", &Filter::default()).await.unwrap();
    let delivery = timeout(PATIENCE, deliveries.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(*delivery.event(), followed[0]);
}
