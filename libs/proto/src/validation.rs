//! Checking a message against the rules that stand in its proto file.
//!
//! Invariant: every broken rule is reported, each with the path of its field as a client writes it.

use std::fmt;

/// A field that breaks a rule of its proto file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field from the request, for example `prospect.brand` or `rows[3].handle`.
    pub field: String,
    /// What is wrong, so that the field's name before it makes a sentence: "is required".
    pub description: String,
}

impl FieldViolation {
    /// A violation found by code rather than by a rule of the proto file.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// A message with rules. Implemented for every message of `tandem.*`.
pub trait Validate {
    /// Adds what is wrong, with paths below `at`.
    fn check(&self, at: &Path<'_>, out: &mut Vec<FieldViolation>);

    /// All that is wrong with the message.
    fn violations(&self) -> Vec<FieldViolation> {
        let mut out = Vec::new();
        self.check(&Path::Root, &mut out);
        out
    }
}

/// Where a message stands in the request; written out only when something is wrong.
pub enum Path<'a> {
    /// The request itself.
    Root,
    /// A field of a message.
    Field(&'a Path<'a>, &'static str),
    /// An item of a repeated field.
    Item(&'a Path<'a>, &'static str, usize),
}

impl Path<'_> {
    /// A field below.
    #[must_use]
    pub fn field(&self, name: &'static str) -> Path<'_> {
        Path::Field(self, name)
    }

    /// An item of a repeated field below.
    #[must_use]
    pub fn item(&self, name: &'static str, index: usize) -> Path<'_> {
        Path::Item(self, name, index)
    }

    /// What is wrong here.
    #[must_use]
    pub fn violation(&self, description: &str) -> FieldViolation {
        FieldViolation::new(self.to_string(), description)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = |parent: &Path<'_>| if matches!(parent, Path::Root) { "" } else { "." };
        match self {
            Path::Root => Ok(()),
            Path::Field(parent, name) => write!(f, "{parent}{}{name}", dot(parent)),
            Path::Item(parent, name, index) => write!(f, "{parent}{}{name}[{index}]", dot(parent)),
        }
    }
}
