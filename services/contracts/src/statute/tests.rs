//! Each rule by an example of terms that miss it and of terms that don't, and the file by itself.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::google::r#type::Money;

use super::rule::Requirement;
use super::{STATUTES, findings};
use crate::fixtures::{clause, terms};

const DAY: Date = date(2026, 3, 1);

fn law(country: &str, subdivision: &str) -> pb::Clause {
    let (country_code, subdivision_code) = (country.into(), subdivision.into());
    clause("law", Kind::GoverningLaw(pb::GoverningLawClause { country_code, subdivision_code }))
}

fn fee(currency_code: &str, units: i64) -> pb::Clause {
    let amount = Some(Money { currency_code: currency_code.into(), units, nanos: 0 });
    clause("fee", Kind::Fee(pb::FeeClause { amount, ..Default::default() }))
}

fn payment(net_days: i32, basis: pb::PaymentBasis) -> pb::Clause {
    let basis = basis.into();
    clause("payment", Kind::PaymentTerms(pb::PaymentTermsClause { net_days, basis, ..Default::default() }))
}

fn net(days: i32) -> pb::Clause {
    payment(days, pb::PaymentBasis::Earning)
}

fn holdback(release_days: i32) -> pb::Clause {
    clause("holdback", Kind::Holdback(pb::HoldbackClause { share_basis_points: 1000, release_days }))
}

fn content() -> pb::Clause {
    terms().clauses[0].clone()
}

fn used_in(territory: &str) -> pb::Clause {
    let territories = vec![territory.into()];
    clause("use", Kind::UsageRights(pb::UsageRightsClause { territories, ..Default::default() }))
}

fn accepting(tags: &[&str]) -> pb::Clause {
    let accepted_tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    clause("disclosure", Kind::Disclosure(pb::DisclosureClause { accepted_tags, ..Default::default() }))
}

fn ai(ai_content_label_required: bool) -> pb::Clause {
    clause("ai", Kind::AiLikeness(pb::AiLikenessClause { ai_content_label_required, ..Default::default() }))
}

fn missed_on<const N: usize>(clauses: [pb::Clause; N], day: Date) -> Vec<String> {
    let currency_code = clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Fee(fee)) => Some(fee.amount.clone()?.currency_code),
        _ => None,
    });
    let currency_code = currency_code.unwrap_or_else(|| "USD".into());
    let terms = pb::Terms { currency_code, clauses: clauses.into(), ..terms() };
    findings(&terms, day).into_iter().map(|finding| finding.rule).collect()
}

fn missed<const N: usize>(clauses: [pb::Clause; N]) -> Vec<String> {
    missed_on(clauses, DAY)
}

/// The clauses of a disclosure that is clear in the United States, whose law all of these contracts are under.
fn in_state<const N: usize>(state: &str, clauses: [pb::Clause; N]) -> Vec<String> {
    let shared = [law("US", state), accepting(&["#ad"])];
    let terms = pb::Terms { clauses: shared.into_iter().chain(clauses).collect(), ..terms() };
    findings(&terms, DAY).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn what_a_rule_says_is_told_with_its_source() {
    let terms =
        pb::Terms { clauses: vec![law("US", "US-NY"), accepting(&["#ad"]), content(), fee("USD", 800)], ..terms() };
    let [finding] = &findings(&terms, DAY)[..] else { panic!() };
    assert_eq!(finding.rule, "us-ny-fifa-payment-date");
    assert!(finding.message.ends_with("Add a payment terms clause."), "{}", finding.message);
    assert!(finding.source.contains("art. 44-A") && finding.source.contains("https://www.nysenate.gov"), "{finding:?}");
}

#[test]
fn freelance_work_is_itemized_and_its_pay_dated_from_an_amount_on() {
    for (state, from, rules) in [
        ("US-NY", 800, ["us-ny-fifa-itemized-services", "us-ny-fifa-payment-date"]),
        ("US-CA", 250, ["us-ca-fwpa-itemized-services", "us-ca-fwpa-payment-date"]),
        ("US-IL", 500, ["us-il-fwpa-itemized-services", "us-il-fwpa-payment-date"]),
    ] {
        assert_eq!(in_state(state, [fee("USD", from)]), rules);
        assert_eq!(in_state(state, [fee("USD", from - 1)]), [""; 0]);
        assert_eq!(in_state(state, [fee("USD", from), content(), net(30)]), [""; 0]);
    }
    assert_eq!(in_state("", [fee("USD", 5000)]), [""; 0], "no state's law is agreed on");
    assert_eq!(in_state("US-TX", [fee("USD", 5000)]), [""; 0]);
}

#[test]
fn pay_is_what_the_contract_pays_for_certain() {
    let products = |units| {
        let value = Some(Money { currency_code: "USD".into(), units, nanos: 0 });
        clause("kit", Kind::ProductValue(pb::ProductValueClause { value, description: "Kit".into() }))
    };
    let each = |units, kind: pb::ContentType| {
        let amount = Some(Money { currency_code: "USD".into(), units, nanos: 0 });
        clause("each", Kind::PerDeliverableFee(pb::PerDeliverableFeeClause { amount, content_type: kind.into() }))
    };
    let dated = |found: Vec<String>| found.contains(&"us-ny-fifa-payment-date".to_owned());
    assert!(dated(in_state("US-NY", [fee("USD", 500), products(300)])));
    assert!(!dated(in_state("US-NY", [fee("USD", 500), products(299)])));
    assert!(dated(in_state("US-NY", [content(), each(800, pb::ContentType::ShortVideo)])));
    assert!(!dated(in_state("US-NY", [content(), each(800, pb::ContentType::Story)])), "no story is owed");
    let commission = pb::CommissionClause { rate_basis_points: 5000, ..Default::default() };
    assert!(!dated(in_state("US-NY", [clause("share", Kind::Commission(commission))])));
}

#[test]
fn pay_in_another_currency_counts_as_reaching_the_amount() {
    assert_eq!(
        missed([law("US", "US-NY"), accepting(&["#ad"]), content(), fee("EUR", 1)]),
        ["us-ny-fifa-payment-date"]
    );
}

#[test]
fn in_illinois_pay_is_due_within_30_days_whatever_holds_it_up() {
    let late = ["us-il-fwpa-payment-within-30-days"];
    assert_eq!(in_state("US-IL", [fee("USD", 500), content(), net(31)]), late);
    assert_eq!(in_state("US-IL", [fee("USD", 500), content(), net(20), holdback(11)]), late);
    assert_eq!(in_state("US-IL", [fee("USD", 500), content(), net(20), holdback(10)]), [""; 0]);
    assert_eq!(in_state("US-IL", [fee("USD", 500), content(), payment(1, pb::PaymentBasis::EndOfMonth)]), late);
    assert_eq!(in_state("US-IL", [fee("USD", 500), content(), payment(0, pb::PaymentBasis::EndOfMonth)]), [""; 0]);
}

#[test]
fn a_rule_holds_from_its_first_day_to_its_last() {
    let contract = || [law("US", "US-NY"), accepting(&["#ad"]), content(), fee("USD", 800)];
    assert_eq!(missed_on(contract(), date(2024, 8, 27)), [""; 0]);
    assert_eq!(missed_on(contract(), date(2024, 8, 28)), ["us-ny-fifa-payment-date"]);
    let disclosed =
        |found: Vec<String>| found.into_iter().filter(|rule| rule.ends_with("-disclosure")).collect::<Vec<_>>();
    assert_eq!(disclosed(missed_on([used_in("GB")], date(2025, 4, 5))), ["gb-cprs-disclosure"]);
    assert_eq!(disclosed(missed_on([used_in("GB")], date(2025, 4, 6))), ["gb-dmcc-disclosure"]);
}

#[test]
fn a_disclosure_is_measured_by_the_labels_of_its_markets() {
    for (territory, clear, unclear) in [
        ("US", "#Ad", "#partner"),
        ("GB", "advert", "#sp"),
        ("DE", "Werbung", "#ad"),
        // Words to the same effect will do in France, so none are unclear to a rule.
        ("FR", "#collab", ""),
    ] {
        assert_eq!(missed([used_in(territory), accepting(&[clear])]), [""; 0], "{territory}");
        if !unclear.is_empty() {
            assert_eq!(missed([used_in(territory), accepting(&[unclear])]).len(), 1, "{territory}");
        }
        assert_ne!(missed([used_in(territory)]), [""; 0], "{territory}");
    }
    assert_eq!(missed_on([used_in("FR"), accepting(&["#ad"])], date(2024, 1, 1)), ["fr-2023-451-label"]);
    assert_eq!(missed([used_in("WORLD")]), [""; 0], "the world names no market");
    assert_eq!(missed([law("DE", ""), accepting(&["#ad"])]), ["de-mstv-22-label"]);
}

#[test]
fn ai_made_images_are_labelled_in_france() {
    assert_eq!(missed([used_in("FR"), accepting(&["Publicité"]), ai(false)]), ["fr-2023-451-virtual-images"]);
    assert_eq!(missed([used_in("FR"), accepting(&["Publicité"]), ai(true)]), [""; 0]);
}

#[test]
fn a_contract_for_france_says_what_is_owed_under_french_law() {
    let for_france = |more: Vec<pb::Clause>, day| {
        let shared = [used_in("FR"), accepting(&["Publicité"])];
        let clauses = shared.into_iter().chain(more).collect();
        let terms = pb::Terms { currency_code: "EUR".into(), clauses, ..terms() };
        findings(&terms, day).into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let both = ["fr-2023-451-missions", "fr-2023-451-governing-law"];
    assert_eq!(for_france(vec![fee("EUR", 1000)], DAY), both);
    assert_eq!(for_france(vec![fee("EUR", 1000), content(), law("FR", ""), net(30)], DAY), [""; 0]);
    assert_eq!(for_france(vec![fee("EUR", 999)], DAY), [""; 0]);
    assert_eq!(for_france(vec![fee("EUR", 1000)], date(2025, 12, 31)), [""; 0]);
}

#[test]
fn in_the_european_union_pay_is_due_within_60_days() {
    let late = ["eu-late-payment-within-60-days"];
    assert_eq!(missed([law("IT", ""), fee("EUR", 1), net(61)]), late);
    assert_eq!(missed([law("IT", ""), fee("EUR", 1), net(60)]), [""; 0]);
    assert_eq!(missed([law("IT", ""), fee("EUR", 1), payment(31, pb::PaymentBasis::EndOfMonth)]), late);
    assert_eq!(missed([law("IT", ""), fee("EUR", 1)]), [""; 0], "the law's own time holds then");
    assert_eq!(missed([law("CH", ""), fee("CHF", 1), net(90)]), [""; 0]);
}

#[test]
fn the_file_keeps_its_own_rules() {
    let clause_kinds: BTreeSet<_> = tandem_proto::POOL
        .get_message_by_name("tandem.contracts.v1.Clause")
        .unwrap()
        .oneofs()
        .flat_map(|oneof| oneof.fields().map(|field| field.name().to_owned()).collect::<Vec<_>>())
        .collect();
    let mut ids = BTreeSet::new();
    for statute in &*STATUTES {
        let id = &statute.id;
        assert!(ids.insert(id), "{id} stands twice");
        assert!(
            id.len() <= 64 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id}"
        );
        assert!(statute.valid.until.is_none_or(|until| until > statute.valid.from), "{id}");
        assert!(statute.url.starts_with("https://"), "{id}");
        let sentences = statute.message.ends_with('.') && statute.message.matches(". ").count() >= 1;
        assert!(sentences, "{id}: say what is missing, then the remedy");
        let named = match &statute.require {
            Requirement::Clause { any_of } => any_of.as_slice(),
            _ => &[],
        };
        for kind in named.iter().chain(&statute.when.clauses) {
            assert!(clause_kinds.contains(kind), "{id}: there is no clause {kind}");
        }
    }
    assert!(ids.len() >= 18, "{ids:?}");
}
