//! What holds for every sequence of commands, however absurd.

use proptest::prelude::*;
use tandem_aggregate::testing::envelope;
use tandem_aggregate::{Aggregate as _, Context};
use tandem_proto::EventSet as _;
use tandem_proto::contracts::v1::ContractState as State;

use super::*;

/// Few fees, so that terms are offered again, and signed by a wrong or an outdated hash.
fn any_command() -> impl Strategy<Value = Command> {
    let fee = || 1_i64..4;
    let action = prop_oneof![
        1 => fee().prop_map(draft),
        2 => Just(Action::Propose { expire_time: None }),
        4 => fee().prop_map(counter),
        3 => Just(Action::Accept),
        1 => Just(decline()),
        1 => Just(withdraw()),
        6 => fee().prop_map(sign),
    ];
    let by = prop_oneof![Just(Party::Brand), Just(Party::Creator)];
    (by, action).prop_map(|(by, action)| Command { by, action })
}

/// Takes the commands one after another; what is refused changes nothing.
fn history(commands: &[Command]) -> (Contract, Vec<Event>) {
    let mut contract = Contract::default();
    let mut events = Vec::new();
    for (second, command) in (0..).zip(commands) {
        let time = jiff::Timestamp::from_second(second).unwrap();
        let context = Context { time, actor: "users/someone", resource: "contracts/test" };
        let Ok(decided) = contract.decide(command, &context) else { continue };
        let before = contract.clone();
        for event in decided {
            contract.evolve(&event, &envelope(event.type_name(), time, context.actor));
            events.push(event);
        }
        assert_one_step(&before.0, &contract.0);
    }
    (contract, events)
}

/// The terms of a round.
fn offer(contract: &pb::Contract, number: i32) -> pb::Terms {
    Contract(contract.clone()).at_round(number).unwrap().0.terms.unwrap()
}

/// What every event keeps.
fn assert_one_step(before: &pb::Contract, after: &pb::Contract) {
    assert_eq!(after.terms_hash, hash(after.terms.as_ref().unwrap()));
    assert_eq!(after.rounds.len(), usize::try_from(after.round).unwrap());
    let offers =
        |contract: &pb::Contract| (1..=contract.round).map(|number| offer(contract, number)).collect::<Vec<_>>();
    assert!(offers(after).starts_with(&offers(before)), "what was offered stays as it was");
    for (number, round) in (1..).zip(&after.rounds) {
        assert_eq!(round.number, number);
        assert_eq!(round.terms.is_none(), number == after.round, "terms are told once");
        assert_eq!(round.terms_hash, hash(&offer(after, number)));
        let offered_by = if number % 2 == 1 { Party::Brand } else { Party::Creator };
        assert_eq!(round.offered_by(), offered_by, "offers alternate");
        assert_eq!(round.changes.is_empty(), number == 1, "every counter changes something");
    }
    if before.state() == State::Accepted {
        assert_eq!((&before.terms, before.round), (&after.terms, after.round), "what is agreed is fixed");
    }
    let ended = [State::Upcoming, State::Declined, State::Withdrawn];
    assert!(!ended.contains(&before.state()), "nothing follows the end");
    assert!(after.signatures.iter().all(|signature| signature.terms_hash == after.terms_hash));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_is_signed_that_was_not_agreed(commands in proptest::collection::vec(any_command(), 0..40)) {
        let (contract, events) = history(&commands);
        let contract = contract.0;
        // Told by the events alone.
        let (mut offer, mut agreed, mut signed) = (None, None, Vec::new());
        let mut concluded = false;
        for event in events {
            match event {
                Event::Drafted(_) => {}
                Event::Proposed(event) => offer = Some((Party::Brand, event.terms_hash)),
                Event::Countered(event) => offer = Some((event.offered_by(), event.terms_hash)),
                Event::Accepted(event) => {
                    let (by, terms_hash) = offer.clone().expect("an offer came before");
                    prop_assert_ne!(by, event.accepted_by());
                    prop_assert_eq!(&terms_hash, &event.terms_hash);
                    agreed = Some(terms_hash);
                }
                Event::Declined(_) | Event::Withdrawn(_) => prop_assert_eq!(&agreed, &None),
                Event::SignatureAdded(event) => signed.extend(event.signature),
                Event::Signed(event) => {
                    signed.extend(event.signature);
                    concluded = true;
                }
                _ => {}
            }
        }
        prop_assert_eq!(contract.state() == State::Upcoming, concluded);
        if concluded {
            let agreed = agreed.expect("an acceptance came before");
            prop_assert!(signed.iter().all(|signature| signature.terms_hash == agreed));
            let mut parties: Vec<_> = signed.iter().map(pb::Signature::party).collect();
            parties.sort();
            prop_assert_eq!(parties, [Party::Brand, Party::Creator]);
        }
    }
}

/// The commands of the property reach the end, so that it says something.
#[test]
fn sequences_come_to_every_end() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let commands = proptest::collection::vec(any_command(), 40);
    let mut ends = std::collections::BTreeSet::new();
    for _ in 0..2000 {
        let (contract, _) = history(&commands.new_tree(&mut runner).unwrap().current());
        ends.insert(contract.0.state());
    }
    assert!([State::Upcoming, State::Declined, State::Withdrawn].iter().all(|end| ends.contains(end)), "{ends:?}");
}
