//! The stream that timers are kept in.

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self};
use tandem_nats_server::NatsServer;
use tandem_timers::{TimerStream, TimerStreamOptions};

#[tokio::test]
async fn it_is_made_once_and_refused_if_it_would_lose_timers() {
    let nats = NatsServer::builder().start().await.unwrap();
    let client = async_nats::connect(nats.url()).await.unwrap();
    TimerStream::open(client.clone(), TimerStreamOptions::default()).await.unwrap();
    TimerStream::open(client.clone(), TimerStreamOptions::default()).await.unwrap();

    let wrong = Config {
        name: "other-timers".to_owned(),
        subjects: vec!["other-timers.>".to_owned()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_messages: 10,
        ..Default::default()
    };
    jetstream::new(client.clone()).create_stream(wrong).await.unwrap();
    let options = TimerStreamOptions { log: "other".to_owned(), ..Default::default() };
    let error = TimerStream::open(client, options).await.unwrap_err().to_string();
    for fault in ["allow_msg_schedules is off", "retention is not workqueue", "it has limits", "delete it"] {
        assert!(error.contains(fault), "{error}");
    }
}
