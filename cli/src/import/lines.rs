//! Line numbers of records, as an editor shows them.
//!
//! Invariant: lines are counted in the bytes of the file, so that line breaks within quotes and blank lines count too.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Notes where lines end in what is read through it.
pub(super) struct LineReader<R> {
    inner: R,
    offset: u64,
    ends: Arc<Mutex<VecDeque<u64>>>,
}

/// Tells the lines of records, which come in the order of the file.
pub(super) struct Lines {
    ends: Arc<Mutex<VecDeque<u64>>>,
    line: u64,
}

impl<R> LineReader<R> {
    pub(super) fn new(inner: R) -> (Self, Lines) {
        let ends = Arc::<Mutex<VecDeque<u64>>>::default();
        (Self { inner, offset: 0, ends: Arc::clone(&ends) }, Lines { ends, line: 1 })
    }
}

impl<R: Read> Read for LineReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for (offset, byte) in (self.offset..).zip(&buffer[..count]) {
            if *byte == b'\n' {
                ends.push_back(offset);
            }
        }
        self.offset += count as u64;
        Ok(count)
    }
}

impl Lines {
    /// Line of the record for which the parser began to read at this offset.
    pub(super) fn of_record(&mut self, mut offset: u64) -> u64 {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        // An end of line at the offset itself is that of a blank line, which the parser has skipped.
        while let Some(end) = ends.front().copied().filter(|end| *end <= offset) {
            ends.pop_front();
            self.line += 1;
            offset = offset.max(end + 1);
        }
        self.line
    }
}
