//! An earning: what a creator is owed for one thing that happened.
//!
//! Invariant: an earning is in at most one payout run, and its amount never changes.

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_money::Money;
use tandem_money::dates::date_from_proto;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::earning_event::Event;
use tandem_proto::payouts::v1::{EarningAccrued, EarningPaid, EarningReleased, EarningScheduled, EarningState};
use tandem_proto::time;
use tandem_service::Resource;
use tandem_views::Column;

/// The aggregate: its resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earning(pub pb::Earning);

/// What can be asked of an earning.
#[derive(Clone, Debug)]
pub enum Command {
    /// Record it. The same again changes nothing.
    Accrue(Box<pb::Earning>),
    /// Take it into a payout run.
    Schedule {
        /// `payoutRuns/{payout_run}`.
        payout_run: String,
    },
    /// Give it back, for the run was cancelled.
    Release {
        /// `payoutRuns/{payout_run}`.
        payout_run: String,
    },
    /// The bank has paid it.
    Pay {
        /// `payoutRuns/{payout_run}/payouts/{creator}`.
        payout: String,
    },
}

impl Aggregate for Earning {
    const KIND: Kind = Kind { context: "payouts", aggregate: "earning" };
    const COLLECTION: &'static str = "earnings";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        if let Command::Accrue(earning) = command {
            return self.accrue(earning, context);
        }
        let state = self.0.state();
        match (command, state) {
            (_, EarningState::Unspecified) => Err(Refusal::not_found(context)),
            (Command::Schedule { payout_run }, EarningState::Accrued) => {
                Ok(vec![Event::Scheduled(EarningScheduled { payout_run: payout_run.clone() })])
            }
            (Command::Schedule { payout_run }, _) if *payout_run != self.0.payout_run => Err(Refusal::new(
                ErrorReason::EarningScheduled,
                format!(
                    "{} is in {} already. Collect the payable earnings again.",
                    context.resource, self.0.payout_run
                ),
            )),
            (Command::Release { payout_run }, EarningState::Scheduled) if *payout_run == self.0.payout_run => {
                Ok(vec![Event::Released(EarningReleased { payout_run: payout_run.clone() })])
            }
            (Command::Pay { payout }, EarningState::Scheduled) if in_run(payout, &self.0.payout_run) => {
                Ok(vec![Event::Paid(EarningPaid { payout: payout.clone() })])
            }
            (Command::Pay { payout }, EarningState::Accrued | EarningState::Scheduled) => Err(Refusal::new(
                ErrorReason::StateForbids,
                format!("{} is not part of {payout}, so that can't pay it.", context.resource),
            )),
            _ => Ok(Vec::new()),
        }
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let earning = &mut self.0;
        match event {
            Event::Accrued(event) => {
                *earning = event.earning.clone().unwrap_or_default();
                earning.name.clone_from(&envelope.resource);
                earning.create_time = Some(time::to_proto(envelope.time));
                earning.set_state(EarningState::Accrued);
            }
            Event::Scheduled(event) => {
                earning.payout_run.clone_from(&event.payout_run);
                earning.set_state(EarningState::Scheduled);
            }
            Event::Released(_) => {
                earning.payout_run.clear();
                earning.set_state(EarningState::Accrued);
            }
            Event::Paid(_) => earning.set_state(EarningState::Paid),
        }
        earning.update_time = Some(time::to_proto(envelope.time));
    }

    fn partnership(&self, _event: &Event) -> String {
        partnership(&self.0.brand, &self.0.creator)
    }
}

impl Earning {
    fn accrue(&self, earning: &pb::Earning, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        // What only the log says of an earning.
        let plain = pb::Earning {
            name: context.resource.to_owned(),
            state: EarningState::Unspecified.into(),
            payout_run: String::new(),
            create_time: None,
            update_time: None,
            etag: String::new(),
            ..earning.clone()
        };
        if self.0.state() != EarningState::Unspecified {
            let known = pb::Earning {
                state: EarningState::Unspecified.into(),
                payout_run: String::new(),
                create_time: None,
                update_time: None,
                ..self.0.clone()
            };
            return if known == plain { Ok(Vec::new()) } else { Err(Refusal::exists(context)) };
        }
        let amount = earning.amount.as_ref().ok_or_else(|| Refusal::field("earning.amount", "is required"))?;
        let amount =
            Money::try_from(amount).map_err(|error| Refusal::field("earning.amount", format!("is wrong: {error}")))?;
        use pb::EarningRule::{CommissionClawback, TerminationClawback};
        let taken_back = matches!(earning.rule(), CommissionClawback | TerminationClawback);
        if taken_back && !amount.is_negative() {
            return Err(Refusal::field("earning.amount", "must be below zero: a clawback takes back"));
        }
        if !taken_back && !amount.is_positive() {
            return Err(Refusal::field("earning.amount", "must be above zero: only a clawback takes back"));
        }
        let due = earning.due_date.as_ref().ok_or_else(|| Refusal::field("earning.due_date", "is required"))?;
        date_from_proto(due).map_err(|error| Refusal::field("earning.due_date", format!("is wrong: {error}")))?;
        Ok(vec![Event::Accrued(EarningAccrued { earning: Some(plain) })])
    }
}

/// `partnerships/{brand}~{creator}` of two resource names.
pub(crate) fn partnership(brand: &str, creator: &str) -> String {
    format!("partnerships/{}~{}", brand.trim_start_matches("brands/"), creator.trim_start_matches("creators/"))
}

fn in_run(payout: &str, payout_run: &str) -> bool {
    payout.strip_prefix(payout_run).is_some_and(|rest| rest.starts_with("/payouts/"))
}

impl Resource for Earning {
    const VIEW: &'static str = "earnings";
    const VERSION: i32 = 1;
    type Message = pb::Earning;

    fn columns() -> Vec<Column<pb::Earning>> {
        vec![
            Column::text("name", |row: &pb::Earning| row.name.clone()),
            Column::text("brand", |row: &pb::Earning| row.brand.clone()).indexed(),
            Column::text("creator", |row: &pb::Earning| row.creator.clone()).indexed(),
            Column::text("contract", |row: &pb::Earning| row.contract.clone()).indexed(),
            Column::enumeration("state", "tandem.payouts.v1.EarningState", |row: &pb::Earning| row.state),
            Column::enumeration("rule", "tandem.payouts.v1.EarningRule", |row: &pb::Earning| row.rule),
            // ISO 8601, so that text compares as days do.
            Column::text("due_date", |row: &pb::Earning| {
                row.due_date
                    .as_ref()
                    .and_then(|date| date_from_proto(date).ok())
                    .map_or_else(String::new, |d| d.to_string())
            }),
            Column::text("currency_code", |row: &pb::Earning| {
                row.amount.as_ref().map_or_else(String::new, |amount| amount.currency_code.clone())
            }),
            Column::text("payout_run", |row: &pb::Earning| row.payout_run.clone()).indexed(),
            Column::time("earn_time", |row: &pb::Earning| row.earn_time),
        ]
    }

    fn from_message(message: pb::Earning) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Earning {
        pb::Earning { etag, ..self.0 }
    }
}

#[cfg(test)]
mod tests;
