//! What a termination means, clause by clause.
//!
//! Invariant: pure and total: every clause has an effect. What is earned stays owed, what isn't is not; the amounts are
//! those that the contract can know, by the rules that payouts compute by, and where something else decides (publication,
//! orders, figures) the words say so.
//!
//! Where the terms are silent, the usual holds: the creator is free of exclusivity if the brand walks away or is at fault,
//! and stays bound as agreed if they do, or if both agree on the end.

use jiff::Timestamp;
use tandem_compensation::{Fact, Ledger, Line, Rules, percent};
use tandem_money::Money;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    ClauseEffect, Effect, ExclusivityClause, Party, Termination, TerminationClause, TerminationKind, Terms,
    UsageRightsClause, WorkProgress,
};

/// What becomes of each clause of the terms in force at the end, in their order; of a clause several things may.
#[must_use]
pub fn effects(terms: &Terms, termination: &Termination) -> Vec<ClauseEffect> {
    let fee = terms.clauses.iter().find(|clause| matches!(clause.clause, Some(Kind::Fee(_))));
    // Terms are parsed before they are offered, so they can be reckoned with.
    let rules = Rules::parse(terms).ok();
    let end = End { termination, rules, fee: fee.map(|clause| clause.clause_id.as_str()) };
    let effects = terms.clauses.iter().flat_map(|clause| {
        let of_clause = clause.clause.as_ref().map(|kind| end.of(&clause.clause_id, kind)).unwrap_or_default();
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

/// How it ends, by which rules, and the id of the clause on the fee.
struct End<'a> {
    termination: &'a Termination,
    rules: Option<Rules>,
    fee: Option<&'a str>,
}

impl End<'_> {
    fn of(&self, id: &str, kind: &Kind) -> Vec<Said> {
        use Effect::{Ends, Survives};
        match kind {
            Kind::Deliverables(_) => said(
                Ends,
                "Content that isn't published by the end is owed no more; what is published stays as agreed.",
            ),
            Kind::Fee(_) => self.fee(id),
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
            Kind::KillFee(_) => self.kill_fee(id),
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

    /// What a clause earns by a fact, and the lines of it.
    fn earned(&self, id: &str, fact: &Fact) -> Option<(Money, Vec<Line>)> {
        let rules = self.rules.as_ref()?;
        // When it is due doesn't matter here.
        let mut lines = Ledger::default().price(rules, fact, Timestamp::UNIX_EPOCH).ok()?;
        lines.retain(|line| line.clause_id == id);
        let sum = Money::total(rules.currency(), lines.iter().map(|line| line.amount)).ok()?;
        Some((sum, lines)).filter(|(sum, _)| sum.is_positive())
    }

    fn earned_on_signing(&self) -> Option<Money> {
        Some(self.earned(self.fee?, &Fact::Signed)?.0)
    }

    fn fee(&self, id: &str) -> Vec<Said> {
        let mut all = Vec::new();
        if let Some(earned) = self.earned_on_signing() {
            let explanation = format!("{earned} were earned on signing: they stay owed where they aren't paid yet.");
            all.extend(amount(Effect::Owed, earned, explanation));
        }
        let published = Fact::Published { deliverable_id: String::new(), last: true };
        if let Some((open, _)) = self.earned(id, &published) {
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

    fn kill_fee(&self, id: &str) -> Vec<Said> {
        if self.termination.kind() != TerminationKind::Convenience || self.termination.party() != Party::Brand {
            return said(Effect::Ends, "Owed only if the brand ends the contract for convenience.");
        }
        let cancelled = Fact::Cancelled { progress: self.termination.progress() };
        let earned = self.earned(id, &cancelled);
        let Some((owed, line)) = earned.and_then(|(owed, lines)| Some((owed, lines.into_iter().next()?))) else {
            return said(Effect::Ends, "The work had not come so far that anything is owed.");
        };
        let how_far = match self.termination.progress() {
            WorkProgress::DraftApproved => "after a draft was approved",
            WorkProgress::DraftSubmitted => "after a draft was submitted",
            WorkProgress::Signed | WorkProgress::Unspecified => "after signing",
        };
        let Line { rate_basis_points, base, .. } = line;
        let explanation =
            format!("{} of the fee of {base}, for the brand cancels {how_far}.", percent(rate_basis_points));
        amount(Effect::Owed, owed, explanation)
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
        let settled = || said(Effect::Ends, "It has taken effect; nothing is taken back.");
        let nothing = self.rules.as_ref().map(|rules| Money::zero(rules.currency()));
        let earned = self.earned_on_signing().or(nothing).filter(|_| self.fee.is_some());
        let taken = earned.and_then(|earned| Some((earned, earned.basis_points(share.into()).ok()?)));
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
                "; instalments earned by publication, which campaigns record and the contract doesn't, are not included.",
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
