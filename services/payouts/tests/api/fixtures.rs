//! A contract with a fee in two instalments and a commission, and what happens under it.

use tandem_proto::campaigns::v1 as campaigns;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{self as contracts, Milestone};
use tandem_proto::creators::v1::PayoutAccount;
use tandem_proto::google::r#type::{Date, Money};
use tandem_proto::payouts::v1::{self as pb, EarningRule};

pub const BRAND: &str = "brands/glowco";
pub const CREATOR: &str = "creators/zoe";

pub fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// From cents.
pub fn usd(minor: i64) -> Option<Money> {
    let nanos = i32::try_from(minor % 100).unwrap() * 10_000_000;
    Some(Money { currency_code: "USD".into(), units: minor / 100, nanos })
}

pub fn clause(clause_id: &str, kind: Kind) -> contracts::Clause {
    contracts::Clause { clause_id: clause_id.into(), clause: Some(kind) }
}

pub fn terms() -> contracts::Terms {
    let instalment =
        |milestone: Milestone| contracts::Instalment { milestone: milestone.into(), share_basis_points: 5000 };
    let instalments = vec![instalment(Milestone::Signing), instalment(Milestone::Publication)];
    contracts::Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        start_date: Some(date(2026, 6, 1)),
        end_date: Some(date(2026, 8, 31)),
        clauses: vec![
            clause("fee", Kind::Fee(contracts::FeeClause { amount: usd(400_001), instalments })),
            clause(
                "commission",
                Kind::Commission(contracts::CommissionClause { rate_basis_points: 1000, ..Default::default() }),
            ),
            clause("payment", Kind::PaymentTerms(contracts::PaymentTermsClause { net_days: 30, ..Default::default() })),
        ],
    }
}

/// As the contracts service tells one of which version 2 was signed.
pub fn contract(name: &str) -> contracts::Contract {
    contracts::Contract {
        name: name.into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        round: 2,
        version: 2,
        terms: Some(terms()),
        versions: vec![contracts::TermsVersion { version: 2, ..Default::default() }],
        state: contracts::ContractState::Active.into(),
        ..Default::default()
    }
}

pub fn signed() -> contracts::ContractSigned {
    contracts::ContractSigned { version: 2, brand: BRAND.into(), creator: CREATOR.into(), ..Default::default() }
}

pub fn published(contract: &str, remaining_count: i32) -> campaigns::DeliverablePublished {
    campaigns::DeliverablePublished {
        deliverable_id: "reel-1".into(),
        remaining_count,
        contract: contract.into(),
        contract_version: 2,
        ..Default::default()
    }
}

fn attribution(contract: &str) -> Option<campaigns::TrackingCodeAssigned> {
    Some(campaigns::TrackingCodeAssigned {
        contract: contract.into(),
        contract_version: 2,
        brand: BRAND.into(),
        creator: CREATOR.into(),
        currency_code: "USD".into(),
        ..Default::default()
    })
}

pub fn order(contract: &str, minor: i64) -> campaigns::OrderAttributed {
    campaigns::OrderAttributed {
        shop: "shop-us".into(),
        order_id: "o1".into(),
        attribution: attribution(contract),
        net_amount: usd(minor),
        ..Default::default()
    }
}

/// Of an order of so much, so much after so much before.
pub fn refund(contract: &str, order: i64, before: i64, minor: i64) -> campaigns::OrderRefunded {
    campaigns::OrderRefunded {
        refund_id: "r1".into(),
        net_amount: usd(minor),
        attribution: attribution(contract),
        order_net_amount: usd(order),
        previously_refunded_amount: usd(before),
        ..Default::default()
    }
}

/// A commission of so many cents, due on 2026-08-01; a clawback if negative.
pub fn earning(creator: &str, minor: i64) -> pb::Earning {
    let rule = if minor < 0 { EarningRule::CommissionClawback } else { EarningRule::Commission };
    pb::Earning {
        brand: BRAND.into(),
        creator: creator.into(),
        contract: "contracts/c1".into(),
        contract_version: 2,
        clause_id: "commission".into(),
        rule: rule.into(),
        amount: usd(minor),
        calculation: Some(pb::Calculation {
            base_amount: usd(minor.abs() * 10),
            rate_basis_points: 1000,
            explanation: "10 % commission".into(),
        }),
        source_events: vec![pb::SourceEvent { event_id: "e1".into(), position: 1, ..Default::default() }],
        earn_time: Some(instant("2026-07-02T12:00:00Z")),
        due_date: Some(date(2026, 8, 1)),
        ..Default::default()
    }
}

pub fn instant(time: &str) -> prost_types::Timestamp {
    tandem_proto::time::to_proto(time.parse().unwrap())
}

pub fn debtor() -> pb::DebtorAccount {
    pb::DebtorAccount {
        holder_name: "GlowCo Inc.".into(),
        iban: "DE89370400440532013000".into(),
        bic: "COBADEFFXXX".into(),
    }
}

/// What is due by 2026-08-03 in dollars.
pub fn run(id: &str) -> pb::CreatePayoutRunRequest {
    let run = pb::PayoutRun {
        brand: BRAND.into(),
        currency_code: "USD".into(),
        due_date: Some(date(2026, 8, 3)),
        debtor: Some(debtor()),
        ..Default::default()
    };
    pb::CreatePayoutRunRequest { payout_run: Some(run), payout_run_id: id.into(), request_id: String::new() }
}

pub fn account(holder_name: &str) -> PayoutAccount {
    PayoutAccount {
        holder_name: holder_name.into(),
        iban: "NL91ABNA0417164300".into(),
        bic: "ABNANL2A".into(),
        country_code: "NL".into(),
    }
}
