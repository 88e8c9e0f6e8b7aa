//! A contract as people read it.

mod every_field;
mod life;

use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{ContractState, Party, RenderFormat};

use super::{html, markdown, render};
use crate::contract::Contract;
use crate::fixtures::{BRAND, CREATOR, clause, date, terms, terms_for, usd};
use crate::render::document::{Block, Document, Table, section, text};

/// The draft of the fixtures.
fn draft() -> pb::Contract {
    let mut contract = pb::Contract {
        name: "contracts/summer".into(),
        brand: BRAND.into(),
        creator: CREATOR.into(),
        title: "Summer".into(),
        terms: Some(terms()),
        terms_hash: crate::terms::hash(&terms()),
        ..Default::default()
    };
    contract.set_state(ContractState::Draft);
    contract
}

fn markdown_of(contract: pb::Contract, round: i32) -> String {
    render(&Contract(contract), round, RenderFormat::Markdown).unwrap().content
}

fn html_of(contract: pb::Contract) -> String {
    render(&Contract(contract), 0, RenderFormat::Html).unwrap().content
}

#[track_caller]
fn assert_says(text: &str, sayings: &[&str]) {
    for saying in sayings {
        assert!(text.contains(saying), "{saying:?} is not in\n{text}");
    }
}

#[test]
fn a_draft_says_who_agrees_on_what_from_when_to_when() {
    let page = markdown_of(draft(), 0);
    assert_says(
        &page,
        &[
            "# Summer\n",
            "- **Brand:** brands/glowco\n",
            "- **Creator:** creators/zoe\n",
            "- **State:** draft\n",
            "- **First day:** 1 June 2026\n",
            "- **Last day:** 31 August 2026\n",
            "- **Days are counted in:** America/New\\_York\n",
            "- **Terms shown:** of the draft\n",
            &format!("- **SHA-256 of these terms:** {}\n", crate::terms::hash(&terms())),
            "### 1. Deliverables (content)\n",
            "| Piece | Content | Channel | First draft by | Published by | Stays online |\n",
            "| reel-1 | short video | instagram | – | 30 June 2026 | 30 days |\n",
            "### 2. Fixed fee (fee)\n\nThe brand pays a fixed fee of USD 4,000.00, in these parts:\n",
            "| the second signature | 50 % | USD 2,000.00 |\n",
            "The brand pays 10 % of the net value of each attributed order.",
            "Money is due 30 days after the day on which it is earned.",
            "The brand has 3 business days to answer a draft (Monday to Friday). Silence after that approves it. The fee \
             includes 2 rounds of changes.",
            "This holds on instagram and brand-site, in US and CA, for 6 months from publication.",
            "The creator does not work for other brands in skin-care, worldwide, on all channels, until 30 days after \
             the contract ends.",
            "in the caption: \\#ad.",
            "- A criminal offence.\n",
            "| a draft was submitted | 50 % |\n",
            "The contract renews itself for 3 months, unless a party gives notice at least 30 days before its end. Both \
             are warned 60, 30 and 7 days ahead of that day.",
            "## Signatures\n\nNobody has signed yet.\n",
        ],
    );
    for later in ["## Negotiation", "## Amendments", "## Termination", "## Warnings", "## Documents", "## Template"] {
        assert!(!page.contains(later), "{later} in\n{page}");
    }
}

#[test]
fn cents_of_instalments_are_those_that_payouts_pay() {
    let part = |share_basis_points| pb::Instalment { milestone: pb::Milestone::Signing.into(), share_basis_points };
    let fee = pb::FeeClause { amount: usd(100), instalments: vec![part(3333), part(3333), part(3334)] };
    let words = super::clauses::words(&clause("fee", Kind::Fee(fee)), &terms());
    let [_, Block::Table(table)] = &words.blocks[..] else { panic!("{:?}", words.blocks) };
    let amounts: Vec<_> = table.rows.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(amounts, ["USD 33.33", "USD 33.33", "USD 33.34"]);
}

#[test]
fn a_round_shows_its_own_terms_and_each_round_what_it_changed() {
    let (first, mut second) = (terms(), terms_for(5000));
    second.end_date = date(2026, 9, 30);
    second.clauses.retain(|clause| clause.clause_id != "commission");
    let round = |number, by: Party, hash: String| pb::Round {
        number,
        offered_by: by.into(),
        terms_hash: hash,
        offer_time: Some(prost_types::Timestamp { seconds: 1_780_000_000, nanos: 0 }),
        ..Default::default()
    };
    let mut contract = draft();
    contract.rounds = vec![
        pb::Round { terms: Some(first.clone()), ..round(1, Party::Brand, crate::terms::hash(&first)) },
        pb::Round {
            changes: crate::terms::changes(&first, &second),
            ..round(2, Party::Creator, crate::terms::hash(&second))
        },
    ];
    contract.round = 2;
    contract.terms_hash = crate::terms::hash(&second);
    contract.terms = Some(second.clone());
    contract.set_state(ContractState::Countered);

    let page = markdown_of(contract.clone(), 0);
    assert_says(
        &page,
        &[
            "- **Terms shown:** of round 2\n",
            "fixed fee of USD 5,000.00",
            "Offered by the creator on 28 May 2026, 16:26 EDT",
            "| Clause | What | Before | After |\n",
            "| (terms) | last day | 31 August 2026 | 30 September 2026 |\n",
            "| fee | amount | USD 4,000.00 | USD 5,000.00 |\n",
            "| commission | the whole clause | Commission: rate 10 % | – |\n",
        ],
    );
    assert!(!page.contains("| exclusivity |"), "what is the same is not told\n{page}");

    let before = markdown_of(contract.clone(), 1);
    assert_says(&before, &["- **Terms shown:** of round 1 of 2\n", "fixed fee of USD 4,000.00", "### 3. Commission"]);
    assert!(before.contains(&format!("these terms:** {}", crate::terms::hash(&first))), "{before}");
    assert_eq!(render(&Contract(contract), 3, RenderFormat::Markdown), None);
}

#[test]
fn both_formats_say_the_same() {
    let (markdown, html) = (markdown_of(draft(), 0), html_of(draft()));
    let letters = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let body = html.split_once("<body>").unwrap().1;
    let mut plain = String::new();
    for part in body.split('<') {
        plain.push_str(part.split_once('>').map_or("", |(_, text)| text));
    }
    // A table's alignment and the marks of Markdown are no letters, entities of HTML have some.
    assert_eq!(letters(&markdown), letters(&plain.replace("&#39;", "").replace("&quot;", "")));
}

#[test]
fn a_text_is_shown_and_means_nothing() {
    let mut contract = draft();
    contract.title = "<script>alert(\"x\")</script> | *bold* [a](http://b)\n# heading".into();
    contract.end_reason = "a & b </dd><img src=x onerror=y>".into();
    let grounds = ["1. not a list".into(), "- nor 'this'".into(), "a | b".into()].into();
    let mut terms = terms();
    terms.clauses = vec![clause("conduct", Kind::Morality(pb::MoralityClause { grounds }))];
    contract.terms = Some(terms);

    let html = html_of(contract.clone());
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("</dd><"), "{html}");
    assert_says(
        &html,
        &[
            "<title>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;",
            "a &amp; b &lt;/dd&gt;&lt;img src=x onerror=y&gt;</dd>",
            "<li>- nor &#39;this&#39;</li>",
        ],
    );

    let markdown = markdown_of(contract, 0);
    assert_says(
        &markdown,
        &[
            "# \\<script\\>alert(\"x\")\\</script\\> \\| \\*bold\\* \\[a\\](http://b) \\# heading\n",
            "- 1\\. not a list\n- \\- nor 'this'\n- a \\| b\n",
        ],
    );
}

#[test]
fn a_page_refers_to_nothing_outside_and_is_whole() {
    let html = html_of(draft());
    for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
        assert!(!html.contains(reference), "{reference} in\n{html}");
    }
    assert_says(&html, &["<!doctype html>", "<html lang=\"en\">", "@page{size:A4", "break-inside:avoid"]);
    for tag in ["section", "table", "thead", "tbody", "tr", "td", "dl", "dt", "dd", "ul", "li", "p", "h1", "h2", "h3"] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        assert!(opened > 0, "{tag}");
    }
}

#[test]
fn the_formats_write_each_kind_of_block() {
    let table = Table { headers: vec!["Name", ">Share"], rows: vec![vec!["a|b".into(), "5 %".into()]] };
    let inner = vec![text("= one"), Block::List(vec!["+ two".into()]), Block::Table(table)];
    let document = Document {
        title: "T".into(),
        blocks: vec![Block::Facts(vec![("Key", "a_b".into())]), section("S", vec![section("I", inner)])],
    };
    assert_eq!(
        markdown::write(&document),
        "# T\n\n- **Key:** a\\_b\n\n## S\n\n### I\n\n\\= one\n\n- \\+ two\n\n\
         | Name | Share |\n| --- | ---: |\n| a\\|b | 5 % |\n"
    );
    let html = html::write(&document);
    assert_says(
        &html,
        &[
            "<dl>\n<dt>Key</dt><dd>a_b</dd>\n</dl>",
            "<section>\n<h2>S</h2>\n<section>\n<h3>I</h3>\n<p>= one</p>",
            "<th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">Share</th>",
            "<td>a|b</td><td class=\"number\">5 %</td>",
        ],
    );
}
