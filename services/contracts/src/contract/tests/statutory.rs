//! What the law asks for besides, recorded with the terms that miss it.

use tandem_aggregate::testing::Given;
use tandem_aggregate::{Aggregate as _, Context};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::validation::Path;

use super::{Action, Command, Contract, brand, creator, draft, nothing};
use crate::fixtures::{clause, terms_for};
use crate::terms::Terms;

const MISSED: &str = "us-ny-fifa-payment-date";

/// For USD 1,000 under the law of New York, with or without a clause on when it is paid.
fn in_new_york(dated: bool) -> Terms {
    let mut terms = terms_for(1000);
    terms.clauses.retain(|clause| dated || !matches!(clause.clause, Some(Kind::PaymentTerms(_))));
    let (country_code, subdivision_code) = ("US".into(), "US-NY".into());
    terms.clauses.push(clause("law", Kind::GoverningLaw(pb::GoverningLawClause { country_code, subdivision_code })));
    Terms::parse(terms, &Path::Root).unwrap()
}

fn drafting(terms: Terms) -> Command {
    let Action::Draft(draft) = draft(1000) else { unreachable!() };
    brand(Action::Draft(super::Draft { terms, ..draft }))
}

fn offered(terms: Terms, at: &str) -> Given<Contract> {
    let drafted = nothing().at(at).when(drafting(terms)).happens();
    drafted.when(brand(Action::Propose { expire_time: None })).happens()
}

fn rules(contract: &Contract) -> Vec<&str> {
    contract.0.statutory_findings.iter().map(|finding| &finding.rule[..]).collect()
}

#[test]
fn a_draft_is_flagged_with_the_rule_that_it_misses() {
    let flagged = nothing().when(drafting(in_new_york(false))).happens().state();
    assert_eq!(rules(&flagged), [MISSED]);
    assert!(flagged.0.statutory_findings[0].source.contains("art. 44-A"));
    assert_eq!(rules(&nothing().when(drafting(in_new_york(true))).happens().state()), [""; 0]);
}

#[test]
fn a_counter_offer_is_measured_by_its_own_terms() {
    let counter = |terms| creator(Action::Counter { terms, expire_time: None });
    let mended = offered(in_new_york(false), "2026-01-01T00:00:00Z").when(counter(in_new_york(true))).happens();
    assert_eq!(rules(&mended.state()), [""; 0]);
    let broken = offered(in_new_york(true), "2026-01-01T00:00:00Z").when(counter(in_new_york(false))).happens();
    assert_eq!(rules(&broken.state()), [MISSED]);
}

#[test]
fn agreeing_is_one_event_while_the_rules_are_the_same() {
    let offer = offered(in_new_york(false), "2026-01-01T00:00:00Z");
    let [Event::Accepted(_)] = &accepted(offer.state(), "2026-02-01T00:00:00Z")[..] else { panic!() };
}

#[test]
fn terms_that_a_rule_begins_for_before_they_are_agreed_are_checked_again() {
    // The law came into force on 28 August 2024; in New York it is still the day before at 03:00 UTC.
    let offer = offered(in_new_york(false), "2024-08-01T12:00:00Z").state();
    assert_eq!(rules(&offer), [""; 0]);
    let [Event::Accepted(_)] = &accepted(offer.clone(), "2024-08-28T03:00:00Z")[..] else { panic!() };
    let events = accepted(offer, "2024-08-28T05:00:00Z");
    let [Event::Accepted(_), Event::StatutoryChecked(checked)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(checked.findings[0].rule, MISSED);

    let offer = offered(in_new_york(false), "2024-08-01T12:00:00Z").at("2024-08-28T05:00:00Z");
    let agreed = offer.when(creator(Action::Accept)).happens().state();
    assert_eq!(rules(&agreed), [MISSED]);
}

/// What the creator's acceptance comes to at an instant.
fn accepted(offer: Contract, at: &str) -> Vec<Event> {
    let context = Context { time: at.parse().unwrap(), actor: "creators/zoe", resource: "contracts/test" };
    offer.decide(&creator(Action::Accept), &context).unwrap()
}
