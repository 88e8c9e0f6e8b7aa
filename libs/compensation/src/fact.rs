//! What happened, as far as it matters to what is earned.
//!
//! Invariant: a fact that can't be true under the terms is an error that names its field and what to do.

use std::fmt::Display;

use jiff::Timestamp;
use tandem_money::{Currency, Money};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::compensation_fact::Fact as Kind;
use tandem_proto::contracts::v1::{Metric, WorkProgress};
use tandem_proto::google::r#type as wire;
use tandem_proto::time;

/// Something that happened, or might.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The second signature.
    Signed,
    /// A deliverable went online.
    Published {
        /// Which.
        deliverable_id: String,
        /// Whether it was the last that is owed.
        last: bool,
    },
    /// An attributed order.
    Ordered {
        /// Its id.
        order_id: String,
        /// Its net value.
        net: Money,
        /// When it was ordered.
        time: Timestamp,
    },
    /// Money of an attributed order went back.
    Refunded {
        /// The order.
        order_id: String,
        /// Net value that went back now.
        net: Money,
    },
    /// A figure of the content, total so far.
    Measured {
        /// Which figure.
        metric: Metric,
        /// How much.
        value: i64,
        /// Of which content alone; of all if empty.
        source: String,
    },
    /// Revenue of a period.
    RevenueReported {
        /// Net.
        net: Money,
    },
    /// A cost of the creator.
    ExpenseHandedIn {
        /// How much.
        amount: Money,
    },
    /// The brand ended the contract for convenience.
    Cancelled {
        /// How far the work had come.
        progress: WorkProgress,
    },
}

/// Why a fact earns neither something nor nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {description}")]
pub struct FactError {
    /// The field of `tandem.contracts.v1.CompensationFact`, as "order.net_amount".
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub description: String,
}

impl FactError {
    pub(crate) fn new(field: &'static str, description: impl Into<String>) -> Self {
        Self { field, description: description.into() }
    }

    /// An amount is needed in a currency, and not below zero.
    pub(crate) fn require(field: &'static str, amount: Money, currency: Currency) -> Result<(), Self> {
        if amount.currency() != currency {
            let description =
                format!("is in {}, but the terms are in {currency}: give it in {currency}", amount.currency());
            return Err(Self::new(field, description));
        }
        if amount.is_negative() {
            return Err(Self::new(field, "is below zero: give what is taken back as a refund"));
        }
        Ok(())
    }
}

impl Fact {
    /// The fact of a message, and when it happened.
    ///
    /// # Errors
    /// If something is missing, or can't be taken.
    pub fn from_proto(message: &pb::CompensationFact) -> Result<(Self, Timestamp), FactError> {
        let at = instant("fact_time", message.fact_time.as_ref())?;
        let kind = message.fact.as_ref().ok_or_else(|| FactError::new("fact", "is required: say what happened"))?;
        let fact = match kind {
            Kind::Signed(pb::ContractSignedFact {}) => Self::Signed,
            Kind::Published(fact) => {
                Self::Published { deliverable_id: fact.deliverable_id.clone(), last: fact.remaining_count == 0 }
            }
            Kind::Order(fact) => Self::Ordered {
                order_id: fact.order_id.clone(),
                net: money("order.net_amount", fact.net_amount.as_ref())?,
                time: match &fact.order_time {
                    Some(time) => instant("order.order_time", Some(time))?,
                    None => at,
                },
            },
            Kind::Refund(fact) => Self::Refunded {
                order_id: fact.order_id.clone(),
                net: money("refund.net_amount", fact.net_amount.as_ref())?,
            },
            Kind::Metric(fact) => {
                Self::Measured { metric: fact.metric(), value: fact.value, source: fact.source.clone() }
            }
            Kind::Revenue(fact) => {
                Self::RevenueReported { net: money("revenue.net_amount", fact.net_amount.as_ref())? }
            }
            Kind::Expense(fact) => Self::ExpenseHandedIn { amount: money("expense.amount", fact.amount.as_ref())? },
            Kind::Cancelled(fact) => Self::Cancelled { progress: fact.progress() },
        };
        Ok((fact, at))
    }

    /// The message of the fact, which happened at an instant.
    #[must_use]
    pub fn to_proto(&self, at: Timestamp) -> pb::CompensationFact {
        let kind = match self.clone() {
            Self::Signed => Kind::Signed(pb::ContractSignedFact {}),
            Self::Published { deliverable_id, last } => {
                Kind::Published(pb::PublishedFact { deliverable_id, remaining_count: i32::from(!last) })
            }
            Self::Ordered { order_id, net, time } => Kind::Order(pb::OrderFact {
                order_id,
                net_amount: Some(net.into()),
                order_time: Some(time::to_proto(time)),
            }),
            Self::Refunded { order_id, net } => Kind::Refund(pb::RefundFact { order_id, net_amount: Some(net.into()) }),
            Self::Measured { metric, value, source } => {
                Kind::Metric(pb::MetricFact { metric: metric.into(), value, source })
            }
            Self::RevenueReported { net } => Kind::Revenue(pb::RevenueFact { net_amount: Some(net.into()) }),
            Self::ExpenseHandedIn { amount } => Kind::Expense(pb::ExpenseFact { amount: Some(amount.into()) }),
            Self::Cancelled { progress } => Kind::Cancelled(pb::CancelledFact { progress: progress.into() }),
        };
        pb::CompensationFact { fact_time: Some(time::to_proto(at)), fact: Some(kind) }
    }

    /// More than 64 bits of minor units, or later than the year 9999.
    pub(crate) fn beyond_reckoning(&self, error: impl Display) -> FactError {
        let field = match self {
            Self::Ordered { .. } => "order.net_amount",
            Self::Refunded { .. } => "refund.net_amount",
            Self::RevenueReported { .. } => "revenue.net_amount",
            Self::ExpenseHandedIn { .. } => "expense.amount",
            Self::Signed | Self::Published { .. } | Self::Measured { .. } | Self::Cancelled { .. } => "fact_time",
        };
        FactError::new(field, format!("can't be taken: {error}"))
    }
}

fn money(field: &'static str, amount: Option<&wire::Money>) -> Result<Money, FactError> {
    let amount = amount.ok_or_else(|| FactError::new(field, "is required"))?;
    Money::try_from(amount).map_err(|error| FactError::new(field, format!("can't be taken: {error}")))
}

fn instant(field: &'static str, given: Option<&prost_types::Timestamp>) -> Result<Timestamp, FactError> {
    let given = given.ok_or_else(|| FactError::new(field, "is required"))?;
    time::from_proto(given).ok_or_else(|| FactError::new(field, "must be an instant from the year 1 to 9999"))
}
