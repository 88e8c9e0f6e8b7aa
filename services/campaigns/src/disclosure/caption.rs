//! A caption as its readers and platforms read it: words, hashtags, mentions and links.
//!
//! Invariant: tags are compared whole and in any case of letters: `#AD` is `#ad`, `#adventure` is not.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Hashtag,
    Mention,
    Link,
}

/// A piece of a caption; emoji and punctuation are none.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Without its sign, in lower case.
    text: String,
    /// Where it ends, in characters (Unicode scalar values) from the caption's start.
    pub(super) end: usize,
}

/// A caption taken apart.
pub(super) struct Caption {
    pub(super) tokens: Vec<Token>,
    /// In characters.
    pub(super) length: usize,
}

/// Links first, for a fragment (`https://glow.co/#ad`) is no tag. `\w` is a letter, mark or digit of any script, or
/// `_`, so that a hashtag ends with emoji and punctuation. A full stop joins only what goes on after it.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant, and every test reads captions with it")]
    Regex::new(r"(?i)(?<link>https?://\S+|www\.\S+)|#(?<hashtag>\w+)|@(?<mention>\w+(?:\.\w+)*)|(?<word>\w+)")
        .expect("pattern")
});

impl Caption {
    pub(super) fn read(text: &str) -> Self {
        let text = normalized(text);
        let mut tokens = Vec::new();
        let (mut at, mut chars) = (0, 0);
        for found in TOKEN.captures_iter(&text) {
            let kinds =
                [("link", Kind::Link), ("hashtag", Kind::Hashtag), ("mention", Kind::Mention), ("word", Kind::Word)];
            let Some((mut kind, part)) = kinds.iter().find_map(|(name, kind)| Some((*kind, found.name(name)?))) else {
                continue;
            };
            if kind == Kind::Mention && is_mail_address(&text[..part.start() - 1]) {
                kind = Kind::Word;
            }
            chars += text[at..part.end()].chars().count();
            at = part.end();
            tokens.push(Token { kind, text: part.as_str().to_lowercase(), end: chars });
        }
        Self { tokens, length: text.chars().count() }
    }

    /// Where a tag or a sequence of words stands: the index of its last token, for each time.
    pub(super) fn find(&self, term: &str) -> Vec<usize> {
        let term = Self::read(term).tokens;
        if term.is_empty() {
            return Vec::new();
        }
        let starts = self.tokens.windows(term.len()).enumerate().filter(|(_, window)| equal(window, &term));
        starts.map(|(start, _)| start + term.len() - 1).collect()
    }

    /// Whether someone is mentioned right after a token.
    pub(super) fn mentions_after(&self, at: usize) -> bool {
        self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Mention)
    }
}

/// Whether two terms read the same.
pub(super) fn same(one: &str, other: &str) -> bool {
    equal(&Caption::read(one).tokens, &Caption::read(other).tokens)
}

fn equal(one: &[Token], other: &[Token]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| (one.kind, &one.text) == (other.kind, &other.text))
}

/// Composed (é is one character, however it was typed), full-width forms as ASCII (＃ＰＲ is #PR), without what is not
/// seen (variation selectors, joiners) and the space around.
fn normalized(text: &str) -> String {
    let seen =
        text.trim().nfc().filter(|c| !matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE0E}' | '\u{FE0F}'));
    let ascii = seen.map(|c| match c {
        // The block of full-width forms has the order of ASCII.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    });
    ascii.collect()
}

/// Whether what stands before an `@` makes it part of a mail address rather than a mention.
fn is_mail_address(before: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_alphanumeric() || "._+-".contains(c))
}
