//! What each clause grants for a publication, by itself.
//!
//! Invariant: a clause grants each kind once.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_money::dates::{DateError, date_from_proto, end_of_day};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{AiLikenessClause, Clause, Contract, Terms, UsageKind, UsageRightsClause};

use super::publications::Publication;
use super::window::clause_end;

/// Everywhere.
pub(super) const WORLD: &str = "WORLD";

/// What a clause grants, by itself.
pub(super) struct Grant<'a> {
    /// The clause.
    pub(super) clause_id: &'a str,
    /// What for.
    pub(super) kind: UsageKind,
    /// Until when.
    pub(super) end: Timestamp,
    /// Whether it ends with the contract, if that is terminated.
    pub(super) ends_with_contract: bool,
    /// Where; on all channels if empty.
    pub(super) channels: Vec<String>,
    /// Countries, or [`WORLD`].
    pub(super) territories: Vec<String>,
    /// Days ahead of the end on which it is announced.
    pub(super) warning_days: Vec<i32>,
}

/// What the clauses of a version of the terms grant for the publication.
pub(super) fn grants<'a>(
    contract: &Contract,
    terms: &'a Terms,
    publication: &Publication,
    zone: &TimeZone,
) -> Result<Vec<Grant<'a>>, DateError> {
    let mut grants = Vec::new();
    for Clause { clause_id, clause } in &terms.clauses {
        match clause {
            Some(Kind::UsageRights(clause)) => grants.push(agreed(clause_id, clause, publication, zone)?),
            Some(Kind::AiLikeness(clause)) => grants.extend(allowed(clause_id, clause, contract, terms, zone)?),
            _ => {}
        }
    }
    Ok(grants)
}

fn agreed<'a>(
    clause_id: &'a str,
    clause: &UsageRightsClause,
    publication: &Publication,
    zone: &TimeZone,
) -> Result<Grant<'a>, DateError> {
    Ok(Grant {
        clause_id,
        kind: clause.kind(),
        end: clause_end(clause, publication.publish_time, zone)?,
        ends_with_contract: clause.ends_with_contract,
        channels: clause.channels.clone(),
        territories: clause.territories.clone(),
        warning_days: clause.warning_days.clone(),
    })
}

fn allowed<'a>(
    clause_id: &'a str,
    clause: &AiLikenessClause,
    contract: &Contract,
    terms: &'a Terms,
    zone: &TimeZone,
) -> Result<Vec<Grant<'a>>, DateError> {
    let last_day = contract.end_date.or(terms.end_date).unwrap_or_default();
    let end = end_of_day(date_from_proto(&last_day)?, zone)?;
    let said = |kind: UsageKind| {
        terms
            .clauses
            .iter()
            .any(|other| matches!(&other.clause, Some(Kind::UsageRights(clause)) if clause.kind() == kind))
    };
    let allowed =
        [(clause.training_allowed, UsageKind::AiTraining), (clause.synthetic_likeness_allowed, UsageKind::Likeness)];
    let grants = allowed.into_iter().filter(|(allowed, kind)| *allowed && !said(*kind)).map(|(_, kind)| Grant {
        clause_id,
        kind,
        end,
        ends_with_contract: true,
        channels: Vec::new(),
        territories: vec![WORLD.to_owned()],
        warning_days: Vec::new(),
    });
    Ok(grants.collect())
}
