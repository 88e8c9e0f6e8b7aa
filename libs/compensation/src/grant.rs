//! What each clause grants for a fact; commission, which goes over all orders, apart.
//!
//! Invariant: what is granted once, an instalment, a deliverable's fee, a bonus, is not granted again.

use tandem_money::Money;
use tandem_proto::contracts::v1::{ContentType, Metric, Milestone, WorkProgress};
use tandem_proto::payouts::v1::EarningRule;

use crate::line::{Grant, WHOLE, percent};
use crate::rules::{Instalment, Rule};
use crate::{Fact, FactError, Ledger, Rules};

impl Ledger {
    /// What a clause grants for a fact, commission apart.
    pub(crate) fn grant(
        &self,
        id: &str,
        rule: &Rule,
        fact: &Fact,
        rules: &Rules,
        to: &mut Vec<Grant>,
    ) -> Result<(), FactError> {
        let once = |part: &str| !self.granted.contains(&(id.to_owned(), part.to_owned()));
        let share = |amount: Money, basis_points: i32| {
            amount.basis_points(basis_points.into()).map_err(|error| fact.beyond_reckoning(error))
        };
        match (rule, fact) {
            (Rule::Fee { whole, instalments }, Fact::Signed) => {
                to.extend(self.instalments(id, *whole, instalments, Milestone::Signing));
            }
            (Rule::Fee { whole, instalments }, Fact::Published { last: true, .. }) => {
                to.extend(self.instalments(id, *whole, instalments, Milestone::Publication));
            }
            (Rule::PerDeliverable { amount, content_type }, Fact::Published { deliverable_id, .. }) => {
                let kind = rules.deliverable(deliverable_id);
                let counts = *content_type == ContentType::Unspecified || kind == Some(*content_type);
                if counts && once(deliverable_id) {
                    let explanation = format!("fee for the publication of {deliverable_id}");
                    let grant = Grant::whole(id, EarningRule::PerDeliverableFee, *amount, explanation);
                    to.push(Grant { part: deliverable_id.clone(), ..grant });
                }
            }
            (Rule::Bonus { metric, threshold, amount }, Fact::Measured { .. } | Fact::Ordered { .. }) => {
                let figure = self.figure(*metric, fact);
                if figure >= i128::from(*threshold) && once(WHOLE) {
                    let explanation = format!("bonus for {threshold} {}: {figure} reached", noun(*metric));
                    to.push(Grant::whole(id, EarningRule::Bonus, *amount, explanation));
                }
            }
            (Rule::RevenueShare { share_basis_points }, Fact::RevenueReported { net }) => {
                let explanation = format!("{} of reported revenue of {net}", percent(*share_basis_points));
                let amount = share(*net, *share_basis_points)?;
                let grant = Grant::whole(id, EarningRule::RevenueShare, amount, explanation);
                to.push(Grant { base: *net, rate_basis_points: *share_basis_points, ..grant });
            }
            (Rule::ProductValue { value, description }, Fact::Signed) if once(WHOLE) => {
                let explanation = format!("in kind, not paid out: {description}");
                let grant = Grant::whole(id, EarningRule::ProductValue, *value, explanation);
                to.push(Grant { payable: false, ..grant });
            }
            (Rule::Expenses { cap }, Fact::ExpenseHandedIn { amount }) => {
                let room = (i128::from(cap.minor()) - self.expenses).max(0);
                let refunded = i64::try_from(room).map_or(amount.minor(), |room| room.min(amount.minor()));
                let mut explanation = format!("expense of {amount}");
                if refunded < amount.minor() {
                    explanation += &format!(", limited by the cap of {cap}");
                }
                let refunded = Money::new(refunded, rules.currency);
                to.push(Grant::whole(id, EarningRule::Expenses, refunded, explanation));
            }
            (Rule::KillFee { fee, steps }, Fact::Cancelled { progress }) if once(WHOLE) => {
                let step = steps.iter().rev().find(|(from, _)| *from as i32 <= *progress as i32);
                if let Some((_, basis_points)) = step {
                    let stage = stage(*progress);
                    let explanation = format!("{} of the fee of {fee}: ended after {stage}", percent(*basis_points));
                    let grant = Grant::whole(id, EarningRule::KillFee, share(*fee, *basis_points)?, explanation);
                    to.push(Grant { base: *fee, rate_basis_points: *basis_points, ..grant });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The instalments of a fee that a milestone makes earned, and that were not earned before.
    fn instalments(&self, id: &str, whole: Money, parts: &[Instalment], milestone: Milestone) -> Vec<Grant> {
        let occasion = if milestone == Milestone::Signing { "signing" } else { "publication" };
        let due = parts.iter().enumerate().filter(|(_, part)| part.milestone == milestone);
        let new = due.filter(|(index, _)| !self.granted.contains(&(id.to_owned(), index.to_string())));
        let grant = |(index, part): (usize, &Instalment)| {
            let share = part.share_basis_points;
            let explanation = format!("{} of the fee of {whole} on {occasion}", percent(share));
            let grant = Grant::whole(id, EarningRule::FeeInstalment, part.amount, explanation);
            Grant { part: index.to_string(), base: whole, rate_basis_points: share, ..grant }
        };
        new.map(grant).collect()
    }

    /// A figure, with what a fact adds to it.
    fn figure(&self, metric: Metric, fact: &Fact) -> i128 {
        let mut figures = self.figures.clone();
        let mut orders = self.sales.count() as i128;
        match fact {
            Fact::Measured { metric, value, source } => {
                let highest = figures.entry((*metric, source.clone())).or_default();
                *highest = (*highest).max(*value);
            }
            Fact::Ordered { .. } => orders += 1,
            _ => {}
        }
        let measured = figures.iter().filter(|((of, _), _)| *of == metric).map(|(_, value)| i128::from(*value)).sum();
        // Orders are counted here, and may be reported as a total besides.
        if metric == Metric::Orders { orders.max(measured) } else { measured }
    }
}

fn noun(metric: Metric) -> &'static str {
    match metric {
        Metric::Impressions => "impressions",
        Metric::Engagements => "engagements",
        Metric::Clicks => "clicks",
        Metric::Orders => "orders",
        Metric::Unspecified => "of nothing",
    }
}

fn stage(progress: WorkProgress) -> &'static str {
    match progress {
        WorkProgress::Unspecified | WorkProgress::Signed => "signing",
        WorkProgress::DraftSubmitted => "a draft was handed in",
        WorkProgress::DraftApproved => "a draft was approved",
    }
}
