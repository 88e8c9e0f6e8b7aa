//! The log on a real server: it conforms.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::Duration;

use tandem_eventlog::{JetStreamLog, JetStreamOptions};
use tandem_nats_server::NatsServer;

async fn log() -> (JetStreamLog, NatsServer) {
    let server = NatsServer::builder().start().await.unwrap();
    let options = JetStreamOptions { ack_wait: Duration::from_secs(1), ..Default::default() };
    (JetStreamLog::connect(&server.url(), options).await.unwrap(), server)
}

tandem_eventlog::conformance_tests!(log());
