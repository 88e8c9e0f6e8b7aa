//! A contract that is drafted from a template.

use tandem_aggregate::testing::given;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::contracts::v1::contract_template_event::Event as TemplateEvent;

use super::{Action, Command, brand, counter, creator, draft, nothing, proposed};
use crate::contract::FromTemplate;
use crate::fixtures::{BRAND, terms_for};
use crate::template::ContractTemplate;

const TEMPLATE: &str = "contractTemplates/ambassadors";

/// For a fee of 100, of a brand.
fn template(of: &str) -> ContractTemplate {
    let clauses = terms_for(100).clauses;
    let published =
        pb::ContractTemplatePublished { brand: of.into(), title: "Ambassadors".into(), version: 1, clauses };
    let mut template: ContractTemplate = given([TemplateEvent::Published(published)]).state();
    template.0.name = TEMPLATE.into();
    template
}

/// Drafts for a fee from the newest version of a template.
fn from(template: ContractTemplate, fee: i64) -> Command {
    let Action::Draft(mut draft) = draft(fee) else { unreachable!() };
    draft.template = Some(FromTemplate { template, version: 0 });
    brand(Action::Draft(draft))
}

fn changed_fees(contract: &pb::Contract) -> Vec<(Option<&pb::Clause>, Option<&pb::Clause>)> {
    contract.deviations.iter().map(|deviation| (deviation.before.as_ref(), deviation.after.as_ref())).collect()
}

#[test]
fn a_draft_names_its_template_and_where_it_deviates() {
    let drafted = nothing().when(from(template(BRAND), 120)).happens().state().0;
    assert_eq!((&drafted.template[..], drafted.template_version), (TEMPLATE, 1));
    let (ours, theirs) = (terms_for(100).clauses, terms_for(120).clauses);
    assert_eq!(changed_fees(&drafted), [(Some(&ours[1]), Some(&theirs[1]))]);
}

#[test]
fn terms_as_in_the_template_deviate_nowhere() {
    let drafted = nothing().when(from(template(""), 100)).happens().state().0;
    assert_eq!((drafted.template_version, drafted.deviations), (1, vec![]));
}

#[test]
fn each_round_shows_its_own_deviations() {
    let offered = nothing().when(from(template(BRAND), 100)).happens().and(proposed(100));
    let countered = offered.when(creator(counter(150))).happens().state();
    let (ours, theirs) = (terms_for(100).clauses, terms_for(150).clauses);
    assert_eq!(changed_fees(&countered.0), [(Some(&ours[1]), Some(&theirs[1]))]);

    let offered = nothing().when(from(template(BRAND), 100)).happens().and(proposed(100));
    let back_again = offered.when(creator(counter(150))).happens().when(brand(counter(100))).happens();
    assert_eq!(back_again.state().0.deviations, []);
}

#[test]
fn a_contract_without_a_template_deviates_from_none() {
    let contract = nothing().when(brand(draft(100))).happens().and(proposed(100));
    let contract = contract.when(creator(counter(150))).happens().state().0;
    assert_eq!((&contract.template[..], contract.deviations), ("", vec![]));
}

#[test]
fn a_draft_needs_a_template_that_may_be_used() {
    nothing().when(from(template("brands/nordlys"), 100)).then_refused(ErrorReason::FieldInvalid);
    let mut retired = template(BRAND);
    retired.0.set_state(pb::ContractTemplateState::Retired);
    let refusal = nothing().when(from(retired, 100)).then_refused(ErrorReason::StateForbids);
    let message = "contractTemplates/ambassadors is RETIRED; draft from another template, or without one.";
    assert_eq!(refusal.message, message);
}

#[test]
fn what_was_drafted_before_its_template_was_retired_goes_on() {
    let drafted = nothing().when(from(template(BRAND), 100)).happens();
    drafted.when(brand(Action::Propose { expire_time: None })).then([Event::Proposed(pb::ContractProposed {
        terms_hash: crate::terms::hash(&terms_for(100)),
        ..Default::default()
    })]);
}
