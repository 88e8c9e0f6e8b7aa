//! The template that a contract was drafted from, and where its terms deviate from it.
//!
//! Invariant: the deviations are those of the contract's terms as they are, in every round and version.

use tandem_aggregate::Refusal;
use tandem_proto::contracts::v1 as pb;

use super::FromTemplate;
use crate::template::{deviations, deviations_after};

/// Puts into a draft what it owes to its template.
pub(super) fn draft_from(from: &FromTemplate, drafted: &mut pb::ContractDrafted) -> Result<(), Refusal> {
    let (version, clauses) = from.template.for_contract(&drafted.brand, from.version)?;
    drafted.template.clone_from(&from.template.0.name);
    drafted.template_version = version;
    drafted.deviations = deviations(clauses, drafted.terms.as_ref().map_or(&[], |terms| &terms.clauses));
    Ok(())
}

/// Follows the contract's terms, which have taken the place of those before.
pub(super) fn follow(contract: &mut pb::Contract, before: Option<&pb::Terms>) {
    if let (false, Some(before), Some(terms)) = (contract.template.is_empty(), before, &contract.terms) {
        contract.deviations = deviations_after(before, &contract.deviations, terms);
    }
}
