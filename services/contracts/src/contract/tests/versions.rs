//! Which terms applied when, as known when.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use tandem_aggregate::testing::envelope;
use tandem_aggregate::{Aggregate as _, Context};
use tandem_proto::EventSet as _;

use super::concluded::{SIGNED, concluded, rich, taken};
use super::*;
use crate::contract::amendment::Action as Amend;
use crate::contract::in_force::in_force;
use crate::fixtures::changeable_terms_for;

/// The rich terms for another fee.
fn fee_of(units: i64) -> pb::Terms {
    changeable_terms_for(units)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// 5000 from 1 July on, agreed on 10 June; then 6000 from 1 June on, agreed on 20 July.
fn amended() -> pb::Contract {
    let agree = |given: Given<Contract>, at: &str, number: i32, units: i64, effective_date| {
        let (terms, reason) = (taken(&fee_of(units)), "More.".to_owned());
        let propose = Action::Amend(Amend::Propose { terms, effective_date, reason });
        let accept = Action::Amend(Amend::Accept { number, terms_hash: hash(&fee_of(units)) });
        given.at(at).when(brand(propose)).happens().when(creator(accept)).happens()
    };
    let one = agree(concluded(&rich()), "2026-06-10T12:00:00Z", 1, 5000, date(2026, 7, 1));
    agree(one, "2026-07-20T12:00:00Z", 2, 6000, date(2026, 6, 1)).state().0
}

/// The version at an instant as known at another.
fn version(contract: &pb::Contract, as_of: &str, known_at: &str) -> Option<i32> {
    let applied = in_force(contract, instant(as_of), instant(known_at))?;
    assert_eq!(applied.version.terms_hash, hash(applied.terms));
    Some(applied.version.version)
}

#[test]
fn a_version_applies_from_its_first_day_on() {
    let contract = amended();
    let known = "2026-07-01T12:00:00Z";
    // The first instant of 1 July in New York.
    assert_eq!(version(&contract, "2026-07-01T03:59:59Z", known), Some(1));
    assert_eq!(version(&contract, "2026-07-01T04:00:00Z", known), Some(2));
}

#[test]
fn the_first_applies_from_the_beginning() {
    let contract = amended();
    for as_of in ["1970-01-01T00:00:00Z", SIGNED, "2026-05-31T12:00:00Z"] {
        assert_eq!(version(&contract, as_of, "2030-01-01T00:00:00Z"), Some(1));
    }
}

#[test]
fn what_was_not_known_does_not_count() {
    let contract = amended();
    // Before 10 June nobody knew that July would be different.
    assert_eq!(version(&contract, "2026-07-15T12:00:00Z", "2026-06-10T11:59:59Z"), Some(1));
    assert_eq!(version(&contract, "2026-07-15T12:00:00Z", "2026-06-10T12:00:00Z"), Some(2));
    // The back-dated version changes June only for who knows of it.
    assert_eq!(version(&contract, "2026-06-15T12:00:00Z", "2026-07-20T11:59:59Z"), Some(1));
    assert_eq!(version(&contract, "2026-06-15T12:00:00Z", "2026-07-20T12:00:00Z"), Some(3));
    assert_eq!(version(&contract, "2026-07-15T12:00:00Z", "2026-07-20T12:00:00Z"), Some(3));
}

#[test]
fn nothing_is_in_force_before_the_signature() {
    let contract = amended();
    assert_eq!(version(&contract, "2026-07-15T12:00:00Z", "2026-05-02T09:59:59Z"), None);
    assert_eq!(version(&contract, "2026-07-15T12:00:00Z", SIGNED), Some(1));
    let agreed = an_agreement().state().0;
    assert_eq!(version(&agreed, "2026-07-15T12:00:00Z", "2030-01-01T00:00:00Z"), None);
}

/// What a party does with an amendment.
#[derive(Clone, Debug)]
enum Step {
    Propose(i64, Date),
    Replace(i64, Date),
    /// So many before the newest.
    Accept(usize),
    Decline(usize),
    Withdraw(usize),
}

impl Step {
    fn action(&self, contract: &pb::Contract) -> Amend {
        let (reason, terms) = ("More.".to_owned(), |fee| taken(&fee_of(fee)));
        let of = |back: usize| contract.amendments.iter().rev().nth(back).cloned().unwrap_or_default();
        match *self {
            Self::Propose(fee, effective_date) => Amend::Propose { terms: terms(fee), effective_date, reason },
            Self::Replace(fee, effective_date) => Amend::Replace { terms: terms(fee), effective_date, reason },
            Self::Accept(back) => Amend::Accept { number: of(back).number, terms_hash: of(back).terms_hash },
            Self::Decline(back) => Amend::Decline { number: of(back).number, reason },
            Self::Withdraw(back) => Amend::Withdraw { number: of(back).number },
        }
    }
}

/// In any order, by anyone.
fn any_step() -> impl Strategy<Value = (Party, Step)> {
    let back = || 0..3_usize;
    let fee_and_day = || (1_i64..4, (1_i8..=27, 5_i8..=8).prop_map(|(day, month)| date(2026, month, day)));
    let step = prop_oneof![
        3 => fee_and_day().prop_map(|(fee, day)| Step::Propose(fee, day)),
        4 => back().prop_map(Step::Accept),
        1 => back().prop_map(Step::Decline),
        1 => back().prop_map(Step::Withdraw),
        1 => fee_and_day().prop_map(|(fee, day)| Step::Replace(fee, day)),
    ];
    (prop_oneof![Just(Party::Brand), Just(Party::Creator)], step)
}

/// The contract after each step, with its time: an hour lies between steps.
fn history(steps: &[(Party, Step)]) -> Vec<(Timestamp, pb::Contract)> {
    let signed = instant(SIGNED);
    let mut contract = concluded(&rich()).state();
    let mut states = vec![(signed, contract.0.clone())];
    for (hour, (by, step)) in (1..).zip(steps) {
        let command = Command { by: *by, action: Action::Amend(step.action(&contract.0)) };
        let time = signed + jiff::SignedDuration::from_hours(hour);
        let context = Context { time, actor: "users/someone", resource: "contracts/test" };
        for event in contract.decide(&command, &context).unwrap_or_default() {
            contract.evolve(&event, &envelope(event.type_name(), time, context.actor));
        }
        states.push((time, contract.0.clone()));
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn versions_follow_each_other(steps in proptest::collection::vec(any_step(), 0..30)) {
        for (_, contract) in history(&steps) {
            let numbers: Vec<_> = contract.versions.iter().map(|version| version.version).collect();
            prop_assert_eq!(numbers, (1..=contract.version).collect::<Vec<_>>());
            let hashes: Vec<_> = contract.versions.iter().map(|version| &version.terms_hash).collect();
            prop_assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]), "every version changes something");
            let told: Vec<_> = contract.versions.iter().map(|version| version.terms.is_some()).collect();
            prop_assert!(told.iter().rev().skip(1).all(|told| *told) && told.last() == Some(&false), "told once");
            prop_assert_eq!(&contract.terms_hash, &hash(contract.terms.as_ref().unwrap()));
            // A version is an amendment that came into force, and the other way round.
            let in_force = contract.amendments.iter().filter(|amendment| matches!(
                amendment.state(), pb::AmendmentState::Accepted | pb::AmendmentState::Replaced
            ));
            prop_assert_eq!(in_force.count() + 1, contract.versions.len());
        }
    }

    #[test]
    fn what_was_known_is_not_changed_by_what_follows(
        steps in proptest::collection::vec(any_step(), 0..30),
        hour in 0_i64..4000,
    ) {
        let as_of = instant("2026-05-01T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let states = history(&steps);
        let last = &states.last().unwrap().1;
        for (known_at, contract) in &states {
            let then = in_force(contract, as_of, *known_at);
            let now = in_force(last, as_of, *known_at);
            prop_assert!(then.is_some(), "one version applies at every instant");
            let told = |applied: Option<crate::contract::in_force::InForce<'_>>| {
                applied.map(|applied| (applied.version.version, applied.terms.clone()))
            };
            prop_assert_eq!(told(then), told(now));
        }
    }
}

/// The steps of the properties come to several versions, so that they say something.
#[test]
fn steps_come_to_several_versions() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = proptest::collection::vec(any_step(), 30);
    let most = (0..30).map(|_| {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        history(&steps).last().unwrap().1.version
    });
    assert!(most.max() > Some(3));
}
