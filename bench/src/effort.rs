//! How much is measured.

/// For seconds or for minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) quick: bool,
}

impl Effort {
    /// `quick` for seconds, `thorough` for minutes.
    pub(crate) fn pick<T>(self, quick: T, thorough: T) -> T {
        if self.quick { quick } else { thorough }
    }
}
