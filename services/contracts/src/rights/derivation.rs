//! What a contract grants for a publication: each clause, in each version of the terms.
//!
//! * A usage-rights clause grants its kind from publication on, for its months or days.
//! * The clause on AI and likeness grants training and synthetic likeness where it allows them, on all channels, in the
//!   whole world, for as long as the contract runs; unless a usage-rights clause is of that kind, which says it better.
//! * At an instant that version applies that is [in force](crate::contract::in_force) by all that is known. It applies to what was
//!   published before it, too: an amendment that prolongs a clause prolongs its rights.
//! * A termination ends what ends with the contract. What is published after it is granted nothing.
//!
//! Invariant: of a clause and kind no two phases overlap.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_money::dates::{DateError, time_zone};
use tandem_proto::contracts::v1::{Contract, Terms, UsageKind};
use tandem_proto::time;

use super::grants::grants;
use super::publications::Publication;
use super::window::Window;

/// What a clause grants of a publication, over all versions of the terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Entitlement {
    /// The clause.
    pub clause_id: String,
    /// What for.
    pub kind: UsageKind,
    /// In the order of time, none empty; nothing if the clause never came to apply to the publication.
    pub phases: Vec<Phase>,
}

/// What a clause grants by one version of the terms, while that applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The version.
    pub version: i32,
    /// When.
    pub window: Window,
    /// What ends it.
    pub end: End,
    /// Where; on all channels if empty.
    pub channels: Vec<String>,
    /// Countries, or "WORLD".
    pub territories: Vec<String>,
    /// Days ahead of the end on which it is announced.
    pub warning_days: Vec<i32>,
    /// In which the days are counted.
    pub zone: TimeZone,
}

/// What ends a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What is agreed in the clause.
    Agreed,
    /// Another version of the terms, which may grant it further.
    Amended {
        /// That version.
        version: i32,
    },
    /// The end of the contract before its last day.
    Terminated,
}

/// What the contract grants for the publication; nothing unless it is signed. `ends` is when the contract ends before
/// its last day, if it does.
///
/// # Errors
/// If a day or time zone of the terms is none, which terms that were parsed don't have.
pub fn entitlements(
    contract: &Contract,
    publication: &Publication,
    ends: Option<Timestamp>,
) -> Result<Vec<Entitlement>, DateError> {
    let mut all: Vec<Entitlement> = Vec::new();
    for applicable in applicable(contract) {
        let zone = time_zone(&applicable.terms.time_zone)?;
        let published = Window { start: publication.publish_time, ..Window::ALL };
        for grant in grants(contract, applicable.terms, publication, &zone)? {
            let mut window = Window { end: grant.end, ..published };
            let mut end = End::Agreed;
            if let Some(ends) = ends
                && ends < window.end
                && (grant.ends_with_contract || publication.publish_time >= ends)
            {
                // What is published too late is left with an empty window.
                (window.end, end) = (ends, End::Terminated);
            }
            if applicable.window.end < window.end {
                end = End::Amended { version: applicable.next_version };
            }
            let window = window.within(applicable.window);
            let at = all.iter().position(|known| known.clause_id == grant.clause_id && known.kind == grant.kind);
            let at = at.unwrap_or_else(|| {
                let clause_id = grant.clause_id.to_owned();
                all.push(Entitlement { clause_id, kind: grant.kind, phases: Vec::new() });
                all.len() - 1
            });
            if !window.is_empty() {
                all[at].phases.push(Phase {
                    version: applicable.version,
                    window,
                    end,
                    channels: grant.channels,
                    territories: grant.territories,
                    warning_days: grant.warning_days,
                    zone: zone.clone(),
                });
            }
        }
    }
    Ok(all)
}

/// When the contract ends before its last day, if that is decided: in the past, or to come if notice was given.
#[must_use]
pub fn early_end(contract: &Contract) -> Option<Timestamp> {
    contract.termination.as_ref()?.effective_time.as_ref().and_then(time::from_proto)
}

/// A version of the terms, and when it applies.
struct Applicable<'a> {
    version: i32,
    terms: &'a Terms,
    window: Window,
    /// The version that applies after it, if there is one.
    next_version: i32,
}

/// The versions that ever apply, in the order of time.
fn applicable(contract: &Contract) -> Vec<Applicable<'_>> {
    let mut found = Vec::new();
    if contract.sign_time.is_none() {
        return found;
    }
    let (mut until, mut next_version) = (Timestamp::MAX, 0);
    for (back, agreed) in contract.versions.iter().rev().enumerate() {
        let terms = if back == 0 { contract.terms.as_ref() } else { agreed.terms.as_ref() };
        let start = agreed.effective_time.as_ref().and_then(time::from_proto).unwrap_or(Timestamp::MIN);
        let window = Window { start, end: until };
        // One that would begin when a later one applies already never does.
        let Some(terms) = terms.filter(|_| !window.is_empty()) else { continue };
        found.push(Applicable { version: agreed.version, terms, window, next_version });
        (until, next_version) = (start, agreed.version);
    }
    found.reverse();
    found
}
