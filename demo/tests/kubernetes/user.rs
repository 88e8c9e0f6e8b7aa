//! A user of NATS, who is told of everything that is refused.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event};
use futures::TryStreamExt as _;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::cluster::{Cluster, nkey};

const REFUSED_WITHIN: Duration = Duration::from_secs(20);

pub struct User {
    name: String,
    pub client: Client,
    refusals: UnboundedReceiver<String>,
}

impl User {
    pub async fn login(cluster: &Cluster, name: &str) -> Self {
        let (told, refusals) = unbounded_channel();
        let seed = std::fs::read_to_string(nkey(name)).unwrap();
        let options = ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX.{name}"))
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    told.send(error.to_string().to_lowercase()).unwrap_or_default();
                }
                async {}
            });
        let url = cluster.url();
        let client = options.connect(url.split(',').collect::<Vec<_>>()).await.unwrap();
        Self { name: name.to_owned(), client, refusals }
    }

    pub async fn is_refused_to_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        self.is_refused("publish", subject).await;
    }

    pub async fn is_refused_to_subscribe(&mut self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused("subscription", subject).await;
    }

    async fn is_refused(&mut self, what: &str, subject: &str) {
        let name = &self.name;
        let told = timeout(REFUSED_WITHIN, self.refusals.recv()).await;
        let told = told.unwrap_or_else(|_| panic!("{name} was not refused {what} of {subject}")).unwrap();
        let expected = format!("permissions violation for {what} to \"{}\"", subject.to_lowercase());
        assert!(told.contains(&expected), "{name}: {told} instead of {expected}");
    }

    fn jetstream(&self) -> Context {
        jetstream::new(self.client.clone())
    }

    /// A request, and its answer.
    pub async fn ask(&self, subject: &'static str, request: &Value) -> Value {
        let answer = self.client.request(subject, request.to_string().into()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    pub async fn make_durable(&self, stream: &str, name: &str) {
        let filter_subject = match stream {
            "tandem-timers" => format!("tandem-timers.fired.*.{name}.*"),
            _ => String::new(),
        };
        let ack_policy = AckPolicy::Explicit;
        let durable_name = Some(name.to_owned());
        let config = pull::Config { durable_name, ack_policy, filter_subject, ..pull::Config::default() };
        self.jetstream().create_consumer_on_stream(config, stream).await.unwrap();
    }

    pub async fn delete_consumer(&self, stream: &str, name: &str) {
        self.jetstream().get_stream(stream).await.unwrap().delete_consumer(name).await.unwrap();
    }

    /// Names of the durable consumers of a stream, in order.
    pub async fn durables(&self, stream: &str) -> Vec<String> {
        let stream = self.jetstream().get_stream(stream).await.unwrap();
        let consumers: Vec<_> = stream.consumers().try_collect().await.unwrap();
        let mut names: Vec<_> = consumers.into_iter().filter_map(|consumer| consumer.config.durable_name).collect();
        names.sort();
        names
    }

    /// Configuration and progress of a consumer.
    pub async fn consumer(&self, stream: &str, name: &str) -> String {
        let stream = self.jetstream().get_stream(stream).await.unwrap();
        let info = stream.consumer_info(name).await.unwrap();
        let config = serde_json::to_value(&info.config).unwrap();
        format!("{config} {:?} {:?}", info.delivered.stream_sequence, info.ack_floor.stream_sequence)
    }

    /// What is in JetStream: configurations, messages, and consumers with their progress.
    pub async fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        let streams: Vec<_> = self.jetstream().streams().try_collect().await.unwrap();
        for stream in streams {
            let name = stream.config.name.clone();
            let config = serde_json::to_value(&stream.config).unwrap();
            state.push(format!("{config} {} {}", stream.state.last_sequence, stream.state.messages));
            for durable in self.durables(&name).await {
                state.push(self.consumer(&name, &durable).await);
            }
        }
        state.sort();
        state
    }
}
