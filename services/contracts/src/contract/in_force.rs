//! Terms in force: which version applied at an instant, as known at an instant.
//!
//! Invariant: of a signed contract one version applies at every instant; what is agreed later changes no answer about
//! what was known before.

use jiff::Timestamp;
use tandem_proto::contracts::v1::{Contract, Terms, TermsVersion};
use tandem_proto::time;

/// A version that applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InForce<'a> {
    /// What was agreed.
    pub terms: &'a Terms,
    /// As which version, from when on, and when.
    pub version: &'a TermsVersion,
}

/// The version that applied `as_of` an instant by what was known at another: of those agreed by `known_at` the last
/// agreed that was in effect. The first one applies from the beginning.
///
/// None if the contract was not signed by `known_at`.
#[must_use]
pub fn in_force(contract: &Contract, as_of: Timestamp, known_at: Timestamp) -> Option<InForce<'_>> {
    let by = |instant: &Option<prost_types::Timestamp>, limit| {
        instant.as_ref().and_then(time::from_proto).is_some_and(|instant| instant <= limit)
    };
    if !by(&contract.sign_time, known_at) {
        return None;
    }
    // The first is known since the signature, whenever its terms were agreed.
    let version = contract.versions.iter().enumerate().rev().find_map(|(index, version)| {
        let applies = index == 0 || by(&version.agree_time, known_at) && by(&version.effective_time, as_of);
        applies.then_some(version)
    })?;
    let terms = version.terms.as_ref().or(contract.terms.as_ref())?;
    Some(InForce { terms, version })
}

/// The terms that apply now by all that is known: those that a party's rights are judged by.
pub(super) fn now(contract: &Contract, now: Timestamp) -> Option<&Terms> {
    in_force(contract, now, Timestamp::MAX).map(|in_force| in_force.terms)
}
