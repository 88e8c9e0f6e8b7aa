//! Whether this process can do its work: it is put together, connected to NATS, and the log answers.
//!
//! Invariant: ready only while all three hold; what is not ready becomes so by itself, and never by being restarted.

use std::sync::Arc;
use std::time::Duration;

use tandem_eventlog::{EventLog, Filter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a log that answers is asked whether it does. A connection that is lost is known at once.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often one that does not answer is.
const ASK_AGAIN: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    wired: bool,
    connected: bool,
    /// A connection alone is not enough: a stream without a leader, or a server without storage, takes nothing.
    answers: bool,
}

/// Shared by those who find out and those who tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness(Arc<watch::Sender<State>>);

impl Readiness {
    /// The service is put together.
    pub(crate) fn wired(&self) {
        self.0.send_modify(|state| state.wired = true);
    }

    /// The connection to NATS stands, or does not. A new one has yet to show that the log answers over it.
    pub(crate) fn connected(&self, connected: bool) {
        self.0.send_modify(|state| (state.connected, state.answers) = (connected, state.answers && connected));
    }

    /// The log has answered, or failed to.
    fn answers(&self, answers: bool) {
        self.0.send_modify(|state| state.answers = answers);
    }

    pub(crate) fn is_ready(&self) -> bool {
        ready(&self.0.borrow())
    }

    /// Waits until it is ready.
    pub(crate) async fn reached(&self) {
        // The sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(ready).await;
    }

    /// What it is now, and every change.
    pub(crate) fn changes(&self) -> impl futures::Stream<Item = bool> + Send + use<> {
        use futures::StreamExt as _;
        let states = tokio_stream::wrappers::WatchStream::new(self.0.subscribe());
        let mut told = None;
        states.filter_map(move |state| {
            let now = ready(&state);
            std::future::ready((told.replace(now) != Some(now)).then_some(now))
        })
    }

    /// Asks the log for its end, until `stopping`: only its leader answers that.
    pub(crate) async fn ask(self, log: Arc<dyn EventLog>, stopping: CancellationToken) {
        let asking = async {
            loop {
                let answer = log.last_position(&Filter::default()).await;
                if let Err(error) = &answer
                    && self.is_ready()
                {
                    tracing::warn!(%error, "the log does not answer; not ready until it does");
                }
                self.answers(answer.is_ok());
                tokio::time::sleep(if answer.is_ok() { ASK_EVERY } else { ASK_AGAIN }).await;
            }
        };
        tokio::select! {
            () = asking => {}
            () = stopping.cancelled() => {}
        }
    }
}

fn ready(state: &State) -> bool {
    state.wired && state.connected && state.answers
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn each_change_is_told_once_and_a_new_connection_has_to_prove_itself() {
        let readiness = Readiness::default();
        let mut changes = Box::pin(readiness.changes());
        assert_eq!(changes.next().await, Some(false));
        readiness.connected(true);
        readiness.wired();
        assert!(!readiness.is_ready(), "the log has not answered yet");
        readiness.answers(true);
        assert_eq!(changes.next().await, Some(true));
        readiness.connected(false);
        assert_eq!(changes.next().await, Some(false));
        readiness.connected(true);
        assert!(!readiness.is_ready(), "what it answered was over another connection");
    }
}
