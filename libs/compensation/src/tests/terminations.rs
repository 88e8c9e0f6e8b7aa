//! What a termination earns and takes back.

use tandem_proto::contracts::v1::{ClauseEffect, Effect, KillFeeClause, KillFeeStep, WorkProgress};
use tandem_proto::payouts::v1::EarningRule;

use super::*;

fn effect(clause_id: &str, effect: Effect, minor: Option<i64>) -> ClauseEffect {
    let amount = minor.map(|minor| usd(minor).into());
    ClauseEffect { clause_id: clause_id.into(), effect: effect.into(), amount, explanation: "as agreed".into() }
}

fn terminated() -> Rules {
    let step = KillFeeStep { progress: WorkProgress::Signed.into(), share_basis_points: 2500 };
    rules([
        fee(400_000, &[(Milestone::Signing, 5000), (Milestone::Publication, 5000)]),
        clause("kill-fee", Kind::KillFee(KillFeeClause { steps: vec![step] })),
        payment(30, PaymentBasis::Earning),
    ])
}

#[test]
fn a_kill_fee_is_owed_and_what_is_clawed_back_is_negative() {
    let line = |of: ClauseEffect| {
        let lines = terminated().effect(&of, noon("2026-07-01")).unwrap();
        lines.into_iter().map(|line| (line.rule, line.amount.minor(), line.due_date.to_string())).collect::<Vec<_>>()
    };
    let day = "2026-07-31".to_owned();
    let owed = line(effect("kill-fee", Effect::Owed, Some(100_000)));
    assert_eq!(owed, [(EarningRule::KillFee, 100_000, day.clone())]);
    let taken = line(effect("termination", Effect::ClawedBack, Some(50_000)));
    assert_eq!(taken, [(EarningRule::TerminationClawback, -50_000, day)]);
    // Earned when it was signed.
    assert_eq!(line(effect("fee", Effect::Owed, Some(200_000))), []);
    assert_eq!(line(effect("kill-fee", Effect::Ends, None)), []);
    assert_eq!(line(effect("kill-fee", Effect::Owed, Some(0))), []);
}

#[test]
fn an_effect_without_an_amount_is_an_error() {
    let error = terminated().effect(&effect("kill-fee", Effect::Owed, None), noon("2026-07-01")).unwrap_err();
    assert_eq!(error.to_string(), "amount is required");
}
