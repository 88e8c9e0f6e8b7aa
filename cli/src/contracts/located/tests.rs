//! Where things stand, and where reading fails.

use tandem_proto::contracts::v1::Terms;

use super::*;

const TERMS: &str = "currency_code: USD\ntime_zone: UTC\nclauses:\n  - clause_id: law\n    governing_law: { \
                     country_code: NO }\n  - clauseId: fee\n    fee:\n      amount: { currency_code: USD, units: 5 }\n";

fn one(text: &str) -> Node {
    parse(text).unwrap().remove(0)
}

fn place(at: Position) -> (u64, u64) {
    (at.line, at.column)
}

#[test]
fn a_message_is_read_as_written() {
    let terms: Terms = one(TERMS).read().unwrap();
    assert_eq!((terms.currency_code.as_str(), terms.clauses.len()), ("USD", 2));
    // A country, not a refusal.
    assert!(format!("{terms:?}").contains("country_code: \"NO\""), "{terms:?}");
    let json = r#"{"currencyCode": "EUR", "startDate": {"year": 2026}}"#;
    let terms: Terms = one(json).read().unwrap();
    assert_eq!((terms.currency_code.as_str(), terms.start_date.unwrap().year), ("EUR", 2026));
}

#[test]
fn a_path_leads_to_its_line_or_to_the_last_place_on_it() {
    let terms = one(TERMS);
    for (path, at) in [
        ("currency_code", (1, 1)),
        ("clauses[0].governing_law.country_code", (5, 22)),
        ("clauses[1].fee.amount.units", (8, 37)),
        ("clauses[1].fee.instalments", (7, 5)),
        ("clauses[1].clause_id", (6, 5)),
        ("clauses[7].fee", (3, 1)),
        ("end_date", (1, 1)),
    ] {
        assert_eq!(place(terms.locate(path)), at, "{path}");
    }
}

#[test]
fn what_cant_be_read_is_told_with_its_place() {
    for (text, at, told) in [
        ("currency_code: USD\nclauses:\n  - clause_id: fee\n    fees: {}\n", (4, 5), "fees"),
        ("currency_code: [1]\n", (1, 16), "sequence"),
        (
            "clauses:\n  - fee:\n      instalments:\n        - { share_basis_points: lots }\n",
            (4, 33),
            "share_basis_points can't be read",
        ),
        ("clauses:\n  - fee:\n      instalments:\n        - { milestone: MILESTONE_SING }\n", (4, 24), "SING"),
        ("clauses: {}\n", (1, 10), "map"),
    ] {
        let wrong = one(text).read::<Terms>().unwrap_err();
        assert_eq!(place(wrong.at), at, "{wrong:?} of {text}");
        assert!(wrong.message.contains(told), "{wrong:?}");
    }
}

#[test]
fn broken_yaml_is_told_with_its_place() {
    let wrong = parse("title: a\nterms: {\n  x: [\n").unwrap_err();
    assert!(wrong.at.line >= 3, "{wrong:?}");
    let twice = parse("title: a\ntitle: b\n").unwrap_err();
    assert_eq!(twice.at.line, 2, "{twice:?}");
    assert!(twice.message.contains("title") && !twice.message.contains("line"), "{twice:?}");
}
