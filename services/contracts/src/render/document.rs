//! What is written, apart from how: sections of text, facts, lists and tables.
//!
//! Invariant: all of it is plain text; each format escapes it by its own rules.

/// A whole document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// What something is, by its name.
    Facts(Vec<(&'static str, String)>),
    /// Points of equal rank.
    List(Vec<String>),
    /// Rows.
    Table(Table),
    /// Blocks under a title.
    Section { title: String, blocks: Vec<Block> },
}

/// Rows under headers; a header that begins with `>` is of a column of numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) headers: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

pub(super) fn section(title: impl Into<String>, blocks: Vec<Block>) -> Block {
    Block::Section { title: title.into(), blocks }
}

pub(super) fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

/// The name of a column, and whether numbers stand in it.
pub(super) fn column(header: &'static str) -> (&'static str, bool) {
    header.strip_prefix('>').map_or((header, false), |name| (name, true))
}
