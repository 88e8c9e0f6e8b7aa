//! What arguments may say: names, event types and permissions, as the proto files have them.
//!
//! Invariant: what can't be meant is refused before anything is sent; a typo is never answered by an empty result.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_proto::contracts::v1::UsageKind;
use tandem_proto::{EVENT_TYPES, POOL};

use crate::output::short;

/// The permissions that methods need.
static PERMISSIONS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let Some(option) = POOL.get_extension_by_name("tandem.common.v1.permission") else { return BTreeSet::new() };
    let methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.filter_map(|method| method.options().get_extension(&option).as_str().map(str::to_owned)).collect()
});

/// Collections of what events happen to, such as "contracts" and "payoutRuns".
const COLLECTIONS: [&str; 13] = [
    "creators",
    "prospects",
    "contracts",
    "contractTemplates",
    "usageRights",
    "exclusivities",
    "campaigns",
    "participations",
    "trackingCodes",
    "conversions",
    "earnings",
    "ledgers",
    "payoutRuns",
];

/// What the proto files put before the uses of content.
pub(crate) const USAGE_KIND: &str = "USAGE_KIND_";

/// "partnerships/{brand}~{creator}".
pub(crate) fn partnership(text: &str) -> Result<String, String> {
    let parts = text.strip_prefix("partnerships/").and_then(|id| id.split_once('~'));
    let good = parts.is_some_and(|(brand, creator)| is_id(brand) && is_id(creator));
    good.then(|| text.to_owned())
        .ok_or_else(|| "write it as partnerships/{brand}~{creator}; `tandem partnership list` shows them".into())
}

/// "contracts/{contract}".
pub(crate) fn contract(text: &str) -> Result<String, String> {
    named("contracts", text, "; `tandem contracts list` shows them")
}

/// "creators/{creator}".
pub(crate) fn creator(text: &str) -> Result<String, String> {
    named("creators", text, "")
}

/// A name in a collection.
fn named(collection: &str, text: &str, more: &str) -> Result<String, String> {
    let id = text.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
    let singular = collection.trim_end_matches('s');
    id.filter(|id| is_id(id))
        .map(|_| text.to_owned())
        .ok_or_else(|| format!("write it as {collection}/{{{singular}}}{more}"))
}

/// Something that events happen to: "contracts/c1".
pub(crate) fn resource(text: &str) -> Result<String, String> {
    let good = text.split_once('/').is_some_and(|(collection, id)| {
        COLLECTIONS.contains(&collection) && !id.is_empty() && id.bytes().all(|byte| is_id_byte(byte) || byte == b'~')
    });
    let wrong = || format!("write it as contracts/c1; there are {}", COLLECTIONS.join(", "));
    good.then(|| text.to_owned()).ok_or_else(wrong)
}

/// "payoutRuns/{payout_run}/payouts/{creator}".
pub(crate) fn payout(text: &str) -> Result<String, String> {
    let parts = text.strip_prefix("payoutRuns/").and_then(|rest| rest.split_once("/payouts/"));
    let good = parts.is_some_and(|(run, creator)| is_id(run) && is_id(creator));
    good.then(|| text.to_owned()).ok_or_else(|| "write it as payoutRuns/{payout_run}/payouts/{creator}".into())
}

/// "participations/{participation}/deliverables/{deliverable}".
pub(crate) fn deliverable(text: &str) -> Result<String, String> {
    let parts = text.strip_prefix("participations/").and_then(|rest| rest.split_once("/deliverables/"));
    let good = parts.is_some_and(|(participation, deliverable)| is_id(participation) && is_id(deliverable));
    good.then(|| text.to_owned())
        .ok_or_else(|| "write it as participations/{participation}/deliverables/{deliverable}".into())
}

/// What content is used for: "paid-amplification", or as the proto files have it.
pub(crate) fn usage_kind(text: &str) -> Result<UsageKind, String> {
    let known = || (1..).map_while(|value| UsageKind::try_from(value).ok());
    let plain = text.trim_start_matches(USAGE_KIND).to_ascii_lowercase().replace('_', "-");
    known().find(|kind| spoken(kind.as_str_name(), USAGE_KIND) == plain).ok_or_else(|| {
        let all: Vec<_> = known().map(|kind| spoken(kind.as_str_name(), USAGE_KIND)).collect();
        format!("there is no such use; there are {}", all.join(", "))
    })
}

/// A value of an enum as people write it: "USAGE_KIND_AI_TRAINING" as "ai-training".
pub(crate) fn spoken(value: &str, prefix: &str) -> String {
    value.trim_start_matches(prefix).to_ascii_lowercase().replace('_', "-")
}

/// The full name of an event type, which may be given without its package.
pub(crate) fn event_type(text: &str) -> Result<String, String> {
    let found: Vec<_> = EVENT_TYPES.iter().filter(|known| *known == text || short(known) == text).collect();
    if let [known] = found[..] {
        return Ok(known.clone());
    }
    let package = text.rsplit_once('.').map_or("", |(package, _)| package);
    let near: Vec<&str> = EVENT_TYPES
        .iter()
        .filter(|known| known.rsplit_once('.').is_some_and(|(of, _)| of == package))
        .map(|known| short(known))
        .collect();
    match near[..] {
        [] => {
            let all: Vec<_> = EVENT_TYPES.iter().map(String::as_str).collect();
            Err(format!("there is no such event; there are:\n  {}", all.join("\n  ")))
        }
        _ => Err(format!("there is no such event; {package} has {}", near.join(", "))),
    }
}

/// An instant, "2026-03-31T12:00:00Z", or the end of a day in UTC, "2026-03-31".
pub(crate) fn as_of(text: &str) -> Result<Timestamp, String> {
    let end_of = |day: Date| day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().checked_sub(MOMENT).ok();
    let instant = text.parse::<Timestamp>().ok();
    // A day alone: jiff reads the date of a longer text as well.
    let day = || text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    instant
        .or_else(|| day().and_then(end_of))
        .ok_or_else(|| "write it as 2026-03-31T12:00:00Z, or as 2026-03-31 for the end of that day in UTC".into())
}

/// The least part of time that instants have.
const MOMENT: jiff::SignedDuration = jiff::SignedDuration::from_nanos(1);

/// Whether any method needs it; `*` and `contracts.*` stand for what begins so.
pub(crate) fn is_permission(text: &str) -> bool {
    match text.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => prefix.ends_with('.') && PERMISSIONS.iter().any(|known| known.starts_with(prefix)),
        None => PERMISSIONS.contains(text),
    }
}

/// The permissions of the service that this one names, or all.
pub(crate) fn permissions_like(text: &str) -> Vec<&'static str> {
    let service = text.split('.').next().unwrap_or(text);
    let of_service = |known: &&str| known.split('.').next() == Some(service);
    let all = || PERMISSIONS.iter().map(String::as_str);
    if all().any(|known| of_service(&known)) { all().filter(of_service).collect() } else { all().collect() }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_id_byte)
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

#[cfg(test)]
mod tests;
