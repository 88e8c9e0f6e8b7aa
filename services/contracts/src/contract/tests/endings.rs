//! What holds for the end of every contract, whatever both parties do and however late.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_aggregate::testing::envelope;
use tandem_aggregate::{Aggregate as _, Context};
use tandem_proto::EventSet as _;
use tandem_proto::contracts::v1::{Breach, ContractState as State, Suspension, TerminationKind, WorkProgress};
use tandem_proto::time;

use super::concluded::{SIGNED, concluded, rich};
use super::*;
use crate::contract::termination::Action as End;

/// Who does what, and how many hours after what was done before.
#[derive(Clone, Debug)]
struct Step {
    hours: i64,
    actor: &'static str,
    by: Party,
    action: Action,
}

fn any_step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        1 => Just(TerminationKind::Convenience),
        3 => Just(TerminationKind::Breach),
        3 => Just(TerminationKind::Morality),
    ];
    let reason = || "So be it.".to_owned();
    let end = prop_oneof![
        1 => Just(End::GiveRenewalNotice { reason: reason() }),
        3 => Just(End::NotifyBreach { clause_id: "content".into(), description: reason() }),
        1 => (1..3_i32).prop_map(|number| End::RecordCure { number }),
        2 => Just(End::Suspend { incident: reason() }),
        1 => Just(End::Reinstate { reason: reason() }),
        3 => kind.prop_map(move |kind| {
            End::Terminate { kind, reason: reason(), progress: WorkProgress::DraftSubmitted }
        }),
        2 => (5_i8..=9, 1_i8..=28).prop_map(move |(month, day)| {
            End::ProposeTermination { reason: reason(), end_date: jiff::civil::date(2026, month, day) }
        }),
        2 => Just(End::AcceptTermination),
        1 => Just(End::DeclineTermination { reason: reason() }),
    ];
    let action = prop_oneof![6 => end.prop_map(Action::End), 1 => Just(Action::ActOnDue)];
    let who = prop_oneof![
        Just(("users/ada", Party::Brand)),
        Just(("users/bob", Party::Brand)),
        Just(("services/watch", Party::Brand)),
        Just(("creators/zoe", Party::Creator)),
    ];
    (0..300_i64, who, action).prop_map(|(hours, (actor, by), action)| Step { hours, actor, by, action })
}

/// All events after the signature, with the contract before each and its time.
fn history(steps: &[Step]) -> (Vec<(Timestamp, pb::Contract, Event)>, pb::Contract) {
    let mut contract = concluded(&rich()).state();
    let mut time: Timestamp = SIGNED.parse().unwrap();
    let mut events = Vec::new();
    for step in steps {
        time += SignedDuration::from_hours(step.hours);
        let context = Context { time, actor: step.actor, resource: "contracts/test" };
        let command = Command { by: step.by, action: step.action.clone() };
        for event in contract.decide(&command, &context).unwrap_or_default() {
            events.push((time, contract.0.clone(), event.clone()));
            contract.evolve(&event, &envelope(event.type_name(), time, step.actor));
        }
    }
    (events, contract.0)
}

fn instant(time: &Option<prost_types::Timestamp>) -> Timestamp {
    time::from_proto(time.as_ref().unwrap()).unwrap()
}

/// What gave the right to end a contract like this, in the state before.
fn is_founded(before: &pb::Contract, end: &pb::Termination, now: Timestamp) -> bool {
    let noticed = || {
        before.termination.as_ref().is_some_and(|noticed| {
            let same = (noticed.kind, noticed.party, noticed.effective_time);
            same == (end.kind, end.party, end.effective_time) && instant(&end.effective_time) <= now
        })
    };
    match end.kind() {
        TerminationKind::Convenience | TerminationKind::Mutual => noticed(),
        TerminationKind::Breach => before.breaches.iter().any(|breach: &Breach| {
            breach.noticed_by == end.party && breach.cure_time.is_none() && instant(&breach.cure_deadline) <= now
        }),
        TerminationKind::Morality => before.suspension.as_ref().is_some_and(|suspension: &Suspension| {
            before.state() == State::Suspended
                && end.party() == Party::Brand
                && end.decided_by.starts_with("users/")
                && end.decided_by != suspension.suspended_by
        }),
        TerminationKind::Unspecified => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_contract_ends_without_what_gives_the_right_to(steps in proptest::collection::vec(any_step(), 0..30)) {
        let (events, last) = history(&steps);
        for (now, before, event) in &events {
            let over = matches!(before.state(), State::Terminated | State::Expired);
            prop_assert!(!over, "nothing follows the end: {event:?}");
            match event {
                Event::Terminated(event) => {
                    let end = event.termination.as_ref().unwrap();
                    prop_assert!(is_founded(before, end, *now), "{end:?}");
                    prop_assert!(!end.effects.is_empty());
                }
                Event::TerminationNoticed(event) => {
                    let end = event.termination.as_ref().unwrap();
                    prop_assert!(instant(&end.effective_time) > *now, "what is over needs no notice");
                    if end.kind() == TerminationKind::Mutual {
                        prop_assert!(before.proposed_termination.is_some());
                    }
                }
                Event::Reinstated(_) => prop_assert_eq!(before.state(), State::Suspended),
                _ => {}
            }
        }
        prop_assert_eq!(last.suspension.is_some(), last.state() == State::Suspended);
        let terminated = events.iter().filter(|(_, _, event)| matches!(event, Event::Terminated(_))).count();
        prop_assert_eq!(usize::from(last.state() == State::Terminated), terminated);
    }
}

/// The steps of the property come to every end, so that it says something.
#[test]
fn contracts_come_to_every_end() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = proptest::collection::vec(any_step(), 30);
    let mut ends = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let (_, contract) = history(&steps.new_tree(&mut runner).unwrap().current());
        ends.insert((contract.state(), contract.termination.map_or(0, |end| end.kind)));
    }
    let terminated = ends.iter().filter(|(state, _)| *state == State::Terminated).count();
    assert_eq!(terminated, 4, "{ends:?}");
    assert!(ends.iter().any(|(state, _)| *state == State::Expired), "{ends:?}");
}
