//! The contract that everything is measured with: seven clauses, as a brand would write them.

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::{Date, Money};

pub(crate) const TENANT: &str = "acme";
pub(crate) const BRAND: &str = "brands/glowco";
pub(crate) const CREATOR: &str = "creators/zoe";

/// A contract to be created, on these terms.
pub(crate) fn contract(terms: pb::Terms) -> pb::Contract {
    pb::Contract {
        brand: BRAND.into(),
        creator: CREATOR.into(),
        title: "Summer launch".into(),
        terms: Some(terms),
        ..Default::default()
    }
}

/// Terms for a fee in whole dollars.
pub(crate) fn terms(fee: i64) -> pb::Terms {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let half = |milestone: pb::Milestone| pb::Instalment { milestone: milestone.into(), share_basis_points: 5000 };
    let reel = pb::DeliverableTerm {
        deliverable_id: "reel-1".into(),
        content_type: pb::ContentType::ShortVideo.into(),
        channel: "instagram".into(),
        due_date: date(6, 30),
        live_days: 30,
        ..Default::default()
    };
    let fee = pb::FeeClause {
        amount: Some(Money { currency_code: "USD".into(), units: fee, nanos: 0 }),
        instalments: vec![half(pb::Milestone::Signing), half(pb::Milestone::Publication)],
    };
    let usage_rights = pb::UsageRightsClause {
        kind: pb::UsageKind::PaidAmplification.into(),
        months: 6,
        channels: words(&["instagram", "brand-site"]),
        territories: words(&["US", "CA"]),
        ..Default::default()
    };
    let exclusivity = pb::ExclusivityClause {
        categories: words(&["skin-care"]),
        territories: words(&["US", "CA"]),
        days_after_end: 30,
        ..Default::default()
    };
    let disclosure = pb::DisclosureClause {
        platform_label_required: true,
        accepted_tags: words(&["#ad"]),
        brand_tag: "@glowco".into(),
    };
    let review = pb::ReviewClause { window_business_days: 3, silence_approves: true, revision_rounds: 2 };
    let clauses = [
        ("content", Kind::Deliverables(pb::DeliverablesClause { deliverables: vec![reel], ..Default::default() })),
        ("fee", Kind::Fee(fee)),
        ("payment", Kind::PaymentTerms(pb::PaymentTermsClause { net_days: 30, ..Default::default() })),
        ("review", Kind::Review(review)),
        ("ads", Kind::UsageRights(usage_rights)),
        ("exclusivity", Kind::Exclusivity(exclusivity)),
        ("disclosure", Kind::Disclosure(disclosure)),
    ];
    pb::Terms {
        currency_code: "USD".into(),
        time_zone: "America/New_York".into(),
        start_date: date(6, 1),
        end_date: date(8, 31),
        clauses: clauses.map(|(id, kind)| pb::Clause { clause_id: id.into(), clause: Some(kind) }).into(),
    }
}

fn date(month: i32, day: i32) -> Option<Date> {
    Some(Date { year: 2027, month, day })
}
