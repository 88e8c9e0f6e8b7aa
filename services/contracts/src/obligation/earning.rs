//! What the brand owes in money: each earning, until it is paid.
//!
//! Invariant: what is taken back is no obligation; it is offset against what is earned.

use tandem_eventlog::RecordedEvent;
use tandem_money::{Money, dates};
use tandem_proto::contracts::v1::{Obligation, ObligationKind as Kind, Party};
use tandem_proto::payouts::v1::Earning;
use tandem_proto::payouts::v1::earning_event::Event as E;
use tandem_proto::time;
use tandem_views::FoldError;

use super::step::{Step, Told, now, under};

pub(super) fn told(event: E, recorded: &RecordedEvent) -> Result<Told, FoldError> {
    let id = recorded.tokens()[3];
    let step = match event {
        E::Accrued(event) => accrued(id, event.earning.unwrap_or_default(), recorded)?,
        E::Paid(_) => Some(Step::Fulfil(now(&recorded.envelope))),
        E::Scheduled(_) | E::Released(_) => None,
    };
    Ok(Told { steps: step.map(|step| (id.to_owned(), step)).into_iter().collect(), ended: None })
}

fn accrued(id: &str, earning: Earning, recorded: &RecordedEvent) -> Result<Option<Step>, FoldError> {
    let amount = earning.amount.as_ref().map(Money::try_from).transpose().map_err(FoldError::new)?;
    if !amount.is_some_and(Money::is_positive) {
        return Ok(None);
    }
    // An earning names its day in the contract's time zone and not that zone: the day is over when it is in UTC.
    let due = earning.due_date.as_ref().map(|day| {
        let day = dates::date_from_proto(day)?;
        dates::end_of_day(day, &jiff::tz::TimeZone::UTC).map(time::to_proto)
    });
    Ok(Some(Step::Owe(Box::new(Obligation {
        party: Party::Brand.into(),
        kind: Kind::Payment.into(),
        subject: format!("earnings/{id}"),
        due_time: due.transpose().map_err(FoldError::new)?,
        clause_id: earning.clause_id,
        ..under(&earning.contract, &recorded.envelope)?
    }))))
}
