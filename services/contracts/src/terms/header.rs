//! Currency, time zone and days of terms.
//!
//! Invariant: what could be read is here, what could not has a violation; so the clauses are checked against what is
//! known, and all that is wrong is told at once.

use jiff::civil::Date;
use tandem_money::{Currency, dates};
use tandem_proto::FieldViolation;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::google::r#type as wire;
use tandem_proto::validation::Path;

/// What the clauses are measured by.
#[derive(Debug)]
pub(super) struct Header {
    /// Of all amounts.
    pub(super) currency: Option<Currency>,
    /// First and last day, in the contract's time zone.
    pub(super) term: Option<(Date, Date)>,
    /// Whether days are left to a contract to come.
    pub(super) open: bool,
}

impl Header {
    /// Of clauses without terms around them.
    pub(super) const OPEN: Self = Self { currency: None, term: None, open: true };

    pub(super) fn parse(terms: &pb::Terms, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) -> Self {
        let currency = terms.currency_code.parse();
        let currency = currency.map_err(|error| wrong.push(violation(&at.field("currency_code"), error))).ok();
        if let Err(error) = dates::time_zone(&terms.time_zone) {
            wrong.push(violation(&at.field("time_zone"), error));
        }
        let start = day(terms.start_date.as_ref(), &at.field("start_date"), wrong);
        let end = day(terms.end_date.as_ref(), &at.field("end_date"), wrong);
        let term = start.zip(end);
        if let Some((start, end)) = term
            && end < start
        {
            let description = format!("is {end}, before the start on {start}: give the same day or a later one");
            wrong.push(at.field("end_date").violation(&description));
            return Self { currency, term: None, open: false };
        }
        Self { currency, term, open: false }
    }

    /// A day that terms have to name; none, too, where days are left to a contract to come.
    pub(super) fn day(
        &self,
        date: Option<&wire::Date>,
        at: &Path<'_>,
        wrong: &mut Vec<FieldViolation>,
    ) -> Option<Date> {
        if self.open && date.is_none() { None } else { day(date, at, wrong) }
    }
}

/// A day that is required.
pub(super) fn day(date: Option<&wire::Date>, at: &Path<'_>, wrong: &mut Vec<FieldViolation>) -> Option<Date> {
    let Some(date) = date else {
        wrong.push(at.violation("is required"));
        return None;
    };
    dates::date_from_proto(date).map_err(|error| wrong.push(violation(at, error))).ok()
}

/// What a library says of a field, as a sentence that begins with the field's name.
pub(super) fn violation(at: &Path<'_>, error: impl std::fmt::Display) -> FieldViolation {
    at.violation(&format!("can't be taken: {error}"))
}
