//! The rules of a template, as given/when/then, and the law of deviations.

use proptest::prelude::*;
use tandem_aggregate::testing::{Given, given};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_template_event::Event;
use tandem_proto::validation::Path;

use super::{Command, ContractTemplate, deviations, deviations_after};
use crate::fixtures::{BRAND, clause, terms, terms_for};
use crate::terms::{Clauses, Terms};

fn publish(brand: &str, title: &str, fee: i64) -> Command {
    let clauses = Clauses::parse(terms_for(fee).clauses, &Path::Root).unwrap();
    Command::Publish { brand: brand.into(), title: title.into(), clauses }
}

fn published(version: i32, title: &str, fee: i64) -> Event {
    let (brand, title, clauses) = (BRAND.into(), title.into(), terms_for(fee).clauses);
    Event::Published(pb::ContractTemplatePublished { brand, title, version, clauses })
}

fn retired() -> Event {
    Event::Retired(pb::ContractTemplateRetired {})
}

fn nothing() -> Given<ContractTemplate> {
    given([])
}

fn a_template() -> Given<ContractTemplate> {
    given([published(1, "Ambassadors", 100)])
}

/// Its second version asks for another fee.
fn with_two_versions() -> ContractTemplate {
    a_template().at("2026-02-01T00:00:00Z").and(published(2, "Ambassadors", 200)).state()
}

#[test]
fn the_first_version_is_one() {
    nothing().when(publish(BRAND, "Ambassadors", 100)).then([published(1, "Ambassadors", 100)]);
}

#[test]
fn changed_clauses_or_another_title_make_a_further_version() {
    a_template().when(publish(BRAND, "Ambassadors", 200)).then([published(2, "Ambassadors", 200)]);
    a_template().when(publish(BRAND, "Friends", 100)).then([published(2, "Friends", 100)]);
}

#[test]
fn what_is_published_already_changes_nothing() {
    a_template().when(publish(BRAND, "Ambassadors", 100)).then([]);
}

#[test]
fn a_template_keeps_its_brand() {
    for other in ["brands/nordlys", ""] {
        let refusal = a_template().when(publish(other, "Ambassadors", 200)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "contract_template.brand");
        assert!(refusal.message.contains("publish another"), "{refusal}");
    }
}

#[test]
fn a_retired_template_has_no_further_versions() {
    let refusal = a_template().and(retired()).when(publish(BRAND, "Ambassadors", 200));
    let refusal = refusal.then_refused(ErrorReason::StateForbids);
    assert_eq!(refusal.message, "contractTemplates/test is RETIRED; publish the clauses under another id.");
}

#[test]
fn a_template_is_retired_once() {
    nothing().when(Command::Retire).then_refused(ErrorReason::ResourceNotFound);
    a_template().when(Command::Retire).then([retired()]).when(Command::Retire).then([]);
}

#[test]
fn versions_stay_as_they_were() {
    let template = with_two_versions();
    assert_eq!((template.0.version, &template.0.clauses), (2, &terms_for(200).clauses));
    let [first] = &template.0.earlier_versions[..] else { panic!("{template:?}") };
    assert_eq!((first.version, &first.clauses), (1, &terms_for(100).clauses));
    assert_eq!((first.publish_time, template.0.create_time), (template.0.create_time, first.publish_time));

    let shown = template.clone().at_version(1).unwrap();
    assert_eq!((shown.0.version, &shown.0.clauses), (1, &terms_for(100).clauses));
    assert_eq!(template.clone().at_version(0).unwrap(), template);
    let refusal = template.at_version(3).unwrap_err();
    assert!(refusal.message.contains("has versions 1 to 2: give one of them, or 0"), "{refusal}");
}

#[test]
fn a_contract_starts_from_the_newest_version_or_another() {
    let template = with_two_versions();
    assert_eq!(template.for_contract(BRAND, 0), Ok((2, &terms_for(200).clauses[..])));
    assert_eq!(template.for_contract(BRAND, 1), Ok((1, &terms_for(100).clauses[..])));
    let refusal = template.for_contract(BRAND, 9).unwrap_err();
    assert_eq!(refusal.violations[0].field, "contract.template_version");
}

#[test]
fn no_contract_starts_from_a_retired_template_in_any_version() {
    let template: ContractTemplate =
        given([published(1, "Ambassadors", 100), published(2, "Ambassadors", 200), retired()]).state();
    for version in [0, 1, 2] {
        assert_eq!(template.for_contract(BRAND, version).unwrap_err().reason, ErrorReason::StateForbids);
    }
}

#[test]
fn a_template_of_a_brand_is_for_that_brand_alone() {
    let refusal = with_two_versions().for_contract("brands/nordlys", 0).unwrap_err();
    assert_eq!((refusal.reason, &refusal.violations[0].field[..]), (ErrorReason::FieldInvalid, "contract.template"));
    assert!(refusal.message.contains("draft from a template of brands/nordlys"), "{refusal}");

    let for_all = nothing().when(publish("", "House rules", 100)).happens().state();
    assert!(for_all.for_contract("brands/nordlys", 0).is_ok());
}

#[test]
fn clauses_of_a_template_keep_the_rules_of_terms() {
    let mut clauses = terms().clauses;
    clauses[1].clause_id = clauses[0].clause_id.clone();
    clauses.push(clause("again", clauses[2].clause.clone().unwrap()));
    let wrong = Clauses::parse(clauses, &Path::Root.field("contract_template")).unwrap_err();
    let fields: Vec<_> = wrong.iter().map(|wrong| &wrong.field[..]).collect();
    assert_eq!(fields, ["contract_template.clauses[1].clause_id", "contract_template.clauses[12]"]);
}

#[test]
fn days_may_be_left_to_the_contract() {
    let mut clauses = terms().clauses;
    let Some(Kind::Deliverables(content)) = &mut clauses[0].clause else { panic!("{clauses:?}") };
    content.deliverables[0].due_date = None;
    assert!(Clauses::parse(clauses.clone(), &Path::Root).is_ok());
    let wrong = Terms::parse(pb::Terms { clauses, ..terms() }, &Path::Root).unwrap_err();
    assert_eq!(wrong[0].field, "clauses[0].deliverables.deliverables[0].due_date");
}

#[test]
fn a_deviation_shows_what_the_template_says() {
    let template = terms().clauses;
    let mut clauses = terms_for(5000).clauses;
    let (dropped, late) = (clauses.remove(3), clauses.remove(2));
    let added = clause("own", Kind::RevenueShare(pb::RevenueShareClause { share_basis_points: 100 }));
    clauses.push(added.clone());
    let found = deviations(&template, &clauses);
    let told: Vec<_> =
        found.iter().map(|found| (&found.clause_id[..], found.before.as_ref(), found.after.as_ref())).collect();
    assert_eq!(
        told,
        [
            ("fee", Some(&template[1]), Some(&clauses[1])),
            ("own", None, Some(&added)),
            ("commission", Some(&late), None),
            ("payment", Some(&dropped), None),
        ]
    );
}

#[test]
fn the_order_of_clauses_is_no_deviation() {
    let mut clauses = terms().clauses;
    clauses.reverse();
    assert_eq!(deviations(&terms().clauses, &clauses), []);
}

/// Terms with a share of six clauses, each in one of three wordings, in some order.
fn some_terms() -> impl Strategy<Value = pb::Terms> {
    let wording = prop::collection::btree_map(0_usize..6, 1_i32..=3, 0..6);
    wording.prop_flat_map(|wording| {
        let clauses: Vec<_> = wording
            .into_iter()
            .map(|(number, share)| {
                let kind = Kind::RevenueShare(pb::RevenueShareClause { share_basis_points: share });
                clause(["a", "b", "c", "d", "e", "f"][number], kind)
            })
            .collect();
        Just(clauses).prop_shuffle().prop_map(|clauses| pb::Terms { clauses, ..terms() })
    })
}

proptest! {
    #[test]
    fn deviations_do_not_depend_on_the_rounds_before(
        template in some_terms(),
        rounds in prop::collection::vec(some_terms(), 1..6),
    ) {
        let mut known = deviations(&template.clauses, &rounds[0].clauses);
        for pair in rounds.windows(2) {
            known = deviations_after(&pair[0], &known, &pair[1]);
            prop_assert_eq!(&known, &deviations(&template.clauses, &pair[1].clauses));
        }
    }
}
