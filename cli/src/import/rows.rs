//! Rows of an export, read one after the other.
//!
//! Invariant: every record of the file becomes a row or a rejection that names its line; none is left out.

use std::collections::BTreeMap;
use std::io::Read;

use csv::{ByteRecord, Terminator};
use tandem_proto::creators::v1::{ChannelFigures, ImportCreatorRow};
use tandem_proto::google::r#type::Date;

use super::headers::Headers;
use super::lines::{LineReader, Lines};
use super::mapping::{Field, Mapping, parse_date, parse_platform};
use super::number::parse_count;
use super::{ImportError, Rejection};

/// A row with where it stands.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line of the file on which the record begins, from 1.
    pub line: u64,
    /// What is sent.
    pub row: ImportCreatorRow,
}

/// Reads an export by a mapping.
pub struct Rows<R> {
    csv: csv::Reader<LineReader<R>>,
    lines: Lines,
    layout: Layout,
    record: ByteRecord,
}

/// Where each field stands in this file.
#[derive(Clone, Debug)]
pub struct Layout {
    headers: Headers,
    fixed: BTreeMap<Field, String>,
    fields: BTreeMap<Field, usize>,
    categories: Vec<usize>,
}

impl<R: Read> Rows<R> {
    /// Reads the header line and finds the mapping's columns in it.
    ///
    /// # Errors
    /// If the file can't be read, has no header line, or lacks a column.
    pub fn open(file: R, mapping: &Mapping) -> Result<Self, ImportError> {
        let delimiter = u8::try_from(mapping.delimiter).map_err(|_| ImportError::Delimiter(mapping.delimiter))?;
        let (reader, lines) = LineReader::new(file);
        // A record ends at a line feed alone: carriage returns are trimmed from the cells.
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(reader);
        let mut record = ByteRecord::new();
        csv.read_byte_record(&mut record)?;
        let headers = Headers::new(record.iter());
        if headers.is_empty() {
            return Err(ImportError::NoHeaders);
        }
        let layout = Layout::new(headers, mapping)?;
        Ok(Self { csv, lines, layout, record })
    }

    /// Where the fields stand in this file.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes of the file that were taken from it so far.
    pub fn bytes_read(&self) -> u64 {
        self.csv.position().byte()
    }
}

impl<R: Read> Iterator for Rows<R> {
    /// Fails only if the file can't be read any further.
    type Item = Result<Result<Row, Rejection>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.csv.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error.into())),
            }
            // A line of nothing but white space is no record.
            if self.record.len() == 1 && self.record[0].trim_ascii().is_empty() {
                continue;
            }
            let line = self.lines.of_record(self.record.position().map_or(0, csv::Position::byte));
            return Some(Ok(self.layout.row(line, &self.record)));
        }
    }
}

impl Layout {
    fn new(headers: Headers, mapping: &Mapping) -> Result<Self, ImportError> {
        let mut fields = BTreeMap::new();
        for (field, column) in &mapping.columns.fields {
            fields.insert(*field, headers.find(&field.name(), column)?);
        }
        let categories = mapping.columns.categories.iter().map(|column| headers.find("categories", column));
        let categories = categories.collect::<Result<_, _>>()?;
        Ok(Self { headers, fixed: mapping.fixed.clone(), fields, categories })
    }

    /// Name of the column that a field of the API comes from, as "figures.followers".
    pub(super) fn column_of(&self, path: &str) -> String {
        let name = path.strip_prefix("figures.").unwrap_or(path);
        let found = self.fields.iter().find(|(field, _)| field.name() == name);
        match (found, name, self.categories.first()) {
            (Some((_, index)), _, _) => self.headers.name(*index),
            (None, "categories", Some(index)) => self.headers.name(*index),
            _ => name.to_owned(),
        }
    }

    fn row(&self, line: u64, record: &ByteRecord) -> Result<Row, Rejection> {
        let reject = |column: String, reason: String| Rejection { line, column, reason };
        if record.len() != self.headers.len() {
            let reason = format!(
                "the row has {} fields where the header has {}; look for a quote or a delimiter too many or too few",
                record.len(),
                self.headers.len()
            );
            return Err(reject(String::new(), reason));
        }
        let cell = |index: usize| {
            let text = std::str::from_utf8(&record[index]).map_err(|_| {
                reject(self.headers.name(index), "is not UTF-8; save the file in UTF-8 and import it again".into())
            })?;
            Ok::<_, Rejection>(text.trim())
        };
        let text = |field: Field| match self.fields.get(&field) {
            Some(index) => cell(*index),
            None => Ok(self.fixed.get(&field).map_or("", |value| value.trim())),
        };
        let count =
            |field: Field| parse_count(text(field)?).map_err(|reason| reject(self.column_of(&field.name()), reason));
        let platform =
            parse_platform(text(Field::Platform)?).map_err(|reason| reject(self.column_of("platform"), reason))?;
        let date =
            parse_date(text(Field::ObserveDate)?).map_err(|reason| reject(self.column_of("observe_date"), reason))?;
        let handle = text(Field::Handle)?;
        if handle.trim_start_matches('@').is_empty() {
            return Err(reject(self.column_of("handle"), "is empty; a creator is known by the handle".into()));
        }
        let categories = self.categories.iter().map(|index| cell(*index));
        let mut categories = categories.collect::<Result<Vec<_>, _>>()?;
        categories.retain(|category| !category.is_empty());
        let figures = ChannelFigures {
            observe_date: Some(Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }),
            followers: count(Field::Followers)?,
            average_engagements: count(Field::AverageEngagements)?,
            authentic_engagements: count(Field::AuthenticEngagements)?,
            average_views: count(Field::AverageViews)?,
            average_likes: count(Field::AverageLikes)?,
            average_comments: count(Field::AverageComments)?,
            average_shares: count(Field::AverageShares)?,
        };
        let row = ImportCreatorRow {
            platform: platform.into(),
            handle: handle.to_owned(),
            display_name: text(Field::DisplayName)?.to_owned(),
            audience_country: text(Field::AudienceCountry)?.to_owned(),
            categories: categories.into_iter().map(str::to_owned).collect(),
            figures: Some(figures),
        };
        Ok(Row { line, row })
    }
}
