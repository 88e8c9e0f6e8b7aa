//! What the rounds saw of each thing that was measured, and the rows that come of it.
//!
//! Invariant: all samples of a series are of different rounds, in their order, so that the `n`th of two series saw the
//! machine in the same state.

use std::collections::BTreeMap;

use crate::load::Sample;
use crate::report::Row;

/// A series of samples for each `K`.
pub(crate) struct Samples<K>(BTreeMap<K, Vec<Sample>>);

/// One figure of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Rate,
    P50,
    P99,
}

impl Figure {
    fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P99 => "p99",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Rate => "1/s",
            Self::P50 | Self::P99 => "µs",
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Rate => sample.rate,
            Self::P50 => sample.p50,
            Self::P99 => sample.p99,
        }
    }
}

impl<K: Ord> Samples<K> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// What the next round saw of `key`.
    pub(crate) fn add(&mut self, key: K, sample: Sample) {
        self.0.entry(key).or_default().push(sample);
    }

    /// A figure in each round.
    pub(crate) fn figures(&self, key: &K, figure: Figure) -> Vec<f64> {
        self.0.get(key).into_iter().flatten().map(|sample| figure.of(sample)).collect()
    }

    /// A row of one figure.
    pub(crate) fn row(&self, name: &str, figure: Figure, key: &K) -> Row {
        Row::new(format!("{name}: {}", figure.name()), figure.unit(), &self.figures(key, figure))
    }

    /// A row of one figure, beside the same of what limits it.
    pub(crate) fn row_beside(&self, name: &str, figure: Figure, key: &K, limit: &K) -> Row {
        let (values, limits) = (self.figures(key, figure), self.figures(limit, figure));
        self.row(name, figure, key).beside(&values, &limits)
    }
}
