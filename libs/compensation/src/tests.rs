//! Terms and facts as the tests write them.

mod commission;
mod days;
mod facts;
mod fees;
mod grants;
mod properties;
mod terminations;

use jiff::Timestamp;
use tandem_money::{Currency, Money};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    Clause, CommissionClause, CommissionTier, ContentType, DeliverableTerm, DeliverablesClause, FeeClause,
    HoldbackClause, Instalment, Milestone, PaymentBasis, PaymentTermsClause, Terms,
};

use crate::{Fact, FactError, Ledger, Line, Rules};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Noon of a day in New York.
fn noon(day: &str) -> Timestamp {
    at(&format!("{day}T16:00:00Z"))
}

fn clause(clause_id: &str, kind: Kind) -> Clause {
    Clause { clause_id: clause_id.into(), clause: Some(kind) }
}

fn fee(minor: i64, instalments: &[(Milestone, i32)]) -> Clause {
    let instalments = instalments
        .iter()
        .map(|&(milestone, share_basis_points)| Instalment { milestone: milestone.into(), share_basis_points });
    clause("fee", Kind::Fee(FeeClause { amount: Some(usd(minor).into()), instalments: instalments.collect() }))
}

/// A rate, others from some sales on, and caps for an order, a month, and in all.
fn commission(rate_basis_points: i32, tiers: &[(i64, i32)], caps: [Option<i64>; 3]) -> Clause {
    let tier = |&(from, rate_basis_points): &(i64, i32)| CommissionTier {
        from_amount: Some(usd(from).into()),
        rate_basis_points,
    };
    let [order_cap, month_cap, total_cap] = caps.map(|cap| cap.map(|cap| usd(cap).into()));
    let tiers = tiers.iter().map(tier).collect();
    clause(
        "commission",
        Kind::Commission(CommissionClause { rate_basis_points, tiers, order_cap, month_cap, total_cap }),
    )
}

fn plain(rate_basis_points: i32) -> Clause {
    commission(rate_basis_points, &[], [None; 3])
}

fn payment(net_days: i32, basis: PaymentBasis) -> Clause {
    clause("payment", Kind::PaymentTerms(PaymentTermsClause { net_days, basis: basis.into(), minimum_payout: None }))
}

fn holdback(share_basis_points: i32, release_days: i32) -> Clause {
    clause("holdback", Kind::Holdback(HoldbackClause { share_basis_points, release_days }))
}

fn content(deliverables: &[(&str, ContentType)]) -> Clause {
    let deliverable = |(id, kind): &(&str, ContentType)| DeliverableTerm {
        deliverable_id: (*id).into(),
        content_type: (*kind).into(),
        ..DeliverableTerm::default()
    };
    let deliverables = deliverables.iter().map(deliverable).collect();
    clause("content", Kind::Deliverables(DeliverablesClause { deliverables, ..DeliverablesClause::default() }))
}

fn terms(clauses: impl IntoIterator<Item = Clause>) -> Terms {
    Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        clauses: clauses.into_iter().collect(),
        ..Terms::default()
    }
}

fn rules(clauses: impl IntoIterator<Item = Clause>) -> Rules {
    Rules::parse(&terms(clauses)).unwrap()
}

fn published(deliverable_id: &str, last: bool) -> Fact {
    Fact::Published { deliverable_id: deliverable_id.into(), last }
}

fn ordered(order_id: &str, minor: i64, day: &str) -> Fact {
    Fact::Ordered { order_id: order_id.into(), net: usd(minor), time: noon(day) }
}

fn refunded(order_id: &str, minor: i64) -> Fact {
    Fact::Refunded { order_id: order_id.into(), net: usd(minor) }
}

/// A contract to which things happen.
struct Contract {
    rules: Rules,
    ledger: Ledger,
}

fn given(clauses: impl IntoIterator<Item = Clause>) -> Contract {
    Contract { rules: rules(clauses), ledger: Ledger::default() }
}

impl Contract {
    /// What a fact of the first of July earns.
    fn lines(&mut self, fact: Fact) -> Vec<Line> {
        self.ledger.take(&self.rules, &fact, noon("2026-07-01")).unwrap()
    }

    fn earns(&mut self, fact: Fact) -> Vec<i64> {
        self.lines(fact).into_iter().map(|line| line.amount.minor()).collect()
    }

    fn refuses(&mut self, fact: &Fact) -> FactError {
        self.ledger.take(&self.rules, fact, noon("2026-07-01")).unwrap_err()
    }
}
