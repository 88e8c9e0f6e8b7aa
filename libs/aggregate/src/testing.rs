//! Given events, when a command, then events or a refusal: how the rules of an aggregate are tested.
//!
//! Invariant: no clock, no log, no I/O.

use std::fmt::Debug;

use jiff::Timestamp;
use tandem_eventlog::Envelope;
use tandem_proto::EventSet as _;
use tandem_proto::common::v1::ErrorReason;

use crate::{Aggregate, Context, Refusal};

/// An aggregate with a past.
pub struct Given<A> {
    state: A,
    time: Timestamp,
    actor: String,
}

/// An aggregate to which these events have happened, at the start of 2026 by `users/someone` unless said otherwise.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut given = Given { state: A::default(), time: Timestamp::UNIX_EPOCH, actor: "users/someone".to_owned() };
    // 2026-01-01T00:00:00Z
    given.time = Timestamp::from_second(1_767_225_600).unwrap_or(given.time);
    for event in events {
        given = given.and(event);
    }
    given
}

impl<A: Aggregate> Given<A> {
    /// From here on by this actor.
    #[must_use]
    pub fn by(mut self, actor: &str) -> Self {
        actor.clone_into(&mut self.actor);
        self
    }

    /// From here on at this instant, RFC 3339.
    ///
    /// # Panics
    /// If it is not one.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test's own literal")]
    pub fn at(mut self, time: &str) -> Self {
        self.time = time.parse().expect("an RFC 3339 instant");
        self
    }

    /// This has happened, too.
    #[must_use]
    pub fn and(mut self, event: A::Event) -> Self {
        let envelope = envelope(event.type_name(), self.time, &self.actor);
        self.state.evolve(&event, &envelope);
        self
    }

    /// This is asked for.
    pub fn when(self, command: A::Command) -> When<A> {
        let resource = format!("{}/test", A::COLLECTION);
        let context = Context { time: self.time, actor: &self.actor, resource: &resource };
        When { decided: self.state.decide(&command, &context), given: self }
    }

    /// The state, to look at.
    pub fn state(self) -> A {
        self.state
    }
}

/// What a command came to.
pub struct When<A: Aggregate> {
    given: Given<A>,
    decided: Result<Vec<A::Event>, Refusal>,
}

impl<A: Aggregate> When<A>
where
    A::Event: Debug + PartialEq,
{
    /// Exactly these events; none means that nothing changes.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let events: Vec<_> = events.into_iter().collect();
        assert_eq!(self.decided.as_ref(), Ok(&events));
        events.into_iter().fold(self.given, Given::and)
    }

    /// Whatever events; goes on from there.
    #[track_caller]
    pub fn happens(self) -> Given<A> {
        match self.decided {
            Ok(events) => events.into_iter().fold(self.given, Given::and),
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Refused for this reason; answers the refusal for a closer look.
    #[track_caller]
    pub fn then_refused(self, reason: ErrorReason) -> Refusal {
        match self.decided {
            Err(refusal) => {
                assert_eq!(refusal.reason, reason, "{refusal}");
                refusal
            }
            Ok(events) => panic!("not refused, but {events:?}"),
        }
    }
}

/// An envelope as a test needs it.
#[must_use]
pub fn envelope(event_type: &str, time: Timestamp, actor: &str) -> Envelope {
    Envelope {
        id: "00000000-0000-7000-8000-000000000000".to_owned(),
        event_type: event_type.to_owned(),
        resource: String::new(),
        time,
        actor: actor.to_owned(),
        command: String::new(),
        reason: String::new(),
        request_id: String::new(),
        request_hash: String::new(),
        correlation_id: String::new(),
        causation_id: String::new(),
        partnership: String::new(),
        traceparent: String::new(),
        test_clock: false,
    }
}
