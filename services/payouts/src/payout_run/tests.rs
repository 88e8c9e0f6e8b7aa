use tandem_aggregate::testing::{Given, given};
use tandem_proto::google::r#type::{Date, Money as WireMoney};
use tandem_proto::payouts::v1::DebtorAccount;

use super::*;

const ADAM: &str = "payoutRuns/test/payouts/adam";
const ZOE: &str = "payoutRuns/test/payouts/zoe";
const TIME: &str = "2026-08-04T10:00:00Z";

fn usd(units: i64) -> Option<WireMoney> {
    Some(WireMoney { currency_code: "USD".into(), units, nanos: 0 })
}

fn payout(name: &str, units: i64) -> Payout {
    Payout {
        name: name.into(),
        creator: format!("creators/{}", name.rsplit('/').next().unwrap()),
        amount: usd(units),
        earnings: vec![format!("earnings/of-{units}")],
        state: PayoutState::Pending.into(),
        end_to_end_id: format!("test-{units}"),
        ..Payout::default()
    }
}

fn draft() -> pb::PayoutRun {
    let due_date = Some(Date { year: 2026, month: 8, day: 3 });
    pb::PayoutRun {
        brand: "brands/glowco".into(),
        currency_code: "USD".into(),
        due_date,
        execution_date: due_date,
        debtor: Some(DebtorAccount {
            holder_name: "GlowCo Inc.".into(),
            iban: "DE89370400440532013000".into(),
            bic: "COBADEFFXXX".into(),
        }),
        payouts: vec![payout(ADAM, 10), payout(ZOE, 20)],
        total_amount: usd(30),
        remaining_earning_count: 7,
        ..pb::PayoutRun::default()
    }
}

fn create(draft: pb::PayoutRun) -> Command {
    Command::Create(Box::new(draft))
}

/// Of the draft, by creator.
fn paid() -> Vec<String> {
    ["partnerships/glowco~adam", "partnerships/glowco~zoe"].map(str::to_owned).into()
}

fn created() -> Event {
    Event::Created(PayoutRunCreated { payout_run: Some(draft()), partnerships: paid() })
}

fn approved() -> Event {
    Event::Approved(PayoutRunApproved { approver: "users/frida".into(), partnerships: paid() })
}

fn cancel() -> Command {
    Command::Cancel { reason: "Wrong day.".into() }
}

fn cancelled() -> Event {
    Event::Cancelled(PayoutRunCancelled { reason: "Wrong day.".into(), partnerships: paid() })
}

fn submit() -> Command {
    Command::Submit { file_hash: "f00d".into(), file_time: TIME.parse().unwrap() }
}

fn submitted() -> Event {
    Event::Submitted(PayoutRunSubmitted {
        file_hash: "f00d".into(),
        submit_time: Some(time::to_proto(TIME.parse().unwrap())),
        partnerships: paid(),
    })
}

fn settle(payout: &str, bank_reference: &str) -> Command {
    let settle_time = "2025-12-31T00:00:00Z".parse().unwrap();
    Command::Settle { payout: payout.into(), bank_reference: bank_reference.into(), settle_time }
}

fn settled(payout: &Payout, remaining_count: i32) -> Event {
    Event::Settled(PayoutSettled {
        payout: payout.name.clone(),
        brand: "brands/glowco".into(),
        creator: payout.creator.clone(),
        amount: payout.amount.clone(),
        earnings: payout.earnings.clone(),
        bank_reference: "B1".into(),
        settle_time: Some(time::to_proto("2025-12-31T00:00:00Z".parse().unwrap())),
        remaining_count,
    })
}

/// Created by Fred, and what came after.
fn run(events: impl IntoIterator<Item = Event>) -> Given<PayoutRun> {
    let created = given::<PayoutRun>([]).by("users/fred").and(created());
    events.into_iter().fold(created, Given::and)
}

fn both_settled() -> [Event; 4] {
    [approved(), submitted(), settled(&payout(ADAM, 10), 1), settled(&payout(ZOE, 20), 0)]
}

#[test]
fn a_run_waits_for_approval() {
    let run = given::<PayoutRun>([]).by("users/fred").when(create(draft())).then([created()]).state().0;
    assert_eq!((run.state(), &run.creator_actor[..]), (State::PendingApproval, "users/fred"));
    assert_eq!(run.remaining_earning_count, 7);
}

#[test]
fn what_is_for_later_events_to_say_is_not_taken_from_the_caller() {
    let now = Some(time::to_proto(TIME.parse().unwrap()));
    let forged = pb::PayoutRun {
        name: "payoutRuns/other".into(),
        state: State::Approved.into(),
        creator_actor: "users/nobody".into(),
        approver: "users/frida".into(),
        approve_time: now,
        file_hash: "f00d".into(),
        submit_time: now,
        unpayable_creator_count: 7,
        create_time: now,
        update_time: now,
        etag: "1f".into(),
        ..draft()
    };
    given::<PayoutRun>([]).when(create(forged)).then([created()]);
}

#[test]
fn an_id_is_taken_once() {
    run([]).when(create(draft())).then_refused(ErrorReason::ResourceExists);
}

#[test]
fn without_payouts_there_is_no_run() {
    let empty = pb::PayoutRun { payouts: Vec::new(), ..draft() };
    let refusal = given::<PayoutRun>([]).when(create(empty)).then_refused(ErrorReason::NothingPayable);
    assert!(refusal.message.contains("brands/glowco is payable in USD"), "{refusal}");
}

fn without_account(count: usize) -> Vec<pb::UnpayableCreator> {
    let missing = ErrorReason::PayoutAccountMissing;
    (0..count).map(|at| unpayable::unpayable(&format!("creators/c{at:04}"), None, missing)).collect()
}

#[test]
fn if_nobody_can_be_paid_it_is_said_who_and_why() {
    let mut unpayable_creators = without_account(2);
    unpayable_creators.push(unpayable::unpayable("creators/zoe", None, ErrorReason::PersonErased));
    let nobody = pb::PayoutRun { payouts: Vec::new(), unpayable_creators, ..draft() };
    let refusal = given::<PayoutRun>([]).when(create(nobody)).then_refused(ErrorReason::NothingPayable);
    assert_eq!(
        refusal.message,
        "Nothing of brands/glowco is payable in USD by then. Something is due to creators who can't be paid: 2 without a \
         payout account (creators/c0000, creators/c0001), 1 whose personal data was erased (creators/zoe). Set missing \
         payout accounts with SetPayoutAccount, then create the run."
    );
}

#[test]
fn a_run_lists_whom_it_leaves_out_and_counts_the_rest() {
    let draft = pb::PayoutRun { unpayable_creators: without_account(901), ..draft() };
    let run = given::<PayoutRun>([]).when(create(draft)).happens().state().0;
    assert_eq!(run.unpayable_creators, without_account(900));
    assert_eq!(run.unpayable_creator_count, 901);
    assert_eq!(run.payouts.len(), 2);
}

#[test]
fn what_a_bank_would_refuse_is_named() {
    let debtor = |change: fn(&mut DebtorAccount)| {
        let mut draft = draft();
        change(draft.debtor.as_mut().unwrap());
        draft
    };
    let no_day = Some(Date { year: 2026, month: 2, day: 30 });
    let cases = [
        ("payout_run.due_date", pb::PayoutRun { due_date: None, ..draft() }),
        ("payout_run.due_date", pb::PayoutRun { due_date: no_day, ..draft() }),
        ("payout_run.execution_date", pb::PayoutRun { execution_date: no_day, ..draft() }),
        ("payout_run.debtor", pb::PayoutRun { debtor: None, ..draft() }),
        ("payout_run.debtor.holder_name", debtor(|debtor| debtor.holder_name = " ".into())),
        ("payout_run.debtor.holder_name", debtor(|debtor| debtor.holder_name = "Glow\u{7}Co".into())),
        ("payout_run.debtor.iban", debtor(|debtor| debtor.iban = "DE89370400440532013001".into())),
        ("payout_run.debtor.iban", debtor(|debtor| debtor.iban = "DE98370400440532013000".into())),
        ("payout_run.debtor.iban", debtor(|debtor| debtor.iban = "DE".into())),
    ];
    for (field, draft) in cases {
        let refusal = given::<PayoutRun>([]).when(create(draft)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, field);
        assert!(!refusal.message.contains("37040044"), "{refusal}");
    }
    let other = debtor(|debtor| debtor.iban = "MT84MALT011000012345MTLCAST001S".into());
    given::<PayoutRun>([]).when(create(other)).happens();
}

#[test]
fn a_second_person_approves() {
    let refusal = run([]).when(Command::Approve).then_refused(ErrorReason::SecondPersonRequired);
    assert_eq!(refusal.message, "users/fred created payoutRuns/test; a second person has to approve it.");
    let run = run([]).by("users/frida").at(TIME).when(Command::Approve).then([approved()]).state().0;
    assert_eq!(
        (run.state(), &run.approver[..], &run.creator_actor[..]),
        (State::Approved, "users/frida", "users/fred")
    );
    assert_eq!(run.approve_time, Some(time::to_proto(TIME.parse().unwrap())));
}

#[test]
fn a_run_is_cancelled_before_it_is_submitted() {
    run([]).when(cancel()).then([cancelled()]);
    let after = run([approved()]).when(cancel()).then([cancelled()]).state();
    assert_eq!(after.0.state(), State::Cancelled);
}

#[test]
fn an_approved_run_is_submitted_once() {
    let after = run([approved()]).when(submit()).then([submitted()]);
    let again = Command::Submit { file_hash: "beef".into(), file_time: "2026-08-09T00:00:00Z".parse().unwrap() };
    let run = after.when(again).then([]).state().0;
    assert_eq!((run.state(), &run.file_hash[..]), (State::Submitted, "f00d"));
    assert_eq!(run.submit_time, Some(time::to_proto(TIME.parse().unwrap())));
    self::run(both_settled()).when(submit()).then([]);
}

#[test]
fn the_last_payout_settles_the_run() {
    let first = run([approved(), submitted()]).when(settle(ADAM, "B1")).then([settled(&payout(ADAM, 10), 1)]);
    let second = first.when(settle(ZOE, "B1")).then([settled(&payout(ZOE, 20), 0)]);
    let run = second.state().0;
    assert_eq!(run.state(), State::Settled);
    assert!(run.payouts.iter().all(|payout| payout.state() == PayoutState::Paid && payout.bank_reference == "B1"));
    assert_eq!(run.payouts[1].settle_time, Some(time::to_proto("2025-12-31T00:00:00Z".parse().unwrap())));
}

#[test]
fn a_payout_is_settled_once() {
    for past in [both_settled()[..3].to_vec(), both_settled().to_vec()] {
        run(past.clone()).when(settle(ADAM, "B1")).then([]);
        let refusal = run(past.clone()).when(settle(ADAM, "B2")).then_refused(ErrorReason::StateForbids);
        let paid = "payoutRuns/test/payouts/adam was paid by \"B1\" at 2025-12-31T00:00:00Z already.";
        assert_eq!(refusal.message, paid);
        let corrected = Command::Settle {
            payout: ADAM.into(),
            bank_reference: "B1".into(),
            settle_time: "2025-12-30T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(run(past.clone()).when(corrected).then_refused(ErrorReason::StateForbids).message, paid);
    }
}

#[test]
fn what_the_bank_has_not_paid_yet_is_not_settled() {
    let submitted = || run([approved(), submitted()]);
    let settle = |settle_time: &str| {
        let settle_time = settle_time.parse().unwrap();
        Command::Settle { payout: ADAM.into(), bank_reference: "B1".into(), settle_time }
    };
    let early = submitted().at("2026-01-01T12:00:00Z").when(settle("2026-01-01T12:05:00.000000001Z"));
    assert_eq!(early.then_refused(ErrorReason::FieldInvalid).violations[0].field, "settle_time");
    submitted().at("2026-01-01T12:00:00Z").when(settle("2026-01-01T12:05:00Z")).happens();
}

#[test]
fn only_a_payout_of_the_run_is_settled() {
    let other = "payoutRuns/test/payouts/bob";
    let refusal = run([approved(), submitted()]).when(settle(other, "B1")).then_refused(ErrorReason::ResourceNotFound);
    assert_eq!(refusal.message, "payoutRuns/test/payouts/bob does not exist.");
}

#[test]
fn each_step_has_its_state() {
    let pasts = [
        ("PENDING_APPROVAL", vec![]),
        ("APPROVED", vec![approved()]),
        ("SUBMITTED", vec![approved(), submitted()]),
        ("SETTLED", both_settled().to_vec()),
        ("CANCELLED", vec![cancelled()]),
    ];
    let steps = [
        ("approved", Command::Approve, &["PENDING_APPROVAL"][..]),
        ("cancelled", cancel(), &["PENDING_APPROVAL", "APPROVED"]),
        ("submitted", submit(), &["APPROVED", "SUBMITTED", "SETTLED"]),
        ("settled", settle(ADAM, "B1"), &["SUBMITTED", "SETTLED"]),
    ];
    for (state, past) in &pasts {
        for (step, command, from) in &steps {
            let when = run(past.clone()).by("users/frida").when(command.clone());
            if from.contains(state) {
                when.happens();
            } else {
                let refusal = when.then_refused(ErrorReason::StateForbids);
                assert!(
                    refusal.message.starts_with(&format!("payoutRuns/test is {state}; only a run in ")),
                    "{refusal}"
                );
                assert!(refusal.message.ends_with(&format!("can be {step}.")), "{refusal}");
            }
        }
    }
}

#[test]
fn what_is_not_there_takes_no_step() {
    for command in [Command::Approve, cancel(), submit(), settle(ADAM, "B1")] {
        given::<PayoutRun>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}

#[test]
fn a_settlement_belongs_to_its_partnership_and_a_run_to_none() {
    let run = run([]).state();
    assert_eq!(run.partnership(&settled(&payout(ZOE, 20), 0)), "partnerships/glowco~zoe");
    for event in [created(), approved(), cancelled(), submitted()] {
        assert_eq!(run.partnership(&event), "");
    }
}
