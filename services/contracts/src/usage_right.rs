//! A usage right: an entry of the register, which tells when it begins, changes, is about to end, and ends.
//!
//! Invariant: a right that has ended, expired or revoked, is only in force again if its window reaches beyond the
//! instant at which it is defined anew.

mod decide;
mod resource;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use tandem_aggregate::{Aggregate, Context, Refusal, Scheduled};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::UsageRightState as State;
use tandem_proto::contracts::v1::usage_right_event::Event;
use tandem_proto::time;

/// A right; its state is the resource that the API shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageRight(pub pb::UsageRight);

/// What can be asked of a right.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// To be as the contract has it: granted, changed, or left alone if it is so already. What only the register knows
    /// (name, state, warnings given, times of events) is not looked at.
    Define(Box<pb::UsageRight>),
    /// To end before its time. What has ended already stands as it ended.
    Revoke {
        /// Why.
        reason: String,
    },
    /// To tell what is due: that it ends in some days, or has ended.
    ActOnDue,
}

impl Aggregate for UsageRight {
    const KIND: Kind = Kind { context: "contracts", aggregate: "usage_right" };
    const COLLECTION: &'static str = "usageRights";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        decide::decide(&self.0, command, context)
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let (right, now) = (&mut self.0, time::to_proto(envelope.time));
        match event {
            Event::Granted(event) => {
                *right = event.right.clone().unwrap_or_default();
                right.name.clone_from(&envelope.resource);
                right.create_time = Some(now);
                right.set_state(State::Active);
            }
            Event::Changed(event) => {
                let name = std::mem::take(&mut right.name);
                let create_time = right.create_time.take();
                *right = pb::UsageRight { name, create_time, ..event.right.clone().unwrap_or_default() };
                right.set_state(State::Active);
            }
            Event::Expiring(event) => {
                // It says more than those further ahead that were missed.
                let told = |days: &&i32| **days >= event.days_ahead;
                right.warned_days = decide::warning_days(right).iter().filter(told).copied().collect();
            }
            Event::Expired(_) => right.set_state(State::Expired),
            Event::Revoked(event) => {
                right.revoke_reason.clone_from(&event.reason);
                right.set_state(State::Revoked);
            }
        }
        right.update_time = Some(now);
    }

    fn partnership(&self, _event: &Event) -> String {
        let brand = self.0.brand.trim_start_matches("brands/");
        let creator = self.0.creator.trim_start_matches("creators/");
        format!("partnerships/{brand}~{creator}")
    }
}

impl Scheduled for UsageRight {
    fn next_due(&self) -> Option<Timestamp> {
        decide::next_due(&self.0)
    }

    fn act_on_due() -> Command {
        Command::ActOnDue
    }
}
