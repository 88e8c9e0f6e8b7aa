//! Obligations: who owes what by when, folded from contracts, from the campaigns that perform them and from what is
//! earned and paid.
//!
//! Invariant: a row is one thing owed. It is opened by the event that makes it owed, closed by the one that fulfils it or
//! does away with it, and OVERDUE only when the log says so; that money is late is told by its `due_time`.

mod contract;
mod earning;
mod participation;
mod step;
#[cfg(test)]
mod tests;

use tandem_eventlog::{Kind, RecordedEvent};
use tandem_proto::contracts::v1::Obligation;
use tandem_proto::{EventSet, read_event};
use tandem_views::{Column, FoldError, View};

use step::Told;

/// The view of all obligations.
pub struct Obligations;

impl View for Obligations {
    const NAME: &'static str = "obligations";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[
        Kind { context: "contracts", aggregate: "contract" },
        Kind { context: "campaigns", aggregate: "participation" },
        Kind { context: "payouts", aggregate: "earning" },
    ];
    type Row = Obligation;

    fn columns() -> Vec<Column<Obligation>> {
        vec![
            Column::text("name", |row: &Obligation| row.name.clone()),
            Column::text("contract", |row: &Obligation| row.contract.clone()).grouping(),
            Column::text("brand", |row: &Obligation| row.brand.clone()),
            Column::text("creator", |row: &Obligation| row.creator.clone()).indexed(),
            Column::enumeration("party", "tandem.contracts.v1.Party", |row: &Obligation| row.party),
            Column::enumeration("kind", "tandem.contracts.v1.ObligationKind", |row: &Obligation| row.kind),
            Column::enumeration("state", "tandem.contracts.v1.ObligationState", |row: &Obligation| row.state).indexed(),
            Column::time("due_time", |row: &Obligation| row.due_time),
        ]
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(told(event)?.steps.into_iter().map(|(key, _)| key).collect())
    }

    fn groups(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(told(event)?.ended.into_iter().map(|(contract, _)| contract).collect())
    }

    fn fold(&self, key: &str, row: Option<Obligation>, event: &RecordedEvent) -> Result<Option<Obligation>, FoldError> {
        let Told { steps, ended } = told(event)?;
        let steps = steps.into_iter().filter(|(of, _)| of == key);
        let row = steps.fold(row, |row, (_, step)| step.take(key, row));
        Ok(row.map(|row| match ended {
            Some((contract, ends)) if row.contract == contract && ends(&row) => step::discharged(row),
            _ => row,
        }))
    }
}

/// What an event says of obligations.
fn told(event: &RecordedEvent) -> Result<Told, FoldError> {
    let [_, context, aggregate, _] = event.tokens();
    match (context, aggregate) {
        ("contracts", "contract") => contract::told(decode(event)?, event),
        ("campaigns", "participation") => participation::told(decode(event)?, event),
        ("payouts", "earning") => earning::told(decode(event)?, event),
        _ => Ok(Told::default()),
    }
}

fn decode<E: EventSet>(event: &RecordedEvent) -> Result<E, FoldError> {
    Ok(read_event(&event.envelope.event_type, &event.payload)?)
}
