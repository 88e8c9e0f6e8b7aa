//! The header line of an export, and finding columns in it.
//!
//! Invariant: a name finds one column or none; of equal headers each has a name of its own.

use super::mapping::{Column, MappingError};

/// The columns of a file, as people name them.
#[derive(Clone, Debug)]
pub struct Headers(Vec<String>);

impl Headers {
    /// Takes the cells of the header line.
    pub fn new<'a>(cells: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for cell in cells {
            let cell = String::from_utf8_lossy(cell);
            names.push(cell.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        Self(names)
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no column at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }

    /// Name of the column at this index: "Subscribers#2" for the second one.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let Some(name) = self.0.get(index) else { return format!("column {}", index + 1) };
        let same = |other: &&String| folded(other) == folded(name);
        match self.0[..index].iter().filter(same).count() {
            0 => name.clone(),
            before => format!("{name}#{}", before + 1),
        }
    }

    /// Index of a column.
    ///
    /// # Errors
    /// If there is none; names those that there are. `field` is what it was to be taken for.
    pub fn find(&self, field: &str, column: &Column) -> Result<usize, MappingError> {
        let (found, shown) = match column {
            Column::Number(number) => (number.checked_sub(1).filter(|index| *index < self.len()), number.to_string()),
            Column::Header(header) => {
                let wanted = folded(header);
                // The first of a name can be called "Header" and "Header#1"; a header may itself end in "#2".
                let found = (0..self.len()).find(|index| folded(&self.name(*index)) == wanted);
                let first = || wanted.strip_suffix("#1").and_then(|name| self.0.iter().position(|n| folded(n) == name));
                (found.or_else(first), format!("{header:?}"))
            }
        };
        found.ok_or_else(|| MappingError::NoColumn {
            field: field.to_owned(),
            column: shown,
            available: (0..self.len()).map(|index| format!("{:?}", self.name(index))).collect::<Vec<_>>().join(", "),
        })
    }
}

/// What counts in comparing headers.
fn folded(header: &str) -> String {
    header.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
