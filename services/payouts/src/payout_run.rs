//! A payout run: earnings that are due, approved by a second person and sent together.
//!
//! Invariant: money leaves only for what a person other than the run's creator has approved, and each payout once.

mod debtor;

use jiff::{SignedDuration, Timestamp};
use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_money::dates::date_from_proto;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::payout_run_event::Event;
use tandem_proto::payouts::v1::{
    Payout, PayoutRunApproved, PayoutRunCancelled, PayoutRunCreated, PayoutRunState as State, PayoutRunSubmitted,
    PayoutSettled, PayoutState,
};
use tandem_proto::time;
use tandem_service::Resource;
use tandem_views::Column;

use crate::earning::partnership;
use crate::unpayable;

/// Unpayable creators that a run lists at most: it is one message of the log, which takes a megabyte.
const MOST_UNPAYABLE: usize = 900;
/// How far the clock of whoever settles may be ahead of ours.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// The aggregate: its resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PayoutRun(pub pb::PayoutRun);

/// What can be asked of a payout run.
#[derive(Clone, Debug)]
pub enum Command {
    /// Open it with the payouts collected, and all creators who could not be paid.
    Create(Box<pb::PayoutRun>),
    /// Approve it.
    Approve,
    /// Cancel it.
    Cancel {
        /// Why.
        reason: String,
    },
    /// It is written as a credit transfer. Again, it changes nothing.
    Submit {
        /// Lower-case hex SHA-256 of the file.
        file_hash: String,
        /// Creation time that the file states.
        file_time: Timestamp,
    },
    /// The bank has paid a payout. Again by the same reference at the same time, it changes nothing.
    Settle {
        /// `payoutRuns/{payout_run}/payouts/{creator}`.
        payout: String,
        /// The bank's.
        bank_reference: String,
        /// When.
        settle_time: Timestamp,
    },
}

impl Aggregate for PayoutRun {
    const KIND: Kind = Kind { context: "payouts", aggregate: "payout_run" };
    const COLLECTION: &'static str = "payoutRuns";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let run = &self.0;
        if let Command::Create(draft) = command {
            return self.create(draft, context);
        }
        if run.state() == State::Unspecified {
            return Err(Refusal::not_found(context));
        }
        match command {
            Command::Create(_) => Err(Refusal::exists(context)),
            Command::Approve => {
                self.require(&[State::PendingApproval], "approved", context)?;
                if context.actor == run.creator_actor {
                    return Err(Refusal::new(
                        ErrorReason::SecondPersonRequired,
                        format!("{} created {}; a second person has to approve it.", context.actor, context.resource),
                    ));
                }
                Ok(vec![Event::Approved(PayoutRunApproved {
                    approver: context.actor.to_owned(),
                    partnerships: partnerships(run),
                })])
            }
            Command::Cancel { reason } => {
                self.require(&[State::PendingApproval, State::Approved], "cancelled", context)?;
                Ok(vec![Event::Cancelled(PayoutRunCancelled {
                    reason: reason.clone(),
                    partnerships: partnerships(run),
                })])
            }
            Command::Submit { .. } if matches!(run.state(), State::Submitted | State::Settled) => Ok(Vec::new()),
            Command::Submit { file_hash, file_time } => {
                self.require(&[State::Approved], "submitted", context)?;
                Ok(vec![Event::Submitted(PayoutRunSubmitted {
                    file_hash: file_hash.clone(),
                    submit_time: Some(time::to_proto(*file_time)),
                    partnerships: partnerships(run),
                })])
            }
            Command::Settle { payout, bank_reference, settle_time } => {
                self.settle(payout, bank_reference, *settle_time, context)
            }
        }
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let now = Some(time::to_proto(envelope.time));
        let run = &mut self.0;
        match event {
            Event::Created(event) => {
                *run = event.payout_run.clone().unwrap_or_default();
                run.name.clone_from(&envelope.resource);
                run.creator_actor.clone_from(&envelope.actor);
                run.create_time = now;
                run.set_state(State::PendingApproval);
            }
            Event::Approved(event) => {
                run.approver.clone_from(&event.approver);
                run.approve_time = now;
                run.set_state(State::Approved);
            }
            Event::Cancelled(_) => run.set_state(State::Cancelled),
            Event::Submitted(event) => {
                run.file_hash.clone_from(&event.file_hash);
                run.submit_time = event.submit_time;
                run.set_state(State::Submitted);
            }
            Event::Settled(event) => {
                if let Some(payout) = run.payouts.iter_mut().find(|payout| payout.name == event.payout) {
                    payout.set_state(PayoutState::Paid);
                    payout.bank_reference.clone_from(&event.bank_reference);
                    payout.settle_time = event.settle_time;
                }
                if event.remaining_count == 0 {
                    run.set_state(State::Settled);
                }
            }
        }
        run.update_time = now;
    }

    fn partnership(&self, event: &Event) -> String {
        match event {
            Event::Settled(event) => partnership(&event.brand, &event.creator),
            _ => String::new(),
        }
    }
}

impl PayoutRun {
    /// The payout of a name.
    #[must_use]
    pub fn payout(&self, name: &str) -> Option<&Payout> {
        self.0.payouts.iter().find(|payout| payout.name == name)
    }

    fn create(&self, draft: &pb::PayoutRun, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        if self.0.state() != State::Unspecified {
            return Err(Refusal::exists(context));
        }
        for (field, date) in [("due_date", &draft.due_date), ("execution_date", &draft.execution_date)] {
            let field = format!("payout_run.{field}");
            let date = date.as_ref().ok_or_else(|| Refusal::field(&field, "is required"))?;
            date_from_proto(date).map_err(|error| Refusal::field(&field, format!("is wrong: {error}")))?;
        }
        debtor::check(draft.debtor.as_ref())?;
        if draft.payouts.is_empty() {
            return Err(nothing_payable(draft));
        }
        // Nothing else of what the caller sent: the rest is for later events to say.
        let run = pb::PayoutRun {
            brand: draft.brand.clone(),
            currency_code: draft.currency_code.clone(),
            due_date: draft.due_date,
            execution_date: draft.execution_date,
            debtor: draft.debtor.clone(),
            payouts: draft.payouts.clone(),
            total_amount: draft.total_amount.clone(),
            remaining_earning_count: draft.remaining_earning_count,
            unpayable_creators: draft.unpayable_creators.iter().take(MOST_UNPAYABLE).cloned().collect(),
            unpayable_creator_count: i32::try_from(draft.unpayable_creators.len()).unwrap_or(i32::MAX),
            ..pb::PayoutRun::default()
        };
        let partnerships = partnerships(&run);
        Ok(vec![Event::Created(PayoutRunCreated { payout_run: Some(run), partnerships })])
    }

    fn settle(
        &self,
        name: &str,
        bank_reference: &str,
        settle_time: Timestamp,
        context: &Context<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let run = &self.0;
        let Some(payout) = self.payout(name) else {
            return Err(Refusal::new(ErrorReason::ResourceNotFound, format!("{name} does not exist.")));
        };
        if payout.state() == PayoutState::Paid {
            let paid = payout.settle_time.as_ref().and_then(time::from_proto).unwrap_or_default();
            return if payout.bank_reference == bank_reference && paid == settle_time {
                Ok(Vec::new())
            } else {
                let message = format!("{name} was paid by {:?} at {paid} already.", payout.bank_reference);
                Err(Refusal::new(ErrorReason::StateForbids, message))
            };
        }
        if settle_time.duration_since(context.time) > LEEWAY {
            return Err(Refusal::field("settle_time", "is in the future; settle the payout once the bank has paid it"));
        }
        self.require(&[State::Submitted], "settled", context)?;
        let unpaid = run.payouts.iter().filter(|payout| payout.state() != PayoutState::Paid).count();
        Ok(vec![Event::Settled(PayoutSettled {
            payout: name.to_owned(),
            brand: run.brand.clone(),
            creator: payout.creator.clone(),
            amount: payout.amount.clone(),
            earnings: payout.earnings.clone(),
            bank_reference: bank_reference.to_owned(),
            settle_time: Some(time::to_proto(settle_time)),
            remaining_count: i32::try_from(unpaid - 1).unwrap_or(i32::MAX),
        })])
    }

    fn require(&self, states: &[State], what: &str, context: &Context<'_>) -> Result<(), Refusal> {
        let state = self.0.state();
        if states.contains(&state) {
            return Ok(());
        }
        let plain = |state: &State| state.as_str_name().trim_start_matches("PAYOUT_RUN_STATE_").to_owned();
        let wanted: Vec<_> = states.iter().map(plain).collect();
        let message =
            format!("{} is {}; only a run in {} can be {what}.", context.resource, plain(&state), wanted.join(" or "));
        Err(Refusal::new(ErrorReason::StateForbids, message))
    }
}

/// Those whose money the run is, for whoever follows one of them: a run belongs to none alone.
fn partnerships(run: &pb::PayoutRun) -> Vec<String> {
    run.payouts.iter().map(|payout| partnership(&run.brand, &payout.creator)).collect()
}

fn nothing_payable(draft: &pb::PayoutRun) -> Refusal {
    let pb::PayoutRun { brand, currency_code, unpayable_creators, .. } = draft;
    let message = if unpayable_creators.is_empty() {
        format!(
            "Nothing of {brand} is payable in {currency_code} by then. List earnings with `state = ACCRUED` to see what \
             is owed, and when it is due."
        )
    } else {
        format!(
            "Nothing of {brand} is payable in {currency_code} by then. Something is due to creators who can't be paid: \
             {}. Set missing payout accounts with SetPayoutAccount, then create the run.",
            unpayable::summary(unpayable_creators)
        )
    };
    Refusal::new(ErrorReason::NothingPayable, message)
}

impl Resource for PayoutRun {
    const VIEW: &'static str = "payout_runs";
    const VERSION: i32 = 1;
    type Message = pb::PayoutRun;

    fn columns() -> Vec<Column<pb::PayoutRun>> {
        vec![
            Column::text("name", |row: &pb::PayoutRun| row.name.clone()),
            Column::text("brand", |row: &pb::PayoutRun| row.brand.clone()).indexed(),
            Column::enumeration("state", "tandem.payouts.v1.PayoutRunState", |row: &pb::PayoutRun| row.state),
            Column::text("currency_code", |row: &pb::PayoutRun| row.currency_code.clone()),
            // ISO 8601, so that text compares as days do.
            Column::text("due_date", |row: &pb::PayoutRun| {
                row.due_date
                    .as_ref()
                    .and_then(|date| date_from_proto(date).ok())
                    .map_or_else(String::new, |d| d.to_string())
            }),
            Column::time("create_time", |row: &pb::PayoutRun| row.create_time),
        ]
    }

    fn from_message(message: pb::PayoutRun) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::PayoutRun {
        pb::PayoutRun { etag, ..self.0 }
    }
}

#[cfg(test)]
mod tests;
