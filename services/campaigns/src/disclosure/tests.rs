use proptest::prelude::*;

use super::*;

fn clause(tags: &[&str]) -> DisclosureClause {
    DisclosureClause { accepted_tags: tags.iter().map(ToString::to_string).collect(), ..Default::default() }
}

fn rules(caption: &str, label: bool, clause: &DisclosureClause) -> Vec<Rule> {
    check(caption, label, clause).iter().map(DisclosureFinding::rule).collect()
}

#[track_caller]
fn assert_rules(caption: &str, expected: &[Rule]) {
    assert_eq!(rules(caption, false, &clause(&["#ad", "#sponsored"])), expected, "{caption:?}");
}

/// A sentence of this many characters without any tag.
fn sentence(length: usize) -> String {
    "This serum has been on my shelf all winter and I keep coming back to it. "
        .chars()
        .cycle()
        .take(length - 1)
        .chain(['.'])
        .collect()
}

#[test]
fn clear_tags_that_are_seen_suffice() {
    for caption in [
        "#ad My winter skin routine",
        "#sponsored My winter skin routine",
        "My winter skin routine #ad",
        "#AD my routine",
        "#Ad: my routine",
        "(#ad) my routine",
        "#ad",
        "#ad\nMy routine\n\nin three steps",
        "My routine\r\n\r\n#ad\r\n\r\nin three steps",
        // A run of hashtags that begins with the tag.
        "#ad #glow #skincare #winter #love Loving this",
        "Loving this #ad #glow #skincare #winter",
        // Two hashtags are no pile.
        "Loving this #glow #ad",
        "✨#ad✨ my routine",
        "#ad\u{FE0F}\u{200D} my routine",
        "＃ａｄ my routine",
        "広告です#ad 新しいセラム",
        "Меня пригласили #ad попробовать",
        "#ad @glowco https://glow.co/serum #glow",
        // The brand is part of the sentence, not of a pile.
        "Loving my @glowco #ad #glow #skincare",
    ] {
        assert_rules(caption, &[]);
    }
}

#[test]
fn what_only_looks_like_a_tag_is_none() {
    for caption in [
        "My winter skin routine",
        "#adventure in the snow",
        "#ads #adv #advertising",
        "#ad_lib #adé #ad2",
        "#myad #notsponsored",
        "My ad for winter",
        "sponsored by no one",
        "Read https://glow.co/serum#ad for more",
        "https://glow.co/#ad",
        "# ad",
        "#аd with a Cyrillic letter",
        "#реклама #anzeige",
        "@ad",
        "😀😀😀",
    ] {
        assert_rules(caption, &[Rule::TagMissing]);
    }
}

#[test]
fn vague_terms_do_not_disclose() {
    for caption in [
        "#sp my routine",
        "#SP",
        "#Partner for life",
        "Thanks to GlowCo for the serum",
        "THANK YOU to @glowco!",
        "#collab",
        "Thanks @glowco, love it",
    ] {
        assert_rules(caption, &[Rule::TagUnclear]);
    }
    for caption in ["#spring #partnership #thanksgiving", "thanks, toes are warm"] {
        assert_rules(caption, &[Rule::TagMissing]);
    }
}

#[test]
fn vague_terms_beside_a_clear_tag_do_no_harm() {
    assert_rules("#ad Thanks to @glowco for this. #partner", &[]);
}

#[test]
fn a_contract_can_not_make_a_vague_term_clear() {
    assert_eq!(rules("#SP my routine", false, &clause(&["#sp"])), [Rule::TagUnclear]);
    assert_eq!(rules("my routine", false, &clause(&["#sp"])), [Rule::TagMissing]);
}

#[test]
fn the_tag_is_seen_without_opening_more() {
    let words_after = " And that is that.";
    // The tag ends with the 125th character, or one later.
    assert_rules(&format!("{} #ad{words_after}", sentence(121)), &[]);
    assert_rules(&format!("{} #ad{words_after}", sentence(122)), &[Rule::BehindMore]);
    assert_rules(&format!("{} #ad{words_after}", sentence(300)), &[Rule::BehindMore]);
}

#[test]
fn characters_are_counted_not_bytes() {
    let emoji = "✨".repeat(121);
    assert_rules(&format!("{emoji} #ad and more"), &[]);
    assert_rules(&format!("{emoji}✨ #ad and more"), &[Rule::BehindMore]);
    // However an é was typed, it is one character.
    assert_rules(&format!("{} #ad and more", "e\u{301}".repeat(121)), &[]);
}

#[test]
fn space_around_the_caption_does_not_count() {
    assert_rules(&format!("{}#ad Loving this", "\n".repeat(200)), &[]);
}

#[test]
fn line_breaks_count_as_characters() {
    assert_rules(&format!("Loving this{}#ad and more", ".\n".repeat(80)), &[Rule::BehindMore]);
}

#[test]
fn the_tag_is_not_at_the_end_of_a_long_caption() {
    assert_rules(&format!("{} #ad", sentence(200)), &[Rule::BehindMore, Rule::AtEnd]);
    assert_rules(&format!("{} #ad ✨ @glowco #glow", sentence(110)), &[Rule::AtEnd]);
    // A short caption has no end to get lost at.
    assert_rules(&format!("{} #ad", sentence(120)), &[]);
}

#[test]
fn the_tag_is_not_in_a_pile_of_hashtags() {
    for caption in [
        "Loving this #glow #ad #skincare",
        "Loving this #glow #skincare #ad",
        "#glow#ad#skincare",
        "#glow ✨ #ad ✨ #skincare",
        "#glow\n#ad\n#skincare\n",
        "#glow @glowco #ad #skincare",
        "https://glow.co #ad https://glow.co/serum",
        "#serum #スキンケア #ad #美容",
    ] {
        assert_rules(caption, &[Rule::InHashtagPile]);
    }
}

#[test]
fn one_tag_that_is_seen_is_enough() {
    assert_rules(&format!("#ad {} #glow #ad #skincare", sentence(200)), &[]);
    assert_rules("#glow #sponsored #skincare and #ad", &[]);
}

#[test]
fn of_several_hidden_tags_the_least_hidden_is_told_about() {
    assert_rules(&format!("#glow #ad #skincare {} #ad", sentence(200)), &[Rule::InHashtagPile]);
}

#[test]
fn everything_wrong_with_a_tag_is_told() {
    let pile = format!("{} #glow #ad #skincare", sentence(200));
    assert_rules(&pile, &[Rule::BehindMore, Rule::InHashtagPile, Rule::AtEnd]);
}

#[test]
fn the_platforms_label_alone_is_not_enough() {
    let findings = check("My routine", true, &clause(&["#ad"]));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule(), Rule::TagMissing);
    assert_eq!(findings[0].message, "The platform's label alone is not enough. Begin the caption with #ad.");
    assert!(findings[0].source.contains("platform's disclosure tool"), "{}", findings[0].source);
}

#[test]
fn the_label_is_required_if_agreed() {
    let required = DisclosureClause { platform_label_required: true, ..clause(&["#ad"]) };
    assert_eq!(rules("#ad My routine", false, &required), [Rule::LabelMissing]);
    assert_eq!(rules("#ad My routine", true, &required), []);
    assert_eq!(rules("My routine", false, &required), [Rule::TagMissing, Rule::LabelMissing]);
}

#[test]
fn the_brand_is_tagged_if_agreed() {
    let branded = DisclosureClause { brand_tag: "@glow.co".into(), ..clause(&["#ad"]) };
    for caption in ["#ad with @glow.co", "#ad with @GLOW.CO!", "#ad @glow.co.", "#ad ありがとう@glow.co"] {
        assert_eq!(rules(caption, false, &branded), [], "{caption:?}");
    }
    for caption in ["#ad with glow.co", "#ad @glow", "#ad @glow.company", "#ad write to hello@glow.co", "#ad #glow.co"]
    {
        assert_eq!(rules(caption, false, &branded), [Rule::BrandTagMissing], "{caption:?}");
    }
}

#[test]
fn tags_of_other_languages_and_words_can_be_agreed() {
    for (tag, caption) in [
        ("#Anzeige", "#anzeige Meine Winterpflege"),
        ("#Publicité", "#publicite\u{301} Ma routine"),
        ("#विज्ञापन", "#विज्ञापन मेरी दिनचर्या"),
        ("#реклама", "#РЕКЛАМА Мой уход"),
        ("#PR", "＃ＰＲ 新しいセラム"),
        ("#إعلان", "#إعلان روتيني"),
        ("Paid partnership", "Paid partnership with @glowco: my routine"),
    ] {
        assert_eq!(rules(caption, false, &clause(&[tag])), [], "{tag} in {caption:?}");
    }
    assert_eq!(rules("#विज्ञ मेरी", false, &clause(&["#विज्ञापन"])), [Rule::TagMissing]);
}

#[test]
fn a_finding_says_what_to_do_and_where_the_rule_is_from() {
    let captions = ["no tag".to_owned(), "#sp".into(), "#a #ad #b".into(), format!("{} #ad", sentence(200))];
    let strict = DisclosureClause { platform_label_required: true, brand_tag: "@glowco".into(), ..clause(&["#ad"]) };
    let mut seen = std::collections::BTreeSet::new();
    for finding in captions.iter().flat_map(|caption| check(caption, false, &strict)) {
        assert!(finding.message.ends_with('.') && finding.message.contains(". "), "{}", finding.message);
        assert!(finding.source.starts_with("FTC, ") || finding.source == CONTRACT, "{}", finding.source);
        seen.insert(finding.rule);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>(), "every rule has been met");
}

proptest! {
    #[test]
    fn a_caption_that_begins_with_the_tag_suffices(rest in "(?s).{0,300}") {
        prop_assert_eq!(rules(&format!("#ad {rest}"), false, &clause(&["#ad"])), vec![]);
    }

    #[test]
    fn no_caption_has_a_rule_broken_twice(caption in "(?s)[a-z#@ .\n✨é́＃]{0,300}") {
        let strict =
            DisclosureClause { platform_label_required: true, brand_tag: "@a".into(), ..clause(&["#a", "#b", "#sp"]) };
        let mut broken = rules(&caption, false, &strict);
        let count = broken.len();
        broken.sort_unstable();
        broken.dedup();
        prop_assert_eq!(broken.len(), count);
    }
}
