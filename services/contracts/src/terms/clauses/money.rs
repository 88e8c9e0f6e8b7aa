//! Amounts in clauses.
//!
//! Invariant: an amount of money in a clause is positive and in the currency of the terms.

use tandem_money::Money;
use tandem_proto::FieldViolation;
use tandem_proto::google::r#type as wire;
use tandem_proto::validation::Path;

use super::super::header::{Header, violation};

/// An amount that has to be there; `none` says what to do where nothing is meant. Answers it if it can be read.
pub(super) fn required(
    amount: Option<&wire::Money>,
    none: &str,
    header: &Header,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) -> Option<Money> {
    let Some(amount) = amount else {
        wrong.push(at.violation("is required"));
        return None;
    };
    let amount = match Money::try_from(amount) {
        Ok(amount) => amount,
        Err(error) => {
            wrong.push(violation(at, error));
            return None;
        }
    };
    if !amount.is_positive() {
        wrong.push(at.violation(&format!("must be more than nothing: {none}")));
    }
    if let Some(currency) = header.currency.filter(|currency| *currency != amount.currency()) {
        let description = format!("is in {}, the terms in {currency}: use one currency", amount.currency());
        wrong.push(at.violation(&description));
    }
    Some(amount)
}

/// A limit, if there is one.
pub(super) fn limit(
    amount: Option<&wire::Money>,
    header: &Header,
    at: &Path<'_>,
    wrong: &mut Vec<FieldViolation>,
) -> Option<Money> {
    amount.and_then(|amount| required(Some(amount), "leave it out where nothing limits it", header, at, wrong))
}
