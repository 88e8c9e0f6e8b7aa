//! Fields of commands as values of the domain: money, instants, names of enum values.
//!
//! Invariant: what can't be one is refused by the field's name, with what to give instead.

use jiff::{SignedDuration, Timestamp};
use tandem_aggregate::Refusal;
use tandem_money::Money;
use tandem_proto::FieldViolation;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::google::r#type as wire;

/// An instant; a field left out is not one.
pub(crate) fn instant(field: &str, value: Option<&prost_types::Timestamp>) -> Result<Timestamp, Refusal> {
    let instant = value.and_then(tandem_proto::time::from_proto);
    instant.ok_or_else(|| Refusal::field(field, "must be an instant between the years 1 and 9999"))
}

/// How far the clocks of shops and services may be ahead of ours.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// An instant of something that has happened.
pub(crate) fn past_instant(
    field: &str,
    value: Option<&prost_types::Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let instant = instant(field, value)?;
    if instant.duration_since(now) > LEEWAY {
        return Err(Refusal::field(field, "is in the future; report it once it has happened"));
    }
    Ok(instant)
}

/// An amount.
pub(crate) fn amount(field: &str, value: Option<&wire::Money>) -> Result<Money, Refusal> {
    read(value).map_err(|description| Refusal::field(field, description))
}

/// An amount above nothing.
pub(crate) fn positive_amount(field: &str, value: Option<&wire::Money>) -> Result<Money, Refusal> {
    read_positive(value).map_err(|description| Refusal::field(field, description))
}

/// An amount above nothing, otherwise what is wrong with it.
pub(crate) fn read_positive(value: Option<&wire::Money>) -> Result<Money, String> {
    let amount = read(value)?;
    if amount.is_positive() { Ok(amount) } else { Err(format!("must be more than nothing, not {amount}")) }
}

fn read(value: Option<&wire::Money>) -> Result<Money, String> {
    Money::try_from(value.ok_or("is required")?).map_err(|error| format!("is no amount: {error}"))
}

/// Refuses a command for all the fields that are at fault.
pub(crate) fn refuse_if_any(violations: Vec<FieldViolation>) -> Result<(), Refusal> {
    if violations.is_empty() {
        return Ok(());
    }
    let sentences: Vec<_> = violations.iter().map(|v| format!("{} {}.", v.field, v.description)).collect();
    Err(Refusal { violations, ..Refusal::new(ErrorReason::FieldInvalid, sentences.join(" ")) })
}

/// The name of an enum value as people write it: `LAUNCHED`, not `CAMPAIGN_STATE_LAUNCHED`.
pub(crate) fn short(value: &'static str, prefix: &str) -> &'static str {
    value.strip_prefix(prefix).unwrap_or(value)
}
