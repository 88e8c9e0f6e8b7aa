//! What an end means for the clauses.

use tandem_money::{Currency, Money};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{ClauseEffect, Effect, TerminationKind, WorkProgress};

use super::concluded::{changed, kind, rich};
use super::*;
use crate::contract::termination::effects::effects;
use crate::fixtures::{clause, instalment, usd};

/// What it means to the clauses that the contract ends like this.
fn at(terms: &pb::Terms, kind: TerminationKind, party: Party, progress: WorkProgress) -> Vec<ClauseEffect> {
    let termination =
        pb::Termination { kind: kind.into(), party: party.into(), progress: progress.into(), ..Default::default() };
    effects(terms, &termination)
}

/// Effect and amount in minor units on a clause.
fn on(effects: &[ClauseEffect], clause_id: &str) -> Vec<(Effect, Option<i64>)> {
    let on = effects.iter().filter(|effect| effect.clause_id == clause_id);
    on.map(|effect| (effect.effect(), effect.amount.as_ref().map(|money| Money::try_from(money).unwrap().minor())))
        .collect()
}

#[track_caller]
fn assert_says(effects: &[ClauseEffect], clause_id: &str, words: &str) {
    let mut said = effects.iter().filter(|effect| effect.clause_id == clause_id);
    assert!(said.any(|effect| effect.explanation.contains(words)), "{effects:?}");
}

const KINDS: [TerminationKind; 4] =
    [TerminationKind::Convenience, TerminationKind::Breach, TerminationKind::Morality, TerminationKind::Mutual];
const PARTIES: [Party; 2] = [Party::Brand, Party::Creator];
const PROGRESS: [WorkProgress; 4] =
    [WorkProgress::Unspecified, WorkProgress::Signed, WorkProgress::DraftSubmitted, WorkProgress::DraftApproved];

#[test]
fn every_clause_has_an_effect_however_it_ends() {
    let more = [
        Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount: usd(1), ..Default::default() }),
        Kind::ProductValue(pb::ProductValueClause { value: usd(1), ..Default::default() }),
        Kind::Bonus(pb::BonusClause { amount: usd(1), ..Default::default() }),
        Kind::RevenueShare(pb::RevenueShareClause::default()),
        Kind::Holdback(pb::HoldbackClause::default()),
        Kind::Expenses(pb::ExpensesClause { cap: usd(1) }),
        Kind::GoverningLaw(pb::GoverningLawClause::default()),
    ];
    let terms = changed(|terms| {
        let more = more.into_iter().enumerate().map(|(index, kind)| clause(&format!("more-{index}"), kind));
        terms.clauses.extend(more);
    });
    for kind in KINDS {
        for party in PARTIES {
            for progress in PROGRESS {
                let effects = at(&terms, kind, party, progress);
                for clause in &terms.clauses {
                    assert!(!on(&effects, &clause.clause_id).is_empty(), "{}", clause.clause_id);
                }
                for effect in effects {
                    let with_amount = matches!(effect.effect(), Effect::Owed | Effect::ClawedBack);
                    assert_eq!(effect.amount.is_some(), with_amount, "{effect:?}");
                    assert!(effect.explanation.ends_with('.'), "{effect:?}");
                }
            }
        }
    }
}

#[test]
fn what_was_earned_on_signing_stays_owed_and_the_rest_is_not() {
    for kind in KINDS {
        let effects = at(&rich(), kind, Party::Brand, WorkProgress::DraftSubmitted);
        assert_eq!(on(&effects, "fee"), [(Effect::Owed, Some(200_000)), (Effect::Ends, None)]);
        assert_says(&effects, "fee", "USD 2,000.00 on publication are not owed");
        // Where something can have been published, the contract doesn't know.
        let effects = at(&rich(), kind, Party::Brand, WorkProgress::DraftApproved);
        assert_says(&effects, "fee", "owed only if the last deliverable was published by the end");
    }
}

#[test]
fn instalments_lose_no_cent() {
    let terms = changed(|terms| match kind(terms, "fee") {
        Kind::Fee(fee) => {
            fee.amount = Some(Money::new(100, Currency::USD).into());
            fee.instalments = vec![
                instalment(pb::Milestone::Signing, 3333),
                instalment(pb::Milestone::Signing, 3333),
                instalment(pb::Milestone::Publication, 3334),
            ];
        }
        other => panic!("{other:?}"),
    });
    let effects = at(&terms, TerminationKind::Mutual, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "fee"), [(Effect::Owed, Some(66)), (Effect::Ends, None)]);
    assert_says(&effects, "fee", "USD 0.34 on publication");
}

#[test]
fn what_is_held_back_is_owed_too() {
    let held_back = Kind::Holdback(pb::HoldbackClause { share_basis_points: 1000, release_days: 30 });
    let terms = changed(|terms| terms.clauses.push(clause("holdback", held_back)));
    let effects = at(&terms, TerminationKind::Convenience, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "fee")[0], (Effect::Owed, Some(200_000)));
    assert_eq!(on(&effects, "kill-fee"), [(Effect::Owed, Some(100_000))]);
    assert_eq!(on(&effects, "holdback"), [(Effect::Survives, None)]);
}

#[test]
fn the_kill_fee_goes_by_progress() {
    for (progress, owed) in [
        (WorkProgress::Signed, 100_000),
        (WorkProgress::DraftSubmitted, 200_000),
        // The last step goes on.
        (WorkProgress::DraftApproved, 200_000),
    ] {
        let effects = at(&rich(), TerminationKind::Convenience, Party::Brand, progress);
        assert_eq!(on(&effects, "kill-fee"), [(Effect::Owed, Some(owed))]);
    }
    let effects = at(&rich(), TerminationKind::Convenience, Party::Brand, WorkProgress::Signed);
    assert_says(&effects, "kill-fee", "25 % of the fee of USD 4,000.00, for the brand cancels after signing");
    // Before the first step.
    let late = changed(|terms| match kind(terms, "kill-fee") {
        Kind::KillFee(clause) => drop(clause.steps.remove(0)),
        other => panic!("{other:?}"),
    });
    let effects = at(&late, TerminationKind::Convenience, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "kill-fee"), [(Effect::Ends, None)]);
}

#[test]
fn the_kill_fee_is_for_the_brands_convenience_alone() {
    for (kind, party) in [
        (TerminationKind::Convenience, Party::Creator),
        (TerminationKind::Breach, Party::Brand),
        (TerminationKind::Breach, Party::Creator),
        (TerminationKind::Morality, Party::Brand),
        (TerminationKind::Mutual, Party::Brand),
    ] {
        let effects = at(&rich(), kind, party, WorkProgress::DraftApproved);
        assert_eq!(on(&effects, "kill-fee"), [(Effect::Ends, None)], "{kind:?}");
    }
}

#[test]
fn the_creators_fault_takes_back_a_share_of_what_was_earned() {
    for (kind, party) in [(TerminationKind::Breach, Party::Brand), (TerminationKind::Morality, Party::Brand)] {
        let effects = at(&rich(), kind, party, WorkProgress::Signed);
        assert_eq!(on(&effects, "ending"), [(Effect::ClawedBack, Some(100_000))]);
        assert_says(&effects, "ending", "50 % of the USD 2,000.00 that were earned on signing");
        assert_says(&effects, "ending", "no more can have been earned");
        let effects = at(&rich(), kind, party, WorkProgress::Unspecified);
        assert_says(&effects, "ending", "which campaigns record and the contract doesn't");
    }
}

#[test]
fn without_the_creators_fault_nothing_is_taken_back() {
    for (kind, party) in [
        (TerminationKind::Convenience, Party::Brand),
        (TerminationKind::Convenience, Party::Creator),
        (TerminationKind::Breach, Party::Creator),
        (TerminationKind::Mutual, Party::Creator),
    ] {
        let effects = at(&rich(), kind, party, WorkProgress::DraftApproved);
        assert_eq!(on(&effects, "ending"), [(Effect::Ends, None)], "{kind:?}");
    }
    // Nor where no share is agreed, or nothing was earned.
    let mild = changed(|terms| super::concluded::termination(terms).clawback_share_basis_points = 0);
    let on_publication = changed(|terms| match kind(terms, "fee") {
        Kind::Fee(fee) => fee.instalments = vec![instalment(pb::Milestone::Publication, 10_000)],
        other => panic!("{other:?}"),
    });
    for terms in [mild, on_publication.clone()] {
        let effects = at(&terms, TerminationKind::Morality, Party::Brand, WorkProgress::Signed);
        assert_eq!(on(&effects, "ending"), [(Effect::Ends, None)]);
    }
    // What may have been earned by a publication is told, though its amount isn't known.
    let effects = at(&on_publication, TerminationKind::Morality, Party::Brand, WorkProgress::DraftApproved);
    assert_eq!(on(&effects, "ending"), [(Effect::ClawedBack, Some(0))]);
}

#[test]
fn exclusivity_binds_who_walks_away_or_is_at_fault() {
    use TerminationKind::{Breach, Convenience, Morality, Mutual};
    for (kind, party, expected) in [
        (Convenience, Party::Brand, Effect::Ends),
        (Convenience, Party::Creator, Effect::Survives),
        (Breach, Party::Brand, Effect::Survives),
        (Breach, Party::Creator, Effect::Ends),
        (Morality, Party::Brand, Effect::Survives),
        (Mutual, Party::Brand, Effect::Survives),
    ] {
        let effects = at(&rich(), kind, party, WorkProgress::Signed);
        assert_eq!(on(&effects, "exclusivity"), [(expected, None)], "{kind:?} by {party:?}");
    }
    let bounded = changed(|terms| match kind(terms, "exclusivity") {
        Kind::Exclusivity(clause) => clause.days_after_end = 0,
        other => panic!("{other:?}"),
    });
    let effects = at(&bounded, Morality, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "exclusivity"), [(Effect::Ends, None)]);
}

#[test]
fn usage_rights_survive_unless_they_end_with_the_contract() {
    let effects = at(&rich(), TerminationKind::Mutual, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "ads"), [(Effect::Survives, None)]);
    let bound = changed(|terms| match kind(terms, "ads") {
        Kind::UsageRights(clause) => clause.ends_with_contract = true,
        other => panic!("{other:?}"),
    });
    let effects = at(&bound, TerminationKind::Mutual, Party::Brand, WorkProgress::Signed);
    assert_eq!(on(&effects, "ads"), [(Effect::Ends, None)]);
}
