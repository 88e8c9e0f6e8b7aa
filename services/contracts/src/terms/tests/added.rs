//! What is said of a clause that is added to good terms.

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::Money;

use super::{deliverables, faults};
use crate::fixtures::{clause, date, terms, usd};

/// Puts a clause into good terms, in place of one of its kind if that can stand only once, and tells what is said of it.
fn with(kind: Kind) -> Vec<(String, String)> {
    changed_with(kind, |_| ())
}

fn changed_with(kind: Kind, change: impl FnOnce(&mut pb::Terms)) -> Vec<(String, String)> {
    let faults = faults(|terms| {
        terms
            .clauses
            .retain(|clause| clause.clause.as_ref().map(std::mem::discriminant) != Some(std::mem::discriminant(&kind)));
        change(terms);
        terms.clauses.insert(0, clause("new", kind));
    });
    let short = |field: &str| field.trim_start_matches("contract.terms.clauses[0].").to_owned();
    faults.into_iter().map(|(field, description)| (short(&field), description)).collect()
}

#[track_caller]
fn assert_fault(faults: &[(String, String)], field: &str, words: &str) {
    let [(at, description)] = faults else { panic!("expected one fault at {field}: {faults:?}") };
    assert_eq!(at, field);
    assert!(description.contains(words), "{description}");
}

fn without(unwanted: impl Fn(&Kind) -> bool) -> impl Fn(&mut pb::Terms) {
    move |terms| terms.clauses.retain(|clause| !clause.clause.as_ref().is_some_and(&unwanted))
}

fn nobody_delivers(terms: &mut pb::Terms) {
    without(|kind| matches!(kind, Kind::Deliverables(_) | Kind::Fee(_) | Kind::KillFee(_)))(terms);
}

fn eur(units: i64) -> Option<Money> {
    Some(Money { currency_code: "EUR".into(), units, nanos: 0 })
}

fn tier(from: i64) -> pb::CommissionTier {
    pb::CommissionTier { from_amount: usd(from), rate_basis_points: 1500 }
}

fn commission(tiers: Vec<pb::CommissionTier>) -> pb::CommissionClause {
    pb::CommissionClause { rate_basis_points: 1000, tiers, ..Default::default() }
}

#[test]
fn good_clauses_are_taken() {
    let parties = vec![Party::Brand.into(), Party::Creator.into()];
    let ids = vec!["ads".to_owned(), "disclosure".to_owned()];
    for kind in [
        Kind::Commission(pb::CommissionClause {
            order_cap: usd(50),
            month_cap: usd(500),
            total_cap: usd(5000),
            ..commission(vec![tier(1000), tier(5000)])
        }),
        Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount: usd(300), ..Default::default() }),
        Kind::PerDeliverableFee(pb::PerDeliverableFeeClause {
            amount: usd(300),
            content_type: pb::ContentType::ShortVideo.into(),
        }),
        Kind::ProductValue(pb::ProductValueClause { value: usd(120), description: "A set of creams".into() }),
        Kind::Bonus(pb::BonusClause { metric: pb::Metric::Clicks.into(), threshold: 1000, amount: usd(250) }),
        Kind::RevenueShare(pb::RevenueShareClause { share_basis_points: 300 }),
        Kind::Holdback(pb::HoldbackClause { share_basis_points: 1000, release_days: 30 }),
        Kind::Expenses(pb::ExpensesClause { cap: usd(400) }),
        Kind::PaymentTerms(pb::PaymentTermsClause { net_days: 30, minimum_payout: usd(50), ..Default::default() }),
        Kind::Termination(pb::TerminationClause { convenience_parties: parties.clone(), ..Default::default() }),
        Kind::Amendment(pb::AmendmentClause {
            replacing_parties: parties,
            replaceable_clause_ids: ids,
            notice_days: 14,
        }),
        Kind::GoverningLaw(law("US", "US-NY")),
        Kind::GoverningLaw(law("DE", "")),
    ] {
        assert_eq!(with(kind.clone()), [], "{kind:?}");
    }
}

#[test]
fn every_amount_is_positive_and_in_the_currency_of_the_terms() {
    let of = |amount: Option<Money>| {
        [
            (
                "per_deliverable_fee.amount",
                Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount: amount.clone(), ..Default::default() }),
            ),
            (
                "product_value.value",
                Kind::ProductValue(pb::ProductValueClause { value: amount.clone(), description: "Creams".into() }),
            ),
            (
                "bonus.amount",
                Kind::Bonus(pb::BonusClause {
                    metric: pb::Metric::Orders.into(),
                    threshold: 1,
                    amount: amount.clone(),
                }),
            ),
            ("expenses.cap", Kind::Expenses(pb::ExpensesClause { cap: amount.clone() })),
            (
                "payment_terms.minimum_payout",
                Kind::PaymentTerms(pb::PaymentTermsClause { minimum_payout: amount.clone(), ..Default::default() }),
            ),
            (
                "commission.order_cap",
                Kind::Commission(pb::CommissionClause { order_cap: amount.clone(), ..commission(vec![]) }),
            ),
            (
                "commission.month_cap",
                Kind::Commission(pb::CommissionClause { month_cap: amount.clone(), ..commission(vec![]) }),
            ),
            (
                "commission.total_cap",
                Kind::Commission(pb::CommissionClause { total_cap: amount.clone(), ..commission(vec![]) }),
            ),
            (
                "commission.tiers[0].from_amount",
                Kind::Commission(commission(vec![pb::CommissionTier { from_amount: amount, rate_basis_points: 1 }])),
            ),
        ]
    };
    for (field, kind) in of(usd(0)).into_iter().chain(of(usd(-5))) {
        assert_fault(&with(kind), field, "must be more than nothing");
    }
    for (field, kind) in of(eur(5)) {
        assert_fault(&with(kind), field, "is in EUR, the terms in USD");
    }
}

#[test]
fn tiers_of_a_commission_ascend() {
    for tiers in [[tier(1000), tier(1000)], [tier(1000), tier(999)]] {
        let faults = with(Kind::Commission(commission(tiers.into())));
        assert_fault(&faults, "commission.tiers[1].from_amount", "sort the tiers");
    }
}

#[test]
fn a_draft_is_due_within_the_contract_and_not_after_the_publication() {
    let draft_due = |year, month, day| {
        let faults = faults(|terms| deliverables(terms)[0].draft_due_date = date(year, month, day));
        let at = "contract.terms.clauses[0].deliverables.deliverables[0].draft_due_date";
        faults.into_iter().map(|(field, description)| (field.replace(at, "it"), description)).collect::<Vec<_>>()
    };
    // The publication is due on 2026-06-30.
    assert_fault(&draft_due(2026, 7, 1), "it", "after the publication is due on 2026-06-30");
    assert_fault(&draft_due(2026, 5, 31), "it", "outside the contract");
    assert_fault(&draft_due(2026, 6, 31), "it", "is not a day");
    assert_eq!(draft_due(2026, 6, 30), []);
    assert_eq!(draft_due(2026, 6, 1), []);
}

#[test]
fn a_fee_for_each_piece_needs_such_pieces() {
    let fee = |content_type: pb::ContentType| {
        Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount: usd(300), content_type: content_type.into() })
    };
    assert_fault(
        &with(fee(pb::ContentType::Story)),
        "per_deliverable_fee.content_type",
        "is of content that nobody owes",
    );
    let faults = changed_with(fee(pb::ContentType::Unspecified), nobody_delivers);
    assert_fault(&faults, "per_deliverable_fee", "add a deliverables clause");
}

#[test]
fn a_bonus_on_figures_of_content_needs_content() {
    let bonus =
        |metric: pb::Metric| Kind::Bonus(pb::BonusClause { metric: metric.into(), threshold: 100, amount: usd(250) });
    for metric in [pb::Metric::Impressions, pb::Metric::Engagements, pb::Metric::Clicks] {
        let faults = changed_with(bonus(metric), nobody_delivers);
        assert_fault(&faults, "bonus.metric", "add a deliverables clause");
    }
    assert_eq!(changed_with(bonus(pb::Metric::Orders), nobody_delivers), []);
}

#[test]
fn a_holdback_needs_something_to_hold_back_from() {
    let holdback = Kind::Holdback(pb::HoldbackClause { share_basis_points: 1000, release_days: 30 });
    let nothing_is_paid = without(|kind| matches!(kind, Kind::Fee(_) | Kind::KillFee(_) | Kind::Commission(_)));
    assert_fault(&changed_with(holdback.clone(), &nothing_is_paid), "holdback", "nothing to hold back from");
    for pays in [
        Kind::Commission(commission(vec![])),
        Kind::RevenueShare(pb::RevenueShareClause { share_basis_points: 300 }),
        Kind::Bonus(pb::BonusClause { metric: pb::Metric::Orders.into(), threshold: 1, amount: usd(1) }),
        Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount: usd(300), ..Default::default() }),
    ] {
        let faults = changed_with(holdback.clone(), |terms| {
            nothing_is_paid(terms);
            terms.clauses.push(clause("pays", pays));
        });
        assert_eq!(faults, []);
    }
}

#[test]
fn a_kill_fee_is_a_share_of_a_fee() {
    let step = pb::KillFeeStep { progress: pb::WorkProgress::Signed.into(), share_basis_points: 2500 };
    let kill_fee = Kind::KillFee(pb::KillFeeClause { steps: vec![step] });
    let faults = changed_with(kill_fee, without(|kind| matches!(kind, Kind::Fee(_))));
    assert_fault(&faults, "kill_fee", "add a fee clause");
}

#[test]
fn whoever_may_end_or_replace_is_named_once() {
    let twice = vec![Party::Brand.into(), Party::Brand.into()];
    let termination = pb::TerminationClause { convenience_parties: twice.clone(), ..Default::default() };
    assert_fault(&with(Kind::Termination(termination)), "termination.convenience_parties[1]", "name each once");
    let amendment = pb::AmendmentClause { replacing_parties: twice, ..Default::default() };
    assert_fault(&with(Kind::Amendment(amendment)), "amendment.replacing_parties[1]", "name each once");
}

#[test]
fn what_may_be_replaced_is_a_clause_and_not_the_one_that_grants_it() {
    let amendment = |ids: &[&str]| {
        let replaceable_clause_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        with(Kind::Amendment(pb::AmendmentClause {
            replacing_parties: vec![Party::Brand.into()],
            replaceable_clause_ids,
            notice_days: 0,
        }))
    };
    assert_fault(&amendment(&["adds"]), "amendment.replaceable_clause_ids[0]", "is not a clause of these terms");
    assert_fault(&amendment(&["ads", "new"]), "amendment.replaceable_clause_ids[1]", "changed by both alone");
    assert_fault(&amendment(&["ads", "ads"]), "amendment.replaceable_clause_ids[1]", "name each once");
}

#[test]
fn warnings_are_given_once_a_day() {
    let renewal =
        pb::RenewalClause { auto_renew: true, term_months: 1, notice_days: 10, warning_days: vec![30, 7, 30] };
    assert_fault(&with(Kind::Renewal(renewal)), "renewal.warning_days[2]", "name each once");
    let Some(Kind::UsageRights(mut rights)) = terms().clauses[5].clause.clone() else { panic!("usage rights") };
    rights.warning_days = vec![7, 7];
    assert_fault(&with(Kind::UsageRights(rights)), "usage_rights.warning_days[1]", "name each once");
}

#[test]
fn categories_are_named_once() {
    let Some(Kind::Exclusivity(mut clause)) = terms().clauses[6].clause.clone() else { panic!("exclusivity") };
    clause.categories.push("skin-care".into());
    assert_fault(&with(Kind::Exclusivity(clause)), "exclusivity.categories[1]", "name each once");
    let Some(Kind::Deliverables(mut content)) = terms().clauses[0].clause.clone() else { panic!("deliverables") };
    content.categories = vec!["skin-care".into(), "skin-care".into()];
    assert_fault(&with(Kind::Deliverables(content)), "deliverables.categories[1]", "name each once");
}

fn law(country_code: &str, subdivision_code: &str) -> pb::GoverningLawClause {
    pb::GoverningLawClause { country_code: country_code.into(), subdivision_code: subdivision_code.into() }
}

#[test]
fn a_subdivision_is_a_part_of_the_country() {
    let faults = with(Kind::GoverningLaw(law("DE", "US-NY")));
    assert_fault(&faults, "governing_law.subdivision_code", "is not a part of DE");
}
