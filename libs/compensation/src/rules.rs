//! The terms that are about money, as rules.
//!
//! Invariant: all amounts are in the currency of the terms, and what could not be reckoned with is an error here, once.

use std::collections::HashMap;
use std::sync::Arc;

use tandem_money::dates::{DateError, time_zone};
use tandem_money::{Currency, Money, MoneyError};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    CommissionClause, ContentType, FeeClause, KillFeeClause, Metric, Milestone, PaymentBasis, Terms, WorkProgress,
};
use tandem_proto::google::r#type as wire;

use crate::Fact;
use crate::due::{Holdback, Payment};

/// Why terms can't be computed by. Terms that a contract is made of are never refused for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// No amount that can be reckoned with.
    #[error("clause {clause_id:?} has an amount that can't be reckoned with: {error}")]
    Amount {
        /// The clause; empty for the currency of the terms.
        clause_id: String,
        /// What is wrong.
        error: MoneyError,
    },
    /// No time zone.
    #[error(transparent)]
    Date(#[from] DateError),
}

/// Terms to compute by.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) currency: Currency,
    /// By clause, in the order of the terms.
    pub(crate) clauses: Vec<(String, Rule)>,
    pub(crate) payment: Payment,
    pub(crate) holdback: Option<Holdback>,
    minimum_payout: Option<Money>,
    deliverables: HashMap<String, ContentType>,
}

/// A clause that grants something.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Fee { whole: Money, instalments: Vec<Instalment> },
    PerDeliverable { amount: Money, content_type: ContentType },
    Commission(Arc<Commission>),
    Bonus { metric: Metric, threshold: i64, amount: Money },
    RevenueShare { share_basis_points: i32 },
    ProductValue { value: Money, description: String },
    Expenses { cap: Money },
    KillFee { fee: Money, steps: Vec<(WorkProgress, i32)> },
}

/// A part of a fee.
#[derive(Clone, Debug)]
pub(crate) struct Instalment {
    pub milestone: Milestone,
    pub share_basis_points: i32,
    pub amount: Money,
}

/// A share of sales, in minor units of the terms' currency.
#[derive(Clone, Debug)]
pub(crate) struct Commission {
    pub clause_id: String,
    /// From which sales on at which rate in basis points, ascending; the first from 0. Never empty.
    pub tiers: Vec<(i64, i32)>,
    pub order_cap: Option<i64>,
    pub month_cap: Option<i64>,
    pub total_cap: Option<i64>,
}

impl Rules {
    /// Reads terms.
    ///
    /// # Errors
    /// If they have no time zone, or an amount that is not whole minor units of their currency.
    pub fn parse(terms: &Terms) -> Result<Self, TermsError> {
        let currency = terms.currency_code.parse().map_err(wrong(""))?;
        let mut rules = Self {
            currency,
            clauses: Vec::new(),
            payment: Payment { zone: time_zone(&terms.time_zone)?, net_days: 0, end_of_month: false },
            holdback: None,
            minimum_payout: None,
            deliverables: HashMap::new(),
        };
        let fee = terms.clauses.iter().find_map(|clause| match &clause.clause {
            Some(Kind::Fee(fee)) => fee.amount.as_ref(),
            _ => None,
        });
        for clause in &terms.clauses {
            let (id, Some(kind)) = (&clause.clause_id, &clause.clause) else { continue };
            if let Some(rule) = rules.take(id, kind, fee).map_err(wrong(id))? {
                rules.clauses.push((id.clone(), rule));
            }
        }
        Ok(rules)
    }

    fn take(&mut self, id: &str, kind: &Kind, fee: Option<&wire::Money>) -> Result<Option<Rule>, MoneyError> {
        Ok(Some(match kind {
            Kind::Fee(clause) => self.fee(clause)?,
            Kind::PerDeliverableFee(clause) => Rule::PerDeliverable {
                amount: self.money(clause.amount.as_ref())?,
                content_type: clause.content_type(),
            },
            Kind::Commission(clause) => Rule::Commission(Arc::new(self.read_commission(id, clause)?)),
            Kind::Bonus(clause) => Rule::Bonus {
                metric: clause.metric(),
                threshold: clause.threshold,
                amount: self.money(clause.amount.as_ref())?,
            },
            Kind::RevenueShare(clause) => Rule::RevenueShare { share_basis_points: clause.share_basis_points },
            Kind::ProductValue(clause) => Rule::ProductValue {
                value: self.money(clause.value.as_ref())?,
                description: clause.description.clone(),
            },
            Kind::Expenses(clause) => Rule::Expenses { cap: self.money(clause.cap.as_ref())? },
            Kind::KillFee(clause) => {
                let Some(fee) = fee else { return Ok(None) };
                Rule::KillFee { fee: self.money(Some(fee))?, steps: steps(clause) }
            }
            Kind::PaymentTerms(clause) => {
                self.payment.net_days = clause.net_days.unsigned_abs();
                self.payment.end_of_month = clause.basis() == PaymentBasis::EndOfMonth;
                self.minimum_payout = self.optional(clause.minimum_payout.as_ref())?;
                return Ok(None);
            }
            Kind::Holdback(clause) => {
                let release_days = clause.release_days.unsigned_abs();
                self.holdback = Some(Holdback { share_basis_points: clause.share_basis_points, release_days });
                return Ok(None);
            }
            Kind::Deliverables(clause) => {
                let of = clause.deliverables.iter();
                self.deliverables = of.map(|owed| (owed.deliverable_id.clone(), owed.content_type())).collect();
                return Ok(None);
            }
            Kind::Review(_)
            | Kind::UsageRights(_)
            | Kind::Exclusivity(_)
            | Kind::Disclosure(_)
            | Kind::AiLikeness(_)
            | Kind::Morality(_)
            | Kind::Renewal(_)
            | Kind::Termination(_)
            | Kind::Amendment(_)
            | Kind::GoverningLaw(_) => return Ok(None),
        }))
    }

    fn fee(&self, clause: &FeeClause) -> Result<Rule, MoneyError> {
        let whole = self.money(clause.amount.as_ref())?;
        let shares: Vec<_> =
            clause.instalments.iter().map(|part| u64::from(part.share_basis_points.unsigned_abs())).collect();
        let instalments = clause.instalments.iter().zip(whole.split(&shares)?).map(|(part, amount)| Instalment {
            milestone: part.milestone(),
            share_basis_points: part.share_basis_points,
            amount,
        });
        Ok(Rule::Fee { whole, instalments: instalments.collect() })
    }

    fn read_commission(&self, id: &str, clause: &CommissionClause) -> Result<Commission, MoneyError> {
        let mut tiers = vec![(0, clause.rate_basis_points)];
        for tier in &clause.tiers {
            tiers.push((self.money(tier.from_amount.as_ref())?.minor(), tier.rate_basis_points));
        }
        let cap = |cap: &Option<wire::Money>| Ok::<_, MoneyError>(self.optional(cap.as_ref())?.map(Money::minor));
        Ok(Commission {
            clause_id: id.to_owned(),
            tiers,
            order_cap: cap(&clause.order_cap)?,
            month_cap: cap(&clause.month_cap)?,
            total_cap: cap(&clause.total_cap)?,
        })
    }

    fn money(&self, amount: Option<&wire::Money>) -> Result<Money, MoneyError> {
        let amount = Money::try_from(amount.unwrap_or(&wire::Money::default()))?;
        // Nothing of the currency can be added to what is of another.
        Money::zero(self.currency).checked_add(amount)
    }

    fn optional(&self, amount: Option<&wire::Money>) -> Result<Option<Money>, MoneyError> {
        amount.map(|amount| self.money(Some(amount))).transpose()
    }

    /// The currency of all amounts.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Less than this is not paid out alone; none if any amount is.
    #[must_use]
    pub fn minimum_payout(&self) -> Option<Money> {
        self.minimum_payout
    }

    /// The kind of a deliverable that is owed; none if it is not owed.
    #[must_use]
    pub fn deliverable(&self, deliverable_id: &str) -> Option<ContentType> {
        self.deliverables.get(deliverable_id).copied()
    }

    pub(crate) fn commission(&self) -> Option<Arc<Commission>> {
        self.clauses.iter().find_map(|(_, rule)| match rule {
            Rule::Commission(commission) => Some(Arc::clone(commission)),
            _ => None,
        })
    }

    /// Whether a clause is about a fact that is there for its clause alone, an expense or revenue; any other needs none.
    #[must_use]
    pub fn provides_for(&self, fact: &Fact) -> bool {
        let provides = |is: fn(&Rule) -> bool| self.clauses.iter().any(|(_, rule)| is(rule));
        match fact {
            Fact::ExpenseHandedIn { .. } => provides(|rule| matches!(rule, Rule::Expenses { .. })),
            Fact::RevenueReported { .. } => provides(|rule| matches!(rule, Rule::RevenueShare { .. })),
            _ => true,
        }
    }

    /// Whether what a fact earns depends on what else happened under the contract: on other orders, on other figures, on
    /// other expenses. If not, it can be priced by a ledger that knows nothing, for a refund but its own order.
    #[must_use]
    pub fn depends_on_others(&self, fact: &Fact) -> bool {
        self.clauses.iter().any(|(_, rule)| match (rule, fact) {
            (Rule::Commission(commission), Fact::Ordered { .. } | Fact::Refunded { .. }) => {
                commission.tiers.len() > 1 || commission.month_cap.is_some() || commission.total_cap.is_some()
            }
            (Rule::Bonus { metric, .. }, Fact::Ordered { .. } | Fact::Refunded { .. }) => *metric == Metric::Orders,
            (Rule::Bonus { .. }, Fact::Measured { .. }) | (Rule::Expenses { .. }, Fact::ExpenseHandedIn { .. }) => true,
            _ => false,
        })
    }
}

fn steps(clause: &KillFeeClause) -> Vec<(WorkProgress, i32)> {
    clause.steps.iter().map(|step| (step.progress(), step.share_basis_points)).collect()
}

fn wrong(clause_id: &str) -> impl Fn(MoneyError) -> TermsError {
    move |error| TermsError::Amount { clause_id: clause_id.to_owned(), error }
}
