//! Timers: what an aggregate does by itself when a time comes.
//!
//! An aggregate that is [`Scheduled`](tandem_aggregate::Scheduled) says when something is due next, and which command
//! does it. [`Timers`] sees to it that the command is executed then:
//!
//! 1. *Arming.* A process reads the events of the kind. After an aggregate's last one it puts a message into a stream
//!    of timers (`<log>-timers`), to be sent at the due instant (JetStream message scheduling, NATS ADR-51). The
//!    message has a subject of its own for each aggregate and instant, so the same timer is not armed twice.
//! 2. *Firing.* When the time has come, the server moves the message to where the kind's consumer gets it. The consumer
//!    loads the aggregate and, if something is due, executes the command as `services/{service}`.
//! 3. What that writes is an event again, after which the next timer is armed.
//!
//! Invariant: that a timer fires is a hint to look, never a decision. The aggregate decides by its state and the time, so
//! a timer that fires twice, late, out of order, or for a date that was moved changes nothing; and one that was armed is
//! kept until somebody has looked.
//!
//! # Stories told under a test clock
//! The wall clock does not move an aggregate whose last event happened under a test clock
//! ([`Envelope::test_clock`](tandem_eventlog::Envelope::test_clock)): what is due in such a story lies in the past of the
//! wall clock, mostly, and would all be done at once, before the story is told that far. No timer is armed for it, and one
//! that fires does nothing; `TimerService.ActOnDue`, called with the test clock, does what is due by that time. The first
//! event without a test clock puts the aggregate back on the wall clock.

mod arming;
mod firing;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod queue;
mod stream;
mod timer;
mod timers;

#[cfg(any(test, feature = "testing"))]
pub use memory::MemoryTimers;
pub use queue::{Fired, FiredStream, QueueError, TimerQueue};
pub use stream::{OpenError, TimerStream, TimerStreamOptions, timer_faults, timer_stream};
pub use timer::Timer;
pub use timers::{Acted, AnyTimers, Timers};
