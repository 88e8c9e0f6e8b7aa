//! What a termination means, clause by clause.
//!
//! Invariant: pure and total: every clause has an effect. What is earned stays owed, what isn't is not; the amounts are
//! those that the contract can know, and where something else decides (publication, orders, figures) the words say so.
//!
//! Where the terms are silent, the usual holds: the creator is free of exclusivity if the brand walks away or is at fault,
//! and stays bound as agreed if they do, or if both agree on the end.

use tandem_money::{Money, MoneyError};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    ClauseEffect, Effect, ExclusivityClause, FeeClause, KillFeeClause, Milestone, Party, Termination,
    TerminationClause, TerminationKind, Terms, UsageRightsClause, WorkProgress,
};

/// What becomes of each clause of the terms in force at the end, in their order; of a clause several things may.
#[must_use]
pub fn effects(terms: &Terms, termination: &Termination) -> Vec<ClauseEffect> {
    let fee = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Fee(fee)) => Some(fee),
        _ => None,
    });
    let end = End { termination, fee };
    let effects = terms.clauses.iter().flat_map(|clause| {
        let of_clause = clause.clause.as_ref().map(|kind| end.of(kind)).unwrap_or_default();
        of_clause.into_iter().map(|said| ClauseEffect {
            clause_id: clause.clause_id.clone(),
            effect: said.effect.into(),
            amount: said.amount.map(Into::into),
            explanation: said.explanation,
        })
    });
    effects.collect()
}

/// An effect on a clause.
struct Said {
    effect: Effect,
    amount: Option<Money>,
    explanation: String,
}

fn said(effect: Effect, explanation: impl Into<String>) -> Vec<Said> {
    vec![Said { effect, amount: None, explanation: explanation.into() }]
}

fn amount(effect: Effect, amount: Money, explanation: String) -> Vec<Said> {
    vec![Said { effect, amount: Some(amount), explanation }]
}

/// How it ends, and the fee that shares are of.
struct End<'a> {
    termination: &'a Termination,
    fee: Option<&'a FeeClause>,
}

impl End<'_> {
    fn of(&self, kind: &Kind) -> Vec<Said> {
        use Effect::{Ends, Survives};
        match kind {
            Kind::Deliverables(_) => said(
                Ends,
                "Content that isn't published by the end is owed no more; what is published stays as agreed.",
            ),
            Kind::Fee(fee) => self.fee(fee),
            Kind::PerDeliverableFee(_) => {
                said(Ends, "Earned for each piece published by the end, which stays owed; for no other.")
            }
            Kind::Commission(_) => said(Ends, "Earned on orders up to the end, which stays owed; on none after it."),
            Kind::Bonus(_) => said(Ends, "Earned if the figure is reached by the end, which stays owed; not after it."),
            Kind::RevenueShare(_) => said(Ends, "Earned on revenue up to the end, which stays owed; on none after it."),
            Kind::ProductValue(_) => said(Ends, "Products given by the end stay the creator's; no others are due."),
            Kind::Expenses(_) => said(Ends, "Costs up to the end are refunded as agreed; none after it."),
            Kind::PaymentTerms(_) => said(Survives, "What is earned by the end is paid on its day."),
            Kind::Holdback(_) => said(Survives, "What is held back is paid on its day."),
            Kind::KillFee(clause) => self.kill_fee(clause),
            Kind::UsageRights(clause) => usage_rights(clause),
            Kind::Exclusivity(clause) => self.exclusivity(clause),
            Kind::Disclosure(_) => said(Survives, "Holds for all content that stays online."),
            Kind::AiLikeness(_) => said(Survives, "Holds for all content and the creator's likeness beyond the end."),
            Kind::Review(_) => said(Ends, "No draft is owed, and none is reviewed."),
            Kind::Morality(_) => said(Ends, "Conduct after the end has no effect on it."),
            Kind::Renewal(_) => said(Ends, "The contract doesn't renew itself."),
            Kind::Termination(clause) => self.clawback(clause),
            Kind::Amendment(_) => said(Ends, "Nothing is left to be changed."),
            Kind::GoverningLaw(_) => said(Survives, "Governs what is left to be settled."),
        }
    }

    fn fee(&self, fee: &FeeClause) -> Vec<Said> {
        let mut all = Vec::new();
        if let Some(earned) = instalments(fee, Milestone::Signing).filter(|earned| earned.is_positive()) {
            let explanation = format!("{earned} were earned on signing: they stay owed where they aren't paid yet.");
            all.extend(amount(Effect::Owed, earned, explanation));
        }
        if let Some(open) = instalments(fee, Milestone::Publication).filter(|open| open.is_positive()) {
            let explanation = if self.nothing_was_ready() {
                format!("{open} on publication are not owed: as the work had come, nothing could be published.")
            } else {
                format!(
                    "{open} on publication are owed only if the last deliverable was published by the end, which campaigns \
                     record and the contract doesn't."
                )
            };
            all.extend(said(Effect::Ends, explanation));
        }
        all
    }

    fn kill_fee(&self, clause: &KillFeeClause) -> Vec<Said> {
        if self.termination.kind() != TerminationKind::Convenience || self.termination.party() != Party::Brand {
            return said(Effect::Ends, "Owed only if the brand ends the contract for convenience.");
        }
        let step = clause.steps.iter().rfind(|step| step.progress <= self.termination.progress);
        let share = step.map_or(0, |step| step.share_basis_points);
        let whole = self.fee.and_then(whole);
        match whole.and_then(|whole| Some((whole, whole.basis_points(share.into()).ok()?))) {
            Some((whole, owed)) if owed.is_positive() => {
                let how_far = match self.termination.progress() {
                    WorkProgress::DraftApproved => "after a draft was approved",
                    WorkProgress::DraftSubmitted => "after a draft was submitted",
                    WorkProgress::Signed | WorkProgress::Unspecified => "after signing",
                };
                let explanation = format!("{} of the fee of {whole}, for the brand cancels {how_far}.", percent(share));
                amount(Effect::Owed, owed, explanation)
            }
            _ => said(Effect::Ends, "The work had not come so far that anything is owed."),
        }
    }

    fn exclusivity(&self, clause: &ExclusivityClause) -> Vec<Said> {
        let days = clause.days_after_end;
        match (self.termination.kind(), self.termination.party()) {
            (TerminationKind::Convenience, Party::Brand) => {
                said(Effect::Ends, "The creator is free from the end on, for the brand walks away.")
            }
            (TerminationKind::Breach, Party::Creator) => {
                said(Effect::Ends, "The creator is free from the end on, for the brand is in breach.")
            }
            _ if days == 0 => said(Effect::Ends, "Agreed for the time of the contract."),
            _ => said(Effect::Survives, format!("Goes on for {days} days after the end, as agreed.")),
        }
    }

    fn clawback(&self, clause: &TerminationClause) -> Vec<Said> {
        let share = clause.clawback_share_basis_points;
        let earned = self.fee.and_then(|fee| instalments(fee, Milestone::Signing));
        let taken = earned.and_then(|earned| Some((earned, earned.basis_points(share.into()).ok()?)));
        let settled = || said(Effect::Ends, "It has taken effect; nothing is taken back.");
        let Some((earned, taken)) = taken.filter(|_| share > 0 && self.is_creators_fault()) else {
            return settled();
        };
        let mut explanation = format!("{} of the {earned} that were earned on signing", percent(share));
        if self.nothing_was_ready() {
            if !taken.is_positive() {
                return settled();
            }
            explanation.push_str("; as the work had come, no more can have been earned.");
        } else {
            explanation.push_str(
                "; of instalments for what was published by the end, too, which campaigns record and the contract doesn't.",
            );
        }
        amount(Effect::ClawedBack, taken, explanation)
    }

    fn is_creators_fault(&self) -> bool {
        match self.termination.kind() {
            TerminationKind::Morality => true,
            TerminationKind::Breach => self.termination.party() == Party::Brand,
            TerminationKind::Convenience | TerminationKind::Mutual | TerminationKind::Unspecified => false,
        }
    }

    /// Before a draft is approved, nothing is published; what progress is not told may be any.
    fn nothing_was_ready(&self) -> bool {
        matches!(self.termination.progress(), WorkProgress::Signed | WorkProgress::DraftSubmitted)
    }
}

fn usage_rights(clause: &UsageRightsClause) -> Vec<Said> {
    if clause.ends_with_contract {
        return said(Effect::Ends, "Agreed to end with the contract, for published content too.");
    }
    said(Effect::Survives, "Content that is published by the end may be used as long as agreed.")
}

fn whole(fee: &FeeClause) -> Option<Money> {
    Money::try_from(fee.amount.as_ref()?).ok()
}

/// What a milestone makes earned of a fee, split as payouts split it.
fn instalments(fee: &FeeClause, milestone: Milestone) -> Option<Money> {
    let whole = whole(fee)?;
    let shares: Vec<u64> = fee.instalments.iter().map(|part| part.share_basis_points.unsigned_abs().into()).collect();
    let sum = |parts: Vec<Money>| -> Result<Money, MoneyError> {
        let of_milestone = fee.instalments.iter().zip(parts).filter(|(part, _)| part.milestone() == milestone);
        Money::total(whole.currency(), of_milestone.map(|(_, amount)| amount))
    };
    whole.split(&shares).and_then(sum).ok()
}

/// Basis points for people: `1250` is `12.5 %`.
fn percent(basis_points: i32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    match rest {
        0 => format!("{whole} %"),
        _ if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        _ => format!("{whole}.{rest:02} %"),
    }
}
