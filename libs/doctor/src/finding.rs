//! What is wrong, told so that it can be put right.
//!
//! Invariant: a finding says what is so, what could come of it, and what exactly to do.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is lost, forged or not served, or could be: production is not started on it.
    Error,
    /// Worth a look; or it could not be checked.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is, for programs: `log-not-replicated`. Stays as it is.
    pub code: &'static str,
    /// What it is about: `stream tandem`.
    pub subject: String,
    /// What is so.
    pub problem: String,
    /// What could come of it.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Must be put right.
    pub(crate) fn error(code: &'static str, subject: impl Into<String>, problem: impl Into<String>) -> Self {
        let (subject, problem) = (subject.into(), problem.into());
        Self { severity: Severity::Error, code, subject, problem, why: String::new(), remedy: String::new() }
    }

    /// Worth a look.
    pub(crate) fn warning(code: &'static str, subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, subject, problem) }
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// In one sentence each: what, why, what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({}). {}. {}.",
            self.subject,
            self.problem,
            self.code,
            capital(&self.why),
            capital(&self.remedy)
        )
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
