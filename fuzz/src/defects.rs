//! What services say went wrong inside: panics, and errors in their logs.
//!
//! Invariant: nothing of it is lost, whichever task or thread it happens on.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Defects of all services in this process.
#[derive(Clone, Default)]
pub struct Defects(Arc<Mutex<Vec<String>>>);

impl Defects {
    /// Begins to watch this process; to be called before services start, and once.
    #[must_use]
    pub fn watch() -> Self {
        let defects = Self::default();
        let panics = defects.clone();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            panics.add(format!("panic: {panic}"));
            before(panic);
        }));
        // Who has set another subscriber keeps it; panics are seen in any case.
        let _ = tracing_subscriber::registry().with(defects.clone()).try_init();
        defects
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, defect: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(defect);
    }
}

impl<S: Subscriber> Layer<S> for Defects {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let ours = event.metadata().target().starts_with("tandem");
        if *event.metadata().level() == Level::ERROR && ours {
            let mut text = Text(event.metadata().target().to_owned());
            event.record(&mut text);
            self.add(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}
