//! Uses and instants, as they are told to people.
//!
//! Invariant: what is said of an end tells the last day where it is the end of a day, for that is what was agreed.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tandem_money::dates::{day_of, end_of_day};
use tandem_proto::contracts::v1::UsageKind;

/// What for, in a sentence.
pub(super) fn use_of(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Unspecified => "no use",
        UsageKind::Organic => "organic use",
        UsageKind::PaidAmplification => "paid amplification",
        UsageKind::FullCommercial => "full commercial use",
        UsageKind::AiTraining => "AI training",
        UsageKind::Likeness => "use of the creator's likeness",
    }
}

/// "the end of 2027-01-02 (America/New_York)", or the instant if it is not the end of a day there.
pub(super) fn end(end: Timestamp, zone: &TimeZone) -> String {
    let last = end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(end);
    let day = day_of(last, zone);
    match (end_of_day(day, zone), zone.iana_name()) {
        (Ok(end_of_day), Some(name)) if end_of_day == end => format!("the end of {day} ({name})"),
        _ => end.to_string(),
    }
}

/// "instagram, brand-site".
pub(super) fn list(words: &[String]) -> String {
    words.join(", ")
}
