//! A collector that does not answer. One test, for a process has one subscriber.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::{Door, Test, client};
use tandem_proto::common::v1::ListViewsRequest;
use tandem_service::Telemetry;

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_disturbs_nobody() {
    let mut test = Test::new(Door::default()).await;
    // Bound, so that nobody else takes the port, and never answering.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    test.settings.telemetry.otlp_endpoint = Some(format!("http://{}", silent.local_addr().unwrap()));
    let telemetry = Telemetry::start("test", &test.settings.telemetry).unwrap();
    let running = test.start().await;
    for _ in 0..100 {
        client(&running).list_views(ListViewsRequest {}).await.expect("no collector is needed");
    }
    running.stop().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), telemetry.stop()).await.expect("nor does it hold up the end");
}
