//! Positions by kind of aggregate: what a client brings from a write to a List, so that the List is not behind it.
//!
//! Invariant: the text form is canonical (sorted by kind), and reading it back yields the same positions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{Kind, Position};

/// The last position that one has seen of each kind: `contracts.contract:123,payouts.earning:140` as text. Empty text
/// is no positions. Kinds are strings, for a client may bring those of services that this one does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(BTreeMap<String, Position>);

/// A text that is not positions.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position: pass what an earlier reply gave, such as contracts.contract:123,payouts.earning:140")]
pub struct InvalidPositions(pub String);

impl Positions {
    /// Notes that `kind` was seen up to `position`; an earlier, higher one stays.
    pub fn insert(&mut self, kind: Kind, position: Position) {
        self.raise(kind.to_string(), position);
    }

    /// Takes over what `other` has seen beyond these.
    pub fn merge(&mut self, other: &Positions) {
        for (kind, position) in &other.0 {
            self.raise(kind.clone(), *position);
        }
    }

    /// The highest position of any of these kinds; 0 if none was seen.
    #[must_use]
    pub fn max_for(&self, kinds: &[Kind]) -> Position {
        kinds.iter().filter_map(|kind| self.0.get(&kind.to_string())).copied().max().unwrap_or(0)
    }

    /// The highest position of any kind; 0 if none was seen.
    #[must_use]
    pub fn max(&self) -> Position {
        self.0.values().copied().max().unwrap_or(0)
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn raise(&mut self, kind: String, position: Position) {
        let seen = self.0.entry(kind).or_default();
        *seen = position.max(*seen);
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, position)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{kind}:{position}")?;
        }
        Ok(())
    }
}

impl FromStr for Positions {
    type Err = InvalidPositions;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut positions = Self::default();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (kind, position) = parse(part).ok_or_else(|| InvalidPositions(text.to_owned()))?;
            positions.raise(kind.to_owned(), position);
        }
        Ok(positions)
    }
}

fn parse(part: &str) -> Option<(&str, Position)> {
    let (kind, position) = part.split_once(':')?;
    let (context, aggregate) = kind.split_once('.')?;
    // `u64::from_str` would let a plus sign pass.
    let digits = position.bytes().all(|b| b.is_ascii_digit());
    (digits && crate::is_token(context) && crate::is_token(aggregate)).then_some((kind, position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: Kind = Kind { context: "contracts", aggregate: "contract" };
    const EARNING: Kind = Kind { context: "payouts", aggregate: "earning" };
    const RUN: Kind = Kind { context: "payouts", aggregate: "run" };

    #[test]
    fn text_and_back() {
        let mut positions = Positions::default();
        assert_eq!(positions.to_string().parse(), Ok(positions.clone()));
        positions.insert(EARNING, 140);
        positions.insert(CONTRACT, 123);
        assert_eq!(positions.to_string(), "contracts.contract:123,payouts.earning:140");
        assert_eq!(positions.to_string().parse(), Ok(positions));
    }

    #[test]
    fn never_goes_back() {
        let mut positions: Positions = "payouts.earning:140".parse().unwrap();
        positions.insert(EARNING, 7);
        positions.merge(&"payouts.earning:139,payouts.run:9".parse().unwrap());
        assert_eq!(positions.to_string(), "payouts.earning:140,payouts.run:9");
        assert_eq!(positions.max_for(&[CONTRACT]), 0);
        assert_eq!(positions.max_for(&[CONTRACT, RUN, EARNING]), 140);
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "x",
            "a.b",
            "a.b:",
            "a.b:-1",
            "a.b:+1",
            "a:1",
            ".b:1",
            "a.b:1,",
            ",",
            "a.b.c:1",
            "a.b:99999999999999999999",
        ] {
            assert_eq!(text.parse::<Positions>(), Err(InvalidPositions(text.to_owned())), "{text}");
        }
    }
}
