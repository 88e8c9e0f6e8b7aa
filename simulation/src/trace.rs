//! The trace of a run: each step, what matters of it as a line.
//!
//! Invariant: the hash is of all steps in their order, so two runs with one hash have done the same.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

/// Lines that are kept to be shown.
const KEPT: usize = 60;

/// Of one run.
#[derive(Debug)]
pub struct Trace {
    hasher: DefaultHasher,
    last: VecDeque<String>,
    steps: u64,
    aloud: bool,
}

impl Default for Trace {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Trace {
    /// No steps yet; `aloud` prints each as it comes.
    #[must_use]
    pub fn new(aloud: bool) -> Self {
        // Without the random keys of a map's: the same in every process.
        Self { hasher: DefaultHasher::new(), last: VecDeque::new(), steps: 0, aloud }
    }

    /// One more step.
    pub fn step(&mut self, line: String) {
        if self.aloud {
            eprintln!("{line}");
        }
        self.steps += 1;
        self.hasher.write(line.as_bytes());
        self.hasher.write_u8(b'\n');
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// One more step of which nothing is told but when it was made.
    pub fn silent_step(&mut self, at: Duration) {
        self.steps += 1;
        self.hasher.write_u128(at.as_nanos());
    }

    /// How many there were.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Of all lines.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// The last lines.
    #[must_use]
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}
