//! Tokens of a filter.
//!
//! Invariant: every byte of the filter is inside one token or white space; nothing is skipped.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A field's name, a keyword or a bare literal.
    Bare(String),
    /// A quoted string, without quotes and escapes.
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    Minus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

impl Operator {
    pub(crate) const ALL: [Self; 7] =
        [Self::NotEqual, Self::LessOrEqual, Self::GreaterOrEqual, Self::Equal, Self::Less, Self::Greater, Self::Has];

    /// As written in a filter; but for `:` also in SQL.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Has => ":",
        }
    }
}

/// Splits a filter into tokens, each with the byte where it begins.
///
/// What follows an operator is a literal, so that times and negative numbers need no quotes.
pub(crate) fn tokens(filter: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens: Vec<(usize, Token)> = Vec::new();
    let mut at = 0;
    while let Some(first) = filter[at..].chars().next() {
        let rest = &filter[at..];
        let literal = matches!(tokens.last(), Some((_, Token::Operator(_))));
        let operator = Operator::ALL.into_iter().find(|operator| rest.starts_with(operator.symbol()));
        let (length, token) = match (first, operator) {
            (space, _) if space.is_whitespace() => {
                at += space.len_utf8();
                continue;
            }
            ('"' | '\'', _) => {
                quoted(rest).ok_or_else(|| format!("the quote at character {} is not closed", at + 1))?
            }
            ('(', _) => (1, Token::Open),
            (')', _) => (1, Token::Close),
            (_, Some(operator)) => (operator.symbol().len(), Token::Operator(operator)),
            ('-', None) if !literal => (1, Token::Minus),
            _ => bare(rest, literal)?,
        };
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

fn quoted(rest: &str) -> Option<(usize, Token)> {
    let mut chars = rest.char_indices();
    let (_, quote) = chars.next()?;
    let mut text = String::new();
    while let Some((at, next)) = chars.next() {
        match next {
            '\\' => text.push(chars.next()?.1),
            end if end == quote => return Some((at + 1, Token::Quoted(text))),
            other => text.push(other),
        }
    }
    None
}

fn bare(rest: &str, literal: bool) -> Result<(usize, Token), String> {
    let fits = |c: char| c.is_alphanumeric() || "_.*+-/~@".contains(c) || (literal && c == ':');
    let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
    if end == 0 {
        let found = rest.chars().next().unwrap_or_default();
        return Err(format!("{found:?} is not expected; quote strings: \"..\""));
    }
    Ok((end, Token::Bare(rest[..end].to_owned())))
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(text) => f.write_str(text),
            Self::Quoted(text) => write!(f, "{text:?}"),
            Self::Operator(operator) => f.write_str(operator.symbol()),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Minus => f.write_str("-"),
        }
    }
}
