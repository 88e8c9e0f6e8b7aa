//! The rules of exclusivity: one test a rule, and every refusal has one.

mod book;
mod commitment;
mod conflict;
mod keeping;
mod taxonomy;

use tandem_proto::contracts::v1::{Commitment, ExclusivityWindow};

use crate::fixtures::date;

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(Into::into).into()
}

/// A contract for skin care on Instagram, for the whole world, in June 2026, without exclusivity.
fn work(contract: &str, brand: &str) -> Commitment {
    Commitment {
        contract: format!("contracts/{contract}"),
        brand: format!("brands/{brand}"),
        creator: "creators/zoe".into(),
        categories: words(["skin-care"]),
        channels: words(["instagram"]),
        territories: words(["WORLD"]),
        start_date: date(2026, 6, 1),
        end_date: date(2026, 6, 30),
        ..Commitment::default()
    }
}

/// The same, exclusively on all channels, for the whole world, a month longer.
fn exclusive(contract: &str, brand: &str) -> Commitment {
    let window = ExclusivityWindow {
        clause_id: "exclusivity".into(),
        categories: words(["skin-care"]),
        territories: words(["WORLD"]),
        channels: Vec::new(),
        start_date: date(2026, 6, 1),
        end_date: date(2026, 7, 31),
    };
    Commitment { windows: vec![window], ..work(contract, brand) }
}
