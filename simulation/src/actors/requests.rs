//! What actors ask for: terms and requests, as people would write them.
//!
//! Invariant: all money is in whole cents of one currency.

use jiff::civil::Date;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::{Date as WireDate, Money};

use crate::chance::Chance;

pub(super) const BRAND: &str = "brands/glowco";

pub(super) fn usd(minor: i64) -> Option<Money> {
    let nanos = i32::try_from(minor % 100).unwrap_or_default() * 10_000_000;
    Some(Money { currency_code: "USD".into(), units: minor / 100, nanos })
}

pub(super) fn date(year: i32, month: i32, day: i32) -> Option<WireDate> {
    Some(WireDate { year, month, day })
}

pub(super) fn wire(day: Date) -> Option<WireDate> {
    date(day.year().into(), day.month().into(), day.day().into())
}

fn clause(clause_id: &str, kind: Kind) -> pb::Clause {
    pb::Clause { clause_id: clause_id.into(), clause: Some(kind) }
}

fn deliverable(number: i64) -> pb::DeliverableTerm {
    pb::DeliverableTerm {
        deliverable_id: format!("reel-{number}"),
        content_type: pb::ContentType::ShortVideo.into(),
        channel: "instagram".into(),
        due_date: date(2026, 6, 30),
        live_days: 30,
        ..Default::default()
    }
}

fn fee(chance: &Chance) -> pb::FeeClause {
    let instalment = |milestone: pb::Milestone, share_basis_points| pb::Instalment {
        milestone: milestone.into(),
        share_basis_points,
    };
    let signing = i32::try_from(chance.between(1, 9999)).unwrap_or(5000);
    let instalments =
        vec![instalment(pb::Milestone::Signing, signing), instalment(pb::Milestone::Publication, 10_000 - signing)];
    pb::FeeClause { amount: usd(chance.between(10_000, 900_000)), instalments }
}

fn commission(chance: &Chance) -> pb::CommissionClause {
    let tier = |from, rate| pb::CommissionTier { from_amount: usd(from), rate_basis_points: rate };
    let rate = i32::try_from(chance.between(1, 2500)).unwrap_or(1000);
    pb::CommissionClause {
        rate_basis_points: rate,
        tiers: if chance.one_in(3) { vec![tier(chance.between(5_000, 40_000), rate + 333)] } else { Vec::new() },
        order_cap: if chance.one_in(5) { usd(chance.between(100, 3_000)) } else { None },
        total_cap: if chance.one_in(5) { usd(chance.between(1_000, 9_000)) } else { None },
        ..Default::default()
    }
}

/// A summer of content for a fee and commission; the rest by chance.
pub(super) fn terms(chance: &Chance) -> pb::Terms {
    let deliverables = (1..=chance.between(1, 2)).map(deliverable).collect();
    let (brand, creator) = (pb::Party::Brand.into(), pb::Party::Creator.into());
    let step = |progress: pb::WorkProgress, share_basis_points| pb::KillFeeStep {
        progress: progress.into(),
        share_basis_points,
    };
    let mut clauses = vec![
        clause("content", Kind::Deliverables(pb::DeliverablesClause { deliverables, ..Default::default() })),
        clause("fee", Kind::Fee(fee(chance))),
        clause("commission", Kind::Commission(commission(chance))),
        clause("payment", Kind::PaymentTerms(pb::PaymentTermsClause { net_days: 30, ..Default::default() })),
        clause(
            "review",
            Kind::Review(pb::ReviewClause { window_business_days: 3, silence_approves: true, revision_rounds: 2 }),
        ),
        clause(
            "disclosure",
            Kind::Disclosure(pb::DisclosureClause {
                platform_label_required: true,
                accepted_tags: vec!["#ad".into()],
                brand_tag: "@glowco".into(),
            }),
        ),
        clause(
            "ending",
            Kind::Termination(pb::TerminationClause {
                convenience_parties: vec![brand, creator],
                notice_days: 14,
                cure_days: 10,
                clawback_share_basis_points: 5000,
            }),
        ),
        clause(
            "changes",
            Kind::Amendment(pb::AmendmentClause {
                replacing_parties: vec![brand],
                replaceable_clause_ids: vec!["disclosure".into()],
                notice_days: 7,
            }),
        ),
    ];
    if chance.one_in(2) {
        clauses.push(clause(
            "ads",
            Kind::UsageRights(pb::UsageRightsClause {
                kind: pb::UsageKind::PaidAmplification.into(),
                months: 2,
                channels: vec!["instagram".into()],
                territories: vec!["US".into()],
                ..Default::default()
            }),
        ));
    }
    if chance.one_in(2) {
        let threshold = chance.between(2, 5);
        let metric = pb::Metric::Orders.into();
        clauses.push(clause("bonus", Kind::Bonus(pb::BonusClause { metric, threshold, amount: usd(12_345) })));
    }
    if chance.one_in(2) {
        let steps = vec![step(pb::WorkProgress::Signed, 2500), step(pb::WorkProgress::DraftSubmitted, 5000)];
        clauses.push(clause("kill-fee", Kind::KillFee(pb::KillFeeClause { steps })));
    }
    if chance.one_in(3) {
        clauses.push(clause(
            "exclusivity",
            Kind::Exclusivity(pb::ExclusivityClause {
                categories: vec!["skin-care".into()],
                territories: vec!["WORLD".into()],
                days_after_end: 10,
                ..Default::default()
            }),
        ));
    }
    if chance.one_in(3) {
        clauses.push(clause(
            "renewal",
            Kind::Renewal(pb::RenewalClause {
                auto_renew: true,
                term_months: 1,
                notice_days: 10,
                warning_days: vec![1],
            }),
        ));
    }
    pb::Terms {
        currency_code: "USD".into(),
        time_zone: chance.pick(&["America/New_York", "Europe/Berlin", "Asia/Tokyo"]).into(),
        start_date: date(2026, 5, 1),
        end_date: date(2026, 8, 31),
        clauses,
    }
}

/// The same terms for another fee.
pub(super) fn with_fee(mut terms: pb::Terms, minor: i64) -> pb::Terms {
    for clause in &mut terms.clauses {
        if let Some(Kind::Fee(fee)) = &mut clause.clause {
            fee.amount = usd(minor);
        }
    }
    terms
}
