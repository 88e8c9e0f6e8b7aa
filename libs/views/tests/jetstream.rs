//! The same on the real log: live, through a restart of the server, and rebuilt.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::sync::Arc;

use support::{Accounts, World, append, changed, fill, rows, soon};
use tandem_eventlog::{EventLog, Filter, JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView, ViewHandle, on_every_store};

async fn caught_up(log: &JetStreamLog, view: &ViewHandle<Accounts<1>>) {
    let filter = Filter { kinds: vec![support::ACCOUNT], tenant: None };
    let last = log.last_position(&filter).await.unwrap();
    view.wait_for_position(last, soon()).await.unwrap();
}

async fn a_view_follows_jetstream_through_a_restart_of_the_server(kind: StoreKind) {
    let world = World::new(kind);
    let mut server = NatsServer::builder().start().await.unwrap();
    let log = Arc::new(JetStreamLog::connect(&server.url(), JetStreamOptions::default()).await.unwrap());
    fill(log.as_ref(), 1, 300).await;
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    caught_up(&log, &view).await;
    fill(log.as_ref(), 1000, 50).await;
    caught_up(&log, &view).await;

    server.restart().await.unwrap();
    let log = Arc::new(JetStreamLog::connect(&server.url(), JetStreamOptions::default()).await.unwrap());
    let last = append(log.as_ref(), "acme", "after", &changed("OPEN", 7)).await;
    view.wait_for_position(last, soon()).await.unwrap();
    let before = (rows(&view, "acme").await, rows(&view, "zeta").await);

    let report = view.rebuild().await.unwrap();
    assert_eq!(report.event_count, 351);
    assert_eq!((rows(&view, "acme").await, rows(&view, "zeta").await), before);
    // Every event is in there, once.
    let folded: usize = before.0.values().map(|row| row.positions.len()).sum();
    assert!(folded > 0 && before.0["after"].positions == [last]);
    let status = view.status().await.unwrap();
    assert_eq!((status.lag, status.generation, status.failure), (Some(0), 2, None));
}

on_every_store!(a_view_follows_jetstream_through_a_restart_of_the_server);
