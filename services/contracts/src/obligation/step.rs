//! What can happen to an obligation.
//!
//! Invariant: what is closed stays closed; a step that comes too late, or of something never owed, changes nothing.

use prost_types::Timestamp;
use tandem_eventlog::Envelope;
use tandem_proto::contracts::v1::{Obligation, ObligationState as State, Party};
use tandem_proto::time;
use tandem_views::FoldError;

/// What an event says of obligations.
#[derive(Default)]
pub(super) struct Told {
    /// Of single ones, by key.
    pub(super) steps: Vec<(String, Step)>,
    /// The contract of which it discharges what is so.
    pub(super) ended: Option<(String, Ends)>,
}

/// Whether an obligation ends.
pub(super) type Ends = fn(&Obligation) -> bool;

pub(super) enum Step {
    /// It is owed from now on, whatever was owed before under the same key.
    Owe(Box<Obligation>),
    /// It was done at this instant.
    Fulfil(Timestamp),
    /// A party answered: whoever owed it has done it, or the other has taken back what was to be answered.
    Answered(Party, Timestamp),
    /// Its time has passed.
    Overdue,
    /// It is not owed any more.
    Discharge,
}

impl Step {
    pub(super) fn take(self, key: &str, row: Option<Obligation>) -> Option<Obligation> {
        match (self, row) {
            (Self::Owe(owed), _) => {
                Some(Obligation { name: format!("obligations/{key}"), state: State::Open.into(), ..*owed })
            }
            (Self::Fulfil(time), Some(row)) => Some(fulfilled(row, time)),
            (Self::Answered(by, time), Some(row)) => {
                Some(if row.party() == by { fulfilled(row, time) } else { discharged(row) })
            }
            (Self::Overdue, Some(mut row)) => {
                if row.state() == State::Open {
                    row.set_state(State::Overdue);
                }
                Some(row)
            }
            (Self::Discharge, Some(row)) => Some(discharged(row)),
            (_, None) => None,
        }
    }
}

fn is_open(row: &Obligation) -> bool {
    matches!(row.state(), State::Open | State::Overdue)
}

/// A deadline is kept before its instant and missed from it on.
fn fulfilled(mut row: Obligation, time: Timestamp) -> Obligation {
    if is_open(&row) {
        let instant = |time: &Timestamp| (time.seconds, time.nanos);
        let late = row.due_time.as_ref().is_some_and(|due| instant(&time) >= instant(due));
        row.set_state(if late { State::FulfilledLate } else { State::Fulfilled });
        row.fulfil_time = Some(time);
    }
    row
}

pub(super) fn discharged(mut row: Obligation) -> Obligation {
    if is_open(&row) {
        row.set_state(State::Discharged);
    }
    row
}

/// An obligation of a partnership's contract; its party, kind and the rest are to be filled in.
pub(super) fn under(contract: &str, envelope: &Envelope) -> Result<Obligation, FoldError> {
    let partnership = envelope.partnership.strip_prefix("partnerships/").and_then(|id| id.split_once('~'));
    let (brand, creator) =
        partnership.ok_or_else(|| FoldError::new(format!("partnership {:?} is not one", envelope.partnership)))?;
    Ok(Obligation {
        contract: contract.to_owned(),
        brand: format!("brands/{brand}"),
        creator: format!("creators/{creator}"),
        ..Obligation::default()
    })
}

/// When an event happened.
pub(super) fn now(envelope: &Envelope) -> Timestamp {
    time::to_proto(envelope.time)
}
