//! Where in a caption a tag stands, and whether readers see it there.
//!
//! Invariant: a tag that begins the caption has no flaw, whatever follows it.

use super::caption::{Caption, Kind, Token};

/// Characters that platforms show before "more"; a caption with more is a long one.
pub(super) const SHOWN: usize = 125;
/// Hashtags and links in a row that make a pile.
const PILE: usize = 3;

/// Why a tag may be missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    BehindMore,
    InHashtagPile,
    AtEnd,
}

/// What is wrong with where the tag stands that ends with token `at`.
pub(super) fn flaws(caption: &Caption, at: usize) -> Vec<Flaw> {
    let tokens = &caption.tokens;
    let mut flaws = Vec::new();
    if tokens[at].end > SHOWN {
        flaws.push(Flaw::BehindMore);
    }
    if tokens[at].kind == Kind::Hashtag && in_pile(tokens, at) {
        flaws.push(Flaw::InHashtagPile);
    }
    let words_before = tokens[..at].iter().any(|token| token.kind == Kind::Word);
    let words_after = tokens[at + 1..].iter().any(|token| token.kind == Kind::Word);
    if caption.length > SHOWN && words_before && !words_after {
        flaws.push(Flaw::AtEnd);
    }
    flaws
}

/// Whether it stands in a row of hashtags and links with others before it. Who is mentioned within the row neither
/// ends it nor counts.
fn in_pile(tokens: &[Token], at: usize) -> bool {
    let count = |row: &mut dyn Iterator<Item = &Token>| {
        row.take_while(|token| token.kind != Kind::Word).filter(|token| token.kind != Kind::Mention).count()
    };
    let before = count(&mut tokens[..at].iter().rev());
    let after = count(&mut tokens[at + 1..].iter());
    before > 0 && before + 1 + after >= PILE
}
