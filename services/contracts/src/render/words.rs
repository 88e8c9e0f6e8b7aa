//! Amounts, days, shares and names in words.
//!
//! Invariant: what is absent or can't be read is shown as a dash, never left out and never a wrong figure.

use jiff::tz::TimeZone;
use prost_types::Timestamp;
use tandem_money::{Money, dates};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::google::r#type as wire;
use tandem_proto::time;

/// Stands for what is not there.
pub(super) const NONE: &str = "–";

/// Instants as they are in the contract's time zone.
pub(super) struct Days(TimeZone);

impl Days {
    /// By the time zone of the terms; UTC if it is unknown, and said so with each instant.
    pub(super) fn of(terms: &pb::Terms) -> Self {
        Self(dates::time_zone(&terms.time_zone).unwrap_or(TimeZone::UTC))
    }

    /// "12 June 2026, 11:00 EDT".
    pub(super) fn instant(&self, instant: Option<&Timestamp>) -> String {
        let instant = instant.and_then(time::from_proto);
        instant.map_or_else(
            || NONE.to_owned(),
            |instant| instant.to_zoned(self.0.clone()).strftime("%-d %B %Y, %H:%M %Z").to_string(),
        )
    }
}

/// "10 July 2026".
pub(super) fn day(date: Option<&wire::Date>) -> String {
    let date = date.and_then(|date| dates::date_from_proto(date).ok());
    date.map_or_else(|| NONE.to_owned(), |date| date.strftime("%-d %B %Y").to_string())
}

/// "USD 1,234.50".
pub(super) fn amount(amount: Option<&wire::Money>) -> String {
    let amount = amount.and_then(|amount| Money::try_from(amount).ok());
    amount.map_or_else(|| NONE.to_owned(), |amount| amount.to_string())
}

/// Basis points as "12.5 %".
pub(super) fn percent(basis_points: i32) -> String {
    let (whole, rest) = (basis_points / 100, (basis_points % 100).abs());
    let decimals = format!("{rest:02}");
    match decimals.trim_end_matches('0') {
        "" => format!("{whole} %"),
        decimals => format!("{whole}.{decimals} %"),
    }
}

/// "1 day", "30 days".
pub(super) fn count(number: i32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// "1,000,000".
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "a", "a and b", "a, b and c".
pub(super) fn and(items: impl IntoIterator<Item = impl Into<String>>) -> String {
    let mut items: Vec<String> = items.into_iter().map(Into::into).collect();
    match (items.pop(), items.is_empty()) {
        (None, _) => NONE.to_owned(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", items.join(", ")),
    }
}

/// "60, 30 and 7 days".
pub(super) fn days_ahead(days: &[i32]) -> String {
    format!("{} days", and(days.iter().map(ToString::to_string)))
}

/// Where: "worldwide", "in US and CA".
pub(super) fn territories(territories: &[String]) -> String {
    if territories.iter().any(|territory| territory == "WORLD") {
        return "worldwide".to_owned();
    }
    format!("in {}", and(territories))
}

/// A name of an enum's value without its prefix: `USAGE_KIND_ORGANIC` as "organic".
pub(super) fn spoken(value: &str, prefix: &str) -> String {
    value.strip_prefix(prefix).unwrap_or(value).to_lowercase().replace('_', " ")
}

/// "the brand".
pub(super) fn the(party: pb::Party) -> &'static str {
    match party {
        pb::Party::Brand => "the brand",
        pb::Party::Creator => "the creator",
        pb::Party::Unspecified => "nobody",
    }
}

/// "Brand", at the head of a line.
pub(super) fn party(party: pb::Party) -> &'static str {
    match party {
        pb::Party::Brand => "Brand",
        pb::Party::Creator => "Creator",
        pb::Party::Unspecified => NONE,
    }
}

/// "the brand and the creator".
pub(super) fn parties(parties: impl Iterator<Item = pb::Party>) -> String {
    and(parties.map(the))
}

/// Where a contract stands, as "countered".
pub(super) fn state(contract: &pb::Contract) -> String {
    spoken(contract.state().as_str_name(), "CONTRACT_STATE_")
}

/// "post", "short video".
pub(super) fn content_type(content: pb::ContentType) -> String {
    spoken(content.as_str_name(), "CONTENT_TYPE_")
}

/// How far work has come.
pub(super) fn progress(progress: pb::WorkProgress) -> &'static str {
    match progress {
        pb::WorkProgress::Unspecified => NONE,
        pb::WorkProgress::Signed => "signed, nothing submitted",
        pb::WorkProgress::DraftSubmitted => "a draft was submitted",
        pb::WorkProgress::DraftApproved => "a draft was approved",
    }
}

/// With a capital at its head.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}
