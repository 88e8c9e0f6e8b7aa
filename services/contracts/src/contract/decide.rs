//! What a contract allows: first what time has brought about, then what the action's own concept decides.
//!
//! Invariant: a command is decided on by what is so at its time, never by what a late timer has left standing; and it
//! ends in its events or in a refusal that says what stands against it and what to do.

use tandem_aggregate::{Context, Refusal};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::{ContractState as State, Party};

use super::{Action, Command, amendment, schedule, statutory, termination};

pub(super) fn decide(contract: &pb::Contract, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let (mut events, contract) = schedule::catch_up(contract, context);
    let case = Case { contract: &contract, by: command.by, context };
    let exists = contract.state() != State::Unspecified;
    let mut own = match &command.action {
        Action::Draft(_) if exists => return Err(Refusal::exists(context)),
        Action::Draft(draft) => vec![case.draft(draft)?],
        _ if !exists => return Err(Refusal::not_found(context)),
        Action::ActOnDue => return Ok(events),
        _ if schedule::is_due(&contract, context.time) => return Err(case.far_behind()),
        Action::Propose { expire_time } => vec![case.propose(*expire_time)?],
        Action::Counter { terms, expire_time } => vec![case.counter(terms, *expire_time)?],
        Action::Accept => vec![case.accept()?],
        Action::Decline { reason } => vec![case.decline(reason)?],
        Action::Withdraw { reason } => vec![case.withdraw(reason)?],
        Action::Sign(consent) => vec![case.sign(consent)?],
        Action::Attach(document) => case.attach(document)?.into_iter().collect(),
        Action::Amend(action) => amendment::decide(&case, action)?,
        Action::End(action) => termination::decide(&case, action)?,
    };
    statutory::check(&contract, &mut own, context.time);
    events.extend(own);
    Ok(events)
}

/// A contract before which a party stands; whatever is due by the time of the context has been taken in.
pub(super) struct Case<'a> {
    pub(super) contract: &'a pb::Contract,
    pub(super) by: Party,
    pub(super) context: &'a Context<'a>,
}

impl Case<'_> {
    pub(super) fn state_forbids(&self, needed: &str, done: &str) -> Refusal {
        let state = super::resource::state_name(self.contract);
        let message = format!("{} is {state}; only a contract in {needed} can be {done}.", self.context.resource);
        Refusal::new(ErrorReason::StateForbids, message)
    }

    /// More is due than one write can hold.
    fn far_behind(&self) -> Refusal {
        let message = format!(
            "More is due for {} than is written at once. Call TimerService.ActOnDue until nothing is, then repeat.",
            self.context.resource
        );
        Refusal::new(ErrorReason::OutOfTime, message)
    }
}

/// A party, in a sentence.
pub(super) fn the(party: Party) -> &'static str {
    if party == Party::Creator { "the creator" } else { "the brand" }
}

/// The party opposite.
pub(super) fn other(party: Party) -> Party {
    if party == Party::Creator { Party::Brand } else { Party::Creator }
}
