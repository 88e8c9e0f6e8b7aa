//! What holds for every sequence of commands over time, however absurd.

use jiff::SignedDuration;
use jiff::civil;
use proptest::prelude::*;
use tandem_aggregate::testing::envelope;
use tandem_proto::EventSet as _;
use tandem_proto::contracts::v1::{TerminationKind, WorkProgress};

use super::concluded::taken;
use super::*;
use crate::contract::amendment::Action as Amend;
use crate::contract::termination::Action as End;
use crate::fixtures::changeable_terms_for;

/// Shortly before the first day of the fixtures' terms, which renew themselves every three months.
const BEGIN: &str = "2026-05-01T00:00:00Z";

/// A command, and how much later than the one before.
type Step = (Command, SignedDuration);

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn terms_of(fee: i64) -> Terms {
    taken(&changeable_terms_for(fee))
}

fn draft(fee: i64) -> Action {
    let (brand, creator, title) = (BRAND.into(), CREATOR.into(), "Summer".to_owned());
    Action::Draft(Draft { brand, creator, title, terms: terms_of(fee), template: None })
}

fn sign(fee: i64) -> Action {
    let Action::Sign(consent) = super::sign(fee) else { unreachable!() };
    Action::Sign(Consent { terms_hash: terms_of(fee).hash().to_owned(), ..consent })
}

/// Few fees, so that terms are offered again and signed by a wrong or an outdated hash.
fn fee() -> impl Strategy<Value = i64> {
    1_i64..4
}

fn day() -> impl Strategy<Value = civil::Date> {
    (0..500).prop_map(|later| civil::date(2026, 5, 1) + jiff::Span::new().days(later))
}

/// What is asked about signed terms.
fn amend() -> impl Strategy<Value = Action> {
    let reason = String::new;
    prop_oneof![
        (fee(), day()).prop_map(move |(fee, effective_date)| Amend::Propose {
            terms: terms_of(fee),
            effective_date,
            reason: reason(),
        }),
        (1..4, fee()).prop_map(|(number, fee)| Amend::Accept { number, terms_hash: terms_of(fee).hash().to_owned() }),
        (1..4).prop_map(move |number| Amend::Decline { number, reason: reason() }),
        (1..4).prop_map(|number| Amend::Withdraw { number }),
        day().prop_map(move |effective_date| {
            let mut terms = changeable_terms_for(1);
            for clause in &mut terms.clauses {
                if let Some(Kind::Disclosure(disclosure)) = &mut clause.clause {
                    disclosure.brand_tag = "@other".into();
                }
            }
            Amend::Replace { terms: taken(&terms), effective_date, reason: reason() }
        }),
    ]
    .prop_map(Action::Amend)
}

/// What is asked about the end.
fn end() -> impl Strategy<Value = Action> {
    let reason = String::new();
    let terminate = prop::sample::select(vec![
        TerminationKind::Convenience,
        TerminationKind::Breach,
        TerminationKind::Morality,
        TerminationKind::Mutual,
    ])
    .prop_map(|kind| End::Terminate { kind, reason: String::new(), progress: WorkProgress::Signed });
    prop_oneof![
        2 => Just(End::GiveRenewalNotice { reason: reason.clone() }),
        1 => Just(End::NotifyBreach { clause_id: "fee".into(), description: String::new() }),
        1 => (1..3).prop_map(|number| End::RecordCure { number }),
        1 => Just(End::Suspend { incident: String::new() }),
        1 => Just(End::Reinstate { reason: reason.clone() }),
        2 => terminate,
        1 => day().prop_map(|end_date| End::ProposeTermination { reason: String::new(), end_date }),
        1 => Just(End::AcceptTermination),
        1 => Just(End::DeclineTermination { reason }),
    ]
    .prop_map(Action::End)
}

fn any_step() -> impl Strategy<Value = Step> {
    let expire_time = || proptest::option::weighted(0.6, (0_i64..60).prop_map(|later| instant(BEGIN) + days(later)));
    let action = prop_oneof![
        1 => fee().prop_map(draft),
        4 => amend(),
        4 => end(),
        2 => expire_time().prop_map(|expire_time| Action::Propose { expire_time }),
        4 => (fee(), expire_time())
            .prop_map(|(fee, expire_time)| Action::Counter { terms: terms_of(fee), expire_time }),
        3 => Just(Action::Accept),
        1 => Just(decline()),
        1 => Just(withdraw()),
        6 => fee().prop_map(sign),
        1 => (0_i32..3).prop_map(|number| Action::Attach(pb::Document { sha256: number.to_string(), ..Default::default() })),
        1 => Just(Action::ActOnDue),
    ];
    let by = prop_oneof![Just(Party::Brand), Just(Party::Creator)];
    let pause = prop_oneof![
        20 => Just(SignedDuration::ZERO),
        20 => Just(SignedDuration::from_secs(1)),
        5 => Just(days(1)),
        2 => Just(days(45)),
        1 => Just(days(500)),
    ];
    (by, action, pause).prop_map(|(by, action, pause)| (Command { by, action }, pause))
}

/// Half of them begin with a signed contract, to go further.
fn steps(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<Step>> {
    let signed = [
        brand(draft(1)),
        brand(Action::Propose { expire_time: None }),
        creator(Action::Accept),
        creator(sign(1)),
        brand(sign(1)),
    ];
    let signed: Vec<Step> = signed.into_iter().map(|command| (command, SignedDuration::ZERO)).collect();
    (prop_oneof![Just(signed), Just(Vec::new())], proptest::collection::vec(any_step(), length))
        .prop_map(|(beginning, rest)| [beginning, rest].concat())
}

/// Takes the commands one after another; what is refused changes nothing. The contract, its events, and when it ended.
fn history(steps: &[Step]) -> (Contract, Vec<Event>, Timestamp) {
    let mut contract = Contract::default();
    let mut events = Vec::new();
    let mut now = instant(BEGIN);
    for (command, pause) in steps {
        now += *pause;
        let context = Context { time: now, actor: "users/someone", resource: "contracts/test" };
        for event in contract.decide(command, &context).unwrap_or_default() {
            let before = contract.clone();
            contract.evolve(&event, &envelope(event.type_name(), now, context.actor));
            assert!(predecessors(&event).contains(&before.0.state()), "{event:?} after {:?}", before.0.state());
            assert_one_step(&before.0, &contract.0);
            events.push(event);
        }
        assert_acts_when_due(&contract, now);
    }
    (contract, events, now)
}

const IN_FORCE: &[State] = &[State::Upcoming, State::Active, State::Suspended];

/// The states in which an event can come.
fn predecessors(event: &Event) -> &'static [State] {
    match event {
        Event::Drafted(_) => &[State::Unspecified],
        Event::Proposed(_) => &[State::Draft],
        Event::Countered(_) | Event::Accepted(_) | Event::Declined(_) | Event::Withdrawn(_) | Event::Lapsed(_) => {
            &[State::Proposed, State::Countered]
        }
        Event::SignatureAdded(_) | Event::Signed(_) => &[State::Accepted],
        Event::Started(_) => &[State::Upcoming],
        Event::Renewed(_) | Event::Expired(_) => &[State::Active, State::Suspended],
        Event::Suspended(_) => &[State::Upcoming, State::Active],
        Event::Reinstated(_) => &[State::Suspended],
        Event::DeadlineWarned(_)
        | Event::AmendmentProposed(_)
        | Event::AmendmentAccepted(_)
        | Event::AmendmentDeclined(_)
        | Event::AmendmentWithdrawn(_)
        | Event::TermsReplaced(_)
        | Event::RenewalNoticeGiven(_)
        | Event::BreachNoticed(_)
        | Event::BreachCured(_)
        | Event::TerminationNoticed(_)
        | Event::TerminationProposed(_)
        | Event::TerminationDeclined(_)
        | Event::Terminated(_) => IN_FORCE,
        Event::DocumentAttached(_) | Event::StatutoryChecked(_) => &[
            State::Draft,
            State::Proposed,
            State::Countered,
            State::Accepted,
            State::Upcoming,
            State::Active,
            State::Suspended,
        ],
    }
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
        let newest = number == after.round && after.versions.len() < 2;
        assert_eq!(round.terms.is_none(), newest, "terms are told once");
        assert_eq!(round.terms_hash, hash(&offer(after, number)));
        let offered_by = if number % 2 == 1 { Party::Brand } else { Party::Creator };
        assert_eq!(round.offered_by(), offered_by, "offers alternate");
        assert_eq!(round.changes.is_empty(), number == 1, "every counter changes something");
    }
    if before.state() == State::Accepted {
        assert_eq!((&before.terms, before.round), (&after.terms, after.round), "what is agreed is fixed");
    }
    assert!(!super::super::resource::has_ended(before), "nothing follows the end");
    let agreed = after.versions.first().map_or(&after.terms_hash, |first| &first.terms_hash);
    assert!(after.signatures.iter().all(|signature| signature.terms_hash == *agreed));
    assert!(after.documents.len() <= 3, "no document twice");
    let signed = after.sign_time.is_some();
    let ended = matches!(after.state(), State::Expired | State::Terminated);
    assert_eq!(IN_FORCE.contains(&after.state()) || ended, signed);
    assert_eq!((after.version != 0, after.end_date.is_some()), (signed, signed));
    assert!(after.versions.starts_with(&before.versions[..before.versions.len().saturating_sub(1)]), "once agreed");
    assert_eq!(after.suspension.is_some(), after.state() == State::Suspended);
}

/// Something is due by an instant if and only if acting on it changes the contract; once it has acted, nothing is.
fn assert_acts_when_due(contract: &Contract, now: Timestamp) {
    if contract.0.state() == State::Unspecified {
        return;
    }
    let mut later = contract.clone();
    let events = pass(&mut later, &now.to_string());
    assert_eq!(contract.next_due().is_some_and(|due| due <= now), !events.is_empty());
    assert!(later.next_due().is_none_or(|due| due > now));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_signed_that_was_not_agreed(steps in steps(0..40)) {
        let (contract, events, _) = history(&steps);
        let contract = contract.0;
        // Told by the events alone.
        let (mut offer, mut agreed, mut signed) = (None, None, Vec::new());
        let mut concluded = false;
        for event in events {
            match event {
                Event::Proposed(event) => offer = Some((Party::Brand, event.terms_hash)),
                Event::Countered(event) => offer = Some((event.offered_by(), event.terms_hash)),
                Event::Accepted(event) => {
                    let (by, terms_hash) = offer.clone().expect("an offer came before");
                    prop_assert_ne!(by, event.accepted_by());
                    prop_assert_eq!(&terms_hash, &event.terms_hash);
                    agreed = Some(terms_hash);
                }
                Event::Declined(_) | Event::Withdrawn(_) | Event::Lapsed(_) => prop_assert_eq!(&agreed, &None),
                Event::SignatureAdded(event) => signed.extend(event.signature),
                Event::Signed(event) => {
                    signed.extend(event.signature);
                    concluded = true;
                }
                Event::Drafted(_) | Event::DocumentAttached(_) | Event::StatutoryChecked(_) => {}
                // Whatever else can happen follows the second signature.
                _ => prop_assert!(concluded),
            }
        }
        prop_assert_eq!(contract.sign_time.is_some(), concluded);
        if concluded {
            let agreed = agreed.expect("an acceptance came before");
            prop_assert!(signed.iter().all(|signature| signature.terms_hash == agreed));
            let mut parties: Vec<_> = signed.iter().map(pb::Signature::party).collect();
            parties.sort();
            prop_assert_eq!(parties, [Party::Brand, Party::Creator]);
        }
    }

    #[test]
    fn late_timers_lead_to_the_same_contract(steps in steps(30..40), later in 0_i64..1000) {
        let (contract, _, now) = history(&steps);
        prop_assume!(contract.0.state() != State::Unspecified);
        let (mut on_time, mut late, until) = (contract.clone(), contract, now + days(later));
        let mut at = now;
        while let Some(due) = on_time.next_due().filter(|due| *due <= until) {
            at = at.max(due);
            pass(&mut on_time, &at.to_string());
        }
        pass(&mut late, &until.to_string());
        // But for when that was seen, and warnings that it was too late for.
        for contract in [&mut on_time, &mut late] {
            contract.0.update_time = None;
            contract.0.warnings.clear();
        }
        prop_assert_eq!(on_time, late);
    }
}

/// The commands of the properties reach every end, so that they say something.
#[test]
fn sequences_come_to_every_end() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let commands = steps(40);
    let mut ends = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let (contract, ..) = history(&commands.new_tree(&mut runner).unwrap().current());
        ends.insert((contract.0.state(), contract.0.renewal_count > 0));
    }
    let expected = [
        (State::Declined, false),
        (State::Withdrawn, false),
        (State::Lapsed, false),
        (State::Upcoming, false),
        (State::Active, false),
        (State::Active, true),
        (State::Suspended, false),
        (State::Terminated, false),
        (State::Terminated, true),
        (State::Expired, false),
    ];
    assert!(expected.iter().all(|end| ends.contains(end)), "{ends:?}");
}
