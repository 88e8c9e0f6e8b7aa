//! An aggregate that goes off, once, at the time that it was set to.

use jiff::Timestamp;
use tandem_aggregate::{Aggregate, Context, Refusal, Scheduled};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::campaigns::v1::{DraftSubmitted, ReviewOverdue};
use tandem_proto::time::{from_proto, to_proto};

#[derive(Clone, Debug, Default)]
pub struct Alarm(pub Option<Timestamp>);

#[derive(Debug)]
pub enum Command {
    /// To go off then; none: not at all.
    Set(Option<Timestamp>),
    Act,
}

impl Aggregate for Alarm {
    const KIND: Kind = Kind { context: "test", aggregate: "alarm" };
    const COLLECTION: &'static str = "alarms";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        Ok(match (command, self.0) {
            (Command::Set(due), _) => {
                vec![Event::DraftSubmitted(DraftSubmitted { review_due_time: due.map(to_proto), ..Default::default() })]
            }
            (Command::Act, Some(due)) if due <= context.time => {
                vec![Event::ReviewOverdue(ReviewOverdue { due_time: Some(to_proto(due)), ..Default::default() })]
            }
            (Command::Act, _) => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &Event, _: &Envelope) {
        self.0 = match event {
            Event::DraftSubmitted(set) => set.review_due_time.as_ref().map(|due| from_proto(due).unwrap()),
            _ => None,
        };
    }
}

impl Scheduled for Alarm {
    fn next_due(&self) -> Option<Timestamp> {
        self.0
    }

    fn act_on_due() -> Command {
        Command::Act
    }
}
