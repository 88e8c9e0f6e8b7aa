//! What applying a contract comes to: what is there is compared with what the file says.
//!
//! Invariant: deciding what to do writes nothing, and where nothing differs nothing is done.

use tandem_contracts::render::{FieldChange, terms_changes};
use tandem_contracts::terms;
use tandem_proto::contracts::v1::{AmendmentState, Contract, ContractState, Terms};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// There is no such contract: it is drafted.
    Create,
    /// It is as the file says, for this reason.
    Leave(String),
    /// The terms that are agreed are proposed to be changed.
    Amend {
        /// The state decided by.
        etag: String,
        /// What changes.
        changes: Vec<FieldChange>,
    },
    /// It can't become what the file says.
    Refuse {
        /// Why, and what to do.
        why: String,
        /// What would change.
        changes: Vec<FieldChange>,
    },
}

/// What it takes to have the contract as the file says. `amend` tells whether agreed terms may be proposed to be changed.
pub(super) fn plan(wanted: &Contract, there: Option<&Contract>, amend: bool) -> Step {
    let Some(there) = there else { return Step::Create };
    if let Some(why) = other_than_terms(wanted, there) {
        return Step::Refuse { why, changes: Vec::new() };
    }
    let empty = Terms::default();
    let (is, want) = (there.terms.as_ref().unwrap_or(&empty), wanted.terms.as_ref().unwrap_or(&empty));
    let (state, name) = (state(there), &there.name);
    if terms::hash(is) == terms::hash(want) {
        return Step::Leave(format!("it is {state} with these terms"));
    }
    let hash = terms::hash(want);
    let pending = there.amendments.iter().find(|of| of.state() == AmendmentState::Proposed && of.terms_hash == hash);
    if let Some(amendment) = pending {
        return Step::Leave(format!("amendment {} to these terms waits for an answer", amendment.number));
    }
    let changes = terms_changes(is, want);
    let refuse = |what_to_do: &str| Step::Refuse {
        why: format!("{name} is {state} with other terms. {what_to_do}"),
        changes: changes.clone(),
    };
    match there.state() {
        ContractState::Upcoming | ContractState::Active | ContractState::Suspended => {
            if amend {
                return Step::Amend { etag: there.etag.clone(), changes };
            }
            refuse("To propose an amendment, add --amend --effective YYYY-MM-DD --reason REASON")
        }
        ContractState::Draft => refuse(
            "A draft is never changed: give the new terms a contract_id of their own, or propose the draft, and the new \
             terms as a counter-offer (CounterContract)",
        ),
        ContractState::Proposed | ContractState::Countered => refuse(
            "Offer the new terms as a counter-offer (CounterContract) when it is your turn, or withdraw the contract and \
             give the new terms a contract_id of their own",
        ),
        ContractState::Accepted => refuse("They are agreed: sign them, and propose an amendment (--amend) after that"),
        ContractState::Unspecified
        | ContractState::Declined
        | ContractState::Withdrawn
        | ContractState::Lapsed
        | ContractState::Expired
        | ContractState::Terminated => refuse("It is over: give the new terms a contract_id of their own"),
    }
}

/// What differs besides the terms, none of which can ever be changed.
fn other_than_terms(wanted: &Contract, there: &Contract) -> Option<String> {
    let fields = [
        ("brand", &wanted.brand, &there.brand),
        ("creator", &wanted.creator, &there.creator),
        ("title", &wanted.title, &there.title),
        ("template", &wanted.template, &there.template),
    ];
    let (field, want, is) = fields.into_iter().find(|(_, want, is)| want != is)?;
    Some(format!(
        "{field} is {want:?} here, but that of {} is {is:?} and never changes: write it so, or give this contract a \
         contract_id of its own",
        there.name
    ))
}

/// Where it stands, as filters write it: "ACTIVE".
pub(super) fn state(contract: &Contract) -> &'static str {
    contract.state().as_str_name().trim_start_matches("CONTRACT_STATE_")
}

#[cfg(test)]
mod tests {
    use tandem_proto::contracts::v1::Amendment;

    use super::*;

    fn contract(currency: &str, state: ContractState) -> Contract {
        let terms = Terms { currency_code: currency.into(), ..Default::default() };
        Contract {
            name: "contracts/c".into(),
            title: "Summer".into(),
            state: state.into(),
            etag: "7".into(),
            terms: Some(terms),
            ..Default::default()
        }
    }

    fn refusal(step: Step) -> String {
        let Step::Refuse { why, .. } = step else { panic!("{step:?}") };
        why
    }

    #[test]
    fn what_is_not_there_is_created_and_what_is_the_same_is_left() {
        let wanted = contract("USD", ContractState::Unspecified);
        assert_eq!(plan(&wanted, None, false), Step::Create);
        for state in [ContractState::Draft, ContractState::Countered, ContractState::Active, ContractState::Terminated]
        {
            let there = contract("USD", state);
            assert!(matches!(plan(&wanted, Some(&there), true), Step::Leave(_)), "{state:?}");
        }
    }

    #[test]
    fn other_terms_need_an_amendment_a_counter_offer_or_another_contract() {
        let wanted = contract("EUR", ContractState::Unspecified);
        for (state, remedy) in [
            (ContractState::Draft, "A draft is never changed"),
            (ContractState::Proposed, "CounterContract"),
            (ContractState::Countered, "CounterContract"),
            (ContractState::Accepted, "sign them"),
            (ContractState::Upcoming, "--amend --effective"),
            (ContractState::Active, "--amend --effective"),
            (ContractState::Declined, "contract_id of their own"),
        ] {
            let why = refusal(plan(&wanted, Some(&contract("USD", state)), false));
            assert!(why.contains(remedy), "{state:?}: {why}");
        }
    }

    #[test]
    fn an_amendment_is_proposed_once() {
        let wanted = contract("EUR", ContractState::Unspecified);
        let mut there = contract("USD", ContractState::Active);
        let Step::Amend { etag, changes } = plan(&wanted, Some(&there), true) else { panic!() };
        assert_eq!((etag.as_str(), changes.len()), ("7", 1));
        assert_eq!((changes[0].before.as_str(), changes[0].after.as_str()), ("USD", "EUR"));
        let mut amendment =
            Amendment { number: 4, terms_hash: terms::hash(wanted.terms.as_ref().unwrap()), ..Default::default() };
        amendment.set_state(AmendmentState::Proposed);
        there.amendments.push(amendment);
        let Step::Leave(why) = plan(&wanted, Some(&there), true) else { panic!() };
        assert!(why.contains("amendment 4"), "{why}");
        there.amendments[0].set_state(AmendmentState::Declined);
        assert!(matches!(plan(&wanted, Some(&there), true), Step::Amend { .. }));
    }

    #[test]
    fn parties_and_title_never_change() {
        let wanted = Contract { title: "Winter".into(), ..contract("USD", ContractState::Unspecified) };
        let why = refusal(plan(&wanted, Some(&contract("USD", ContractState::Active)), true));
        assert!(why.contains("title is \"Winter\" here") && why.contains("\"Summer\""), "{why}");
    }
}
