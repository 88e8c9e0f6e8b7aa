//! What services report as a defect of theirs: panics, and what they log as an error.
//!
//! Invariant: by thread, as a run keeps to one.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    static DEFECTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// From now on notes what is reported, in all threads. To be called once or more.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Whoever else reads logs in this process has come first, and then errors are not noted.
        let _ = tracing::subscriber::set_global_default(Errors);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            DEFECTS.with_borrow_mut(|defects| defects.push(format!("panic: {panic}")));
            before(panic);
        }));
    });
}

/// What was noted in this thread since it was taken last.
pub fn take() -> Vec<String> {
    DEFECTS.take()
}

/// Reads errors, and nothing else.
struct Errors;

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        DEFECTS.with_borrow_mut(|defects| defects.push(line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string can't fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}
