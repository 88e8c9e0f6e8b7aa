//! Terms as brand and creator would write them, with one clause of every kind.

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::{Date, Money};

pub const BRAND: &str = "brands/glowco";
pub const CREATOR: &str = "creators/zoe";

pub fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

pub fn usd(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

pub fn clause(clause_id: &str, kind: Kind) -> pb::Clause {
    pb::Clause { clause_id: clause_id.into(), clause: Some(kind) }
}

pub fn deliverable(deliverable_id: &str, due_date: Option<Date>) -> pb::DeliverableTerm {
    pb::DeliverableTerm {
        deliverable_id: deliverable_id.into(),
        content_type: pb::ContentType::ShortVideo.into(),
        channel: "instagram".into(),
        due_date,
        live_days: 30,
        ..Default::default()
    }
}

pub fn instalment(milestone: pb::Milestone, share_basis_points: i32) -> pb::Instalment {
    pb::Instalment { milestone: milestone.into(), share_basis_points }
}

pub fn step(progress: pb::WorkProgress, share_basis_points: i32) -> pb::KillFeeStep {
    pb::KillFeeStep { progress: progress.into(), share_basis_points }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(Into::into).into()
}

/// A summer for a fixed fee, half of it on signing. The indices of the clauses are 0 to 11, in the order of their
/// numbers in the proto file.
pub fn terms() -> pb::Terms {
    let fee = pb::FeeClause {
        amount: usd(4000),
        instalments: vec![instalment(pb::Milestone::Signing, 5000), instalment(pb::Milestone::Publication, 5000)],
    };
    let usage_rights = pb::UsageRightsClause {
        kind: pb::UsageKind::PaidAmplification.into(),
        months: 6,
        days: 0,
        channels: words(["instagram", "brand-site"]),
        territories: words(["US", "CA"]),
        ..Default::default()
    };
    let exclusivity = pb::ExclusivityClause {
        categories: words(["skin-care"]),
        territories: words(["WORLD"]),
        days_after_end: 30,
        ..Default::default()
    };
    let disclosure = pb::DisclosureClause {
        platform_label_required: true,
        accepted_tags: words(["#ad"]),
        brand_tag: "@glowco".into(),
    };
    let likeness = pb::AiLikenessClause { ai_content_label_required: true, ..Default::default() };
    let kill_fee = pb::KillFeeClause {
        steps: vec![step(pb::WorkProgress::Signed, 2500), step(pb::WorkProgress::DraftSubmitted, 5000)],
    };
    let reel = deliverable("reel-1", date(2026, 6, 30));
    pb::Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        start_date: date(2026, 6, 1),
        end_date: date(2026, 8, 31),
        clauses: vec![
            clause(
                "content",
                Kind::Deliverables(pb::DeliverablesClause { deliverables: vec![reel], ..Default::default() }),
            ),
            clause("fee", Kind::Fee(fee)),
            clause(
                "commission",
                Kind::Commission(pb::CommissionClause { rate_basis_points: 1000, ..Default::default() }),
            ),
            clause("payment", Kind::PaymentTerms(pb::PaymentTermsClause { net_days: 30, ..Default::default() })),
            clause(
                "review",
                Kind::Review(pb::ReviewClause { window_business_days: 3, silence_approves: true, revision_rounds: 2 }),
            ),
            clause("ads", Kind::UsageRights(usage_rights)),
            clause("exclusivity", Kind::Exclusivity(exclusivity)),
            clause("disclosure", Kind::Disclosure(disclosure)),
            clause("likeness", Kind::AiLikeness(likeness)),
            clause("conduct", Kind::Morality(pb::MoralityClause { grounds: words(["A criminal offence."]) })),
            clause("kill-fee", Kind::KillFee(kill_fee)),
            clause(
                "renewal",
                Kind::Renewal(pb::RenewalClause {
                    auto_renew: true,
                    term_months: 3,
                    notice_days: 30,
                    ..Default::default()
                }),
            ),
        ],
    }
}

/// The same for another fee, in whole dollars.
pub fn terms_for(fee: i64) -> pb::Terms {
    with_fee(terms(), fee)
}

fn with_fee(mut terms: pb::Terms, fee: i64) -> pb::Terms {
    for clause in &mut terms.clauses {
        if let Some(Kind::Fee(clause)) = &mut clause.clause {
            clause.amount = usd(fee);
        }
    }
    terms
}

/// The same, with what it takes to be changed and ended early: both may end it with 14 days of notice, breaches are cured
/// in 10 days, half is taken back for the creator's fault, the brand may replace "disclosure" and "ads" with 7 days of
/// notice. The warning ahead of its renewal comes late.
pub fn changeable_terms() -> pb::Terms {
    let termination = pb::TerminationClause {
        convenience_parties: vec![pb::Party::Brand.into(), pb::Party::Creator.into()],
        notice_days: 14,
        cure_days: 10,
        clawback_share_basis_points: 5000,
    };
    let amendment = pb::AmendmentClause {
        replacing_parties: vec![pb::Party::Brand.into()],
        replaceable_clause_ids: words(["disclosure", "ads"]),
        notice_days: 7,
    };
    let mut terms = terms();
    for clause in &mut terms.clauses {
        if let Some(Kind::Renewal(clause)) = &mut clause.clause {
            clause.warning_days = vec![1];
        }
    }
    let more = [clause("ending", Kind::Termination(termination)), clause("changes", Kind::Amendment(amendment))];
    terms.clauses.extend(more);
    terms
}

/// The same for another fee, in whole dollars.
pub fn changeable_terms_for(fee: i64) -> pb::Terms {
    with_fee(changeable_terms(), fee)
}
