use tandem_aggregate::testing::given;
use tandem_proto::google::r#type::{Date, Money as WireMoney};
use tandem_proto::payouts::v1::EarningRule;

use super::*;

const RUN: &str = "payoutRuns/r1";
const OTHER: &str = "payoutRuns/r10";
const PAYOUT: &str = "payoutRuns/r1/payouts/zoe";

fn usd(units: i64, nanos: i32) -> Option<WireMoney> {
    Some(WireMoney { currency_code: "USD".into(), units, nanos })
}

fn draft() -> pb::Earning {
    pb::Earning {
        brand: "brands/glowco".into(),
        creator: "creators/zoe".into(),
        contract: "contracts/c1".into(),
        contract_version: 2,
        clause_id: "fee".into(),
        rule: EarningRule::FeeInstalment.into(),
        amount: usd(2000, 0),
        due_date: Some(Date { year: 2026, month: 8, day: 1 }),
        ..pb::Earning::default()
    }
}

fn accrue(earning: pb::Earning) -> Command {
    Command::Accrue(Box::new(earning))
}

fn accrued() -> Event {
    // `name` as the test context has it.
    Event::Accrued(EarningAccrued { earning: Some(pb::Earning { name: "earnings/test".into(), ..draft() }) })
}

fn schedule(payout_run: &str) -> Command {
    Command::Schedule { payout_run: payout_run.into() }
}

fn scheduled(payout_run: &str) -> Event {
    Event::Scheduled(EarningScheduled { payout_run: payout_run.into() })
}

fn release(payout_run: &str) -> Command {
    Command::Release { payout_run: payout_run.into() }
}

fn released() -> Event {
    Event::Released(EarningReleased { payout_run: RUN.into() })
}

fn pay(payout: &str) -> Command {
    Command::Pay { payout: payout.into() }
}

fn paid() -> Event {
    Event::Paid(EarningPaid { payout: PAYOUT.into() })
}

#[test]
fn an_earning_is_recorded_without_what_only_the_log_says_of_it() {
    let forged = pb::Earning {
        name: "earnings/other".into(),
        state: EarningState::Paid.into(),
        payout_run: OTHER.into(),
        create_time: Some(time::to_proto(jiff::Timestamp::MAX)),
        etag: "1f".into(),
        ..draft()
    };
    given::<Earning>([]).when(accrue(forged)).then([accrued()]);
}

#[test]
fn recording_it_again_changes_nothing_wherever_it_stands() {
    let pasts = [vec![], vec![scheduled(RUN)], vec![scheduled(RUN), released()], vec![scheduled(RUN), paid()]];
    for past in pasts {
        let mut state: Earning = given::<Earning>([accrued()].into_iter().chain(past)).state();
        // The name comes from the envelope in the log.
        state.0.name = "earnings/test".into();
        let context =
            Context { time: jiff::Timestamp::UNIX_EPOCH, actor: "services/payouts", resource: "earnings/test" };
        assert_eq!(state.decide(&accrue(draft()), &context), Ok(Vec::new()), "{:?}", state.0.state());
    }
}

#[test]
fn its_id_is_its_own() {
    let other = pb::Earning { amount: usd(2001, 0), ..draft() };
    let refusal = given::<Earning>([accrued()]).when(accrue(other)).then_refused(ErrorReason::ResourceExists);
    assert!(refusal.message.contains("earnings/test exists already"), "{refusal}");
}

#[test]
fn amounts_that_cannot_be_owed_are_refused() {
    let clawback = EarningRule::CommissionClawback;
    let cases = [
        (EarningRule::FeeInstalment, None, "earning.amount is required"),
        (EarningRule::FeeInstalment, usd(0, 0), "must be above zero"),
        (EarningRule::Commission, usd(-1, 0), "must be above zero"),
        (clawback, usd(1, 0), "must be below zero"),
        (clawback, usd(0, 0), "must be below zero"),
        (EarningRule::Commission, usd(0, 1), "fraction of a minor unit"),
        (EarningRule::Commission, usd(1, -1), "differ in sign"),
    ];
    for (rule, amount, says) in cases {
        let earning = pb::Earning { rule: rule.into(), amount, ..draft() };
        let refusal = given::<Earning>([]).when(accrue(earning)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "earning.amount");
        assert!(refusal.message.contains(says), "{refusal}");
    }
    let taken_back = pb::Earning { rule: clawback.into(), amount: usd(-1, 0), ..draft() };
    given::<Earning>([]).when(accrue(taken_back)).happens();
}

#[test]
fn days_that_are_none_are_refused() {
    for due_date in [None, Some(Date { year: 2026, month: 2, day: 30 })] {
        let refusal = given::<Earning>([])
            .when(accrue(pb::Earning { due_date, ..draft() }))
            .then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "earning.due_date");
    }
}

#[test]
fn it_is_scheduled_released_and_scheduled_again() {
    given::<Earning>([accrued()])
        .when(schedule(RUN))
        .then([scheduled(RUN)])
        .when(release(RUN))
        .then([released()])
        .when(schedule(OTHER))
        .then([scheduled(OTHER)]);
}

#[test]
fn it_is_in_one_run_at_most() {
    let refusal =
        given::<Earning>([accrued(), scheduled(RUN)]).when(schedule(OTHER)).then_refused(ErrorReason::EarningScheduled);
    assert!(refusal.message.contains("is in payoutRuns/r1 already"), "{refusal}");
    given::<Earning>([accrued(), scheduled(RUN)]).when(schedule(RUN)).then([]);
    // What is paid can't be paid by another run either.
    given::<Earning>([accrued(), scheduled(RUN), paid()])
        .when(schedule(OTHER))
        .then_refused(ErrorReason::EarningScheduled);
}

#[test]
fn only_its_own_run_releases_it() {
    given::<Earning>([accrued(), scheduled(RUN)]).when(release(OTHER)).then([]);
    given::<Earning>([accrued()]).when(release(RUN)).then([]);
    given::<Earning>([accrued(), scheduled(RUN), paid()]).when(release(RUN)).then([]);
}

#[test]
fn the_payout_that_it_is_in_pays_it_once() {
    let after = given::<Earning>([accrued(), scheduled(RUN)])
        .when(pay(PAYOUT))
        .then([paid()])
        .when(pay(PAYOUT))
        .then([])
        .state();
    assert_eq!((after.0.state(), &after.0.payout_run[..]), (EarningState::Paid, RUN));
}

#[test]
fn no_other_payout_pays_it() {
    for (past, payout) in [
        (vec![accrued()], PAYOUT),
        (vec![accrued(), scheduled(OTHER)], PAYOUT),
        (vec![accrued(), scheduled(RUN)], "payoutRuns/r10/payouts/zoe"),
        (vec![accrued(), scheduled(RUN)], RUN),
    ] {
        let refusal = given::<Earning>(past).when(pay(payout)).then_refused(ErrorReason::StateForbids);
        assert!(refusal.message.contains(payout), "{refusal}");
    }
}

#[test]
fn what_is_not_there_can_neither_be_scheduled_nor_paid() {
    for command in [schedule(RUN), release(RUN), pay(PAYOUT)] {
        given::<Earning>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}

#[test]
fn times_and_partnership_come_with_the_events() {
    let before =
        given::<Earning>([]).at("2026-07-01T00:00:00Z").and(accrued()).at("2026-07-02T00:00:00Z").and(scheduled(RUN));
    let earning = before.state();
    assert_eq!(earning.partnership(&accrued()), "partnerships/glowco~zoe");
    let day = |time: &str| Some(time::to_proto(time.parse().unwrap()));
    assert_eq!(earning.0.create_time, day("2026-07-01T00:00:00Z"));
    assert_eq!(earning.0.update_time, day("2026-07-02T00:00:00Z"));
    assert_eq!(earning.0.amount, draft().amount);
}
