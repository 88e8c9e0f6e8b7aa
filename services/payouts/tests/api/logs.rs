//! What the service logs as errors, to be waited for.

use std::fmt::Write as _;
use std::sync::LazyLock;

use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

static ERRORS: LazyLock<broadcast::Sender<String>> = LazyLock::new(|| {
    let (errors, _) = broadcast::channel(1024);
    let subscriber = Registry::default().with(Errors(errors.clone()));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    errors
});

/// Errors logged from now on by any service of this process.
pub fn errors() -> broadcast::Receiver<String> {
    ERRORS.subscribe()
}

/// Waits for an error that has all of these words.
pub async fn logged(errors: &mut broadcast::Receiver<String>, words: &[&str]) -> String {
    loop {
        let error = errors.recv().await.unwrap();
        if words.iter().all(|word| error.contains(word)) {
            return error;
        }
    }
}

struct Errors(broadcast::Sender<String>);

impl<S: tracing::Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            let mut text = Text(String::new());
            event.record(&mut text);
            // Nobody may listen.
            let _ = self.0.send(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}
