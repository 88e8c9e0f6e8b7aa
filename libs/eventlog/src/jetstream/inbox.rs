//! Where the answers of batched reads arrive: one wildcard subscription for all of them, for a subscription of its own
//! would cost each read two more messages to the server.
//!
//! Invariant: an answer reaches the read that asked for it, and no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::client::SubscribeError;
use async_nats::{Client, Message};
use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct Inbox {
    prefix: String,
    routes: Routes,
    task: JoinHandle<()>,
}

/// Who waits for answers, by the last token of the reply subject.
#[derive(Clone, Debug, Default)]
struct Routes(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    waiting: HashMap<u64, UnboundedSender<Message>>,
}

impl Routes {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it holds the lock, and a table is whole between any two of its calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    pub(super) async fn open(client: &Client) -> Result<Self, SubscribeError> {
        let prefix = client.new_inbox();
        let mut answers = client.subscribe(format!("{prefix}.*")).await?;
        let routes = Routes::default();
        let task = tokio::spawn({
            let routes = routes.clone();
            async move {
                while let Some(message) = answers.next().await {
                    let token = message.subject.rsplit('.').next().and_then(|token| token.parse().ok());
                    if let Some(route) = token.and_then(|token: u64| routes.lock().waiting.get(&token).cloned()) {
                        // Who no longer waits has given up: nothing to tell anybody.
                        let _ = route.send(message);
                    }
                }
                // The client is closed: whoever waits shall know.
                routes.lock().waiting.clear();
            }
        });
        Ok(Self { prefix, routes, task })
    }

    /// A reply subject of its own and what arrives there, until it is dropped.
    pub(super) fn route(&self) -> Route {
        let (sender, answers) = unbounded_channel();
        let mut table = self.routes.lock();
        table.last += 1;
        let token = table.last;
        table.waiting.insert(token, sender);
        drop(table);
        Route { reply: format!("{}.{token}", self.prefix), answers, token, routes: self.routes.clone() }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) struct Route {
    pub(super) reply: String,
    answers: UnboundedReceiver<Message>,
    token: u64,
    routes: Routes,
}

impl Route {
    /// The next answer; none if the client was closed.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.answers.recv().await
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.routes.lock().waiting.remove(&self.token);
    }
}
