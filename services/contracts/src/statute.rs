//! What statutes ask of terms: rules as data (`data/statutes.toml`), each with its validity and source.
//!
//! Invariant: what terms miss is a function of the terms and the day. A rule is judged by what the terms say alone, and
//! a finding is a flag for people: it stops nothing.

mod measure;
mod rule;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::civil::Date;
use tandem_proto::contracts::v1::{StatutoryFinding, Terms};

use rule::{Book, Statute};

/// The rules that this build knows.
static STATUTES: LazyLock<Vec<Statute>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is compiled in, and a test reads it")]
    let book: Book = toml::from_str(include_str!("../data/statutes.toml")).expect("data/statutes.toml is well-formed");
    book.statute
});

/// What terms miss that are offered or agreed on `day`, in the contract's time zone; in the order of the rules.
#[must_use]
pub fn findings(terms: &Terms, day: Date) -> Vec<StatutoryFinding> {
    let missed = STATUTES.iter().filter(|statute| statute.applies(terms, day) && !statute.is_kept(terms));
    missed.map(Statute::finding).collect()
}
