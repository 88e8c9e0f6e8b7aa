//! What the register of rights has to hold of a publication.
//!
//! Invariant: it is told for every clause that was ever agreed, so what an amendment or a termination takes away is
//! revoked, and nothing is left behind.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_money::dates::DateError;
use tandem_proto::contracts::v1::{Contract, ContractState, UsageKind, UsageRight};
use tandem_proto::time;

use super::derivation::{End, Entitlement, Phase, early_end, entitlements};
use super::publications::Publication;
use crate::usage_right::Command;

/// An entry of the register, and what it has to be told.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The `{usage_right}` of its name.
    pub id: String,
    /// What it has to be told.
    pub command: Command,
}

/// The register's entries of a publication, as the contract has them at an instant. Of a contract that is to end after
/// notice they are as agreed, until it has ended.
///
/// # Errors
/// As [`entitlements`].
pub fn entries(contract: &Contract, publication: &Publication, now: Timestamp) -> Result<Vec<Entry>, DateError> {
    let ends = early_end(contract).filter(|_| contract.state() == ContractState::Terminated);
    let entry = |entitlement: &Entitlement| Entry {
        id: id(&contract.name, &entitlement.clause_id, entitlement.kind, &publication.deliverable),
        command: command(contract, publication, entitlement, now),
    };
    Ok(entitlements(contract, publication, ends)?.iter().map(entry).collect())
}

/// Made from what a right is of: it is the same whenever it is asked for. A clause may grant two kinds.
#[must_use]
pub fn id(contract: &str, clause_id: &str, kind: UsageKind, deliverable: &str) -> String {
    hex::encode(&Sha256::digest([contract, clause_id, kind.as_str_name(), deliverable].join(" "))[..16])
}

fn command(contract: &Contract, publication: &Publication, entitlement: &Entitlement, now: Timestamp) -> Command {
    let (Some(first), Some(last)) = (entitlement.phases.first(), entitlement.phases.last()) else {
        let clause_id = &entitlement.clause_id;
        return Command::Revoke { reason: format!("{} does not grant it by clause {clause_id:?}.", contract.name) };
    };
    let over = last.window.end <= now;
    match last.end {
        End::Amended { version } if over => {
            Command::Revoke { reason: format!("Version {version} of {} does not grant it any more.", contract.name) }
        }
        End::Terminated if over => Command::Revoke { reason: format!("{} was terminated.", contract.name) },
        _ => Command::Define(Box::new(right(contract, publication, entitlement, first, last))),
    }
}

fn right(
    contract: &Contract,
    publication: &Publication,
    entitlement: &Entitlement,
    first: &Phase,
    last: &Phase,
) -> UsageRight {
    UsageRight {
        contract: contract.name.clone(),
        contract_version: last.version,
        clause_id: entitlement.clause_id.clone(),
        brand: contract.brand.clone(),
        creator: contract.creator.clone(),
        participation: publication.participation.clone(),
        deliverable: publication.deliverable.clone(),
        kind: entitlement.kind.into(),
        channels: last.channels.clone(),
        territories: last.territories.clone(),
        start_time: Some(time::to_proto(first.window.start)),
        end_time: Some(time::to_proto(last.window.end)),
        warning_days: last.warning_days.clone(),
        time_zone: last.zone.iana_name().unwrap_or_default().to_owned(),
        ..UsageRight::default()
    }
}
