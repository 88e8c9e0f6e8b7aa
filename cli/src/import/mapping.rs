//! Mappings: which column of an export means what.
//!
//! Invariant: what a mapping names is in the file, or the import does not begin.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tandem_proto::creators::v1::Platform;

/// A mapping, as its TOML file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What parts the fields of a line; a comma if not set.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// What holds for every row.
    #[serde(default)]
    pub fixed: BTreeMap<Field, String>,
    /// Where the other fields stand.
    pub columns: Columns,
}

/// Where fields stand.
#[derive(Clone, Debug, Deserialize)]
pub struct Columns {
    /// What the creator publishes about; empty cells don't count.
    #[serde(default)]
    pub categories: Vec<Column>,
    /// Fields of one column.
    #[serde(flatten)]
    pub fields: BTreeMap<Field, Column>,
}

/// A field of a row, beside the categories.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// `instagram`, `tiktok` or `youtube`.
    Platform,
    /// Day of the report, `2022-09-01`.
    ObserveDate,
    /// The handle, with or without "@".
    Handle,
    /// Name shown to people.
    DisplayName,
    /// Where most of the audience lives.
    AudienceCountry,
    /// Followers or subscribers.
    Followers,
    /// Average engagements a post.
    AverageEngagements,
    /// The same by accounts judged authentic.
    AuthenticEngagements,
    /// Average views a post.
    AverageViews,
    /// Average likes a post.
    AverageLikes,
    /// Average comments a post.
    AverageComments,
    /// Average shares a post.
    AverageShares,
}

/// A column, by its header or by its place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// Place, from 1.
    Number(usize),
    /// Header; `Header#2` is the second column with it.
    Header(String),
}

/// Why a file can't be imported by a mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The mapping can't be read.
    #[error("{path} can't be read: {source}")]
    File {
        /// The mapping's file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The mapping is not TOML, or names what there is not.
    #[error("the mapping can't be understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A field without which no row can be taken.
    #[error("the mapping does not say where {0} stands; name it in [fixed] or in [columns]")]
    Missing(String),
    /// A field that stands in two places.
    #[error("{0} is in [fixed] and in [columns]; take it out of one of them")]
    Twice(String),
    /// A fixed value that no row could have.
    #[error("[fixed] {field}: {problem}")]
    Fixed {
        /// The field.
        field: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A column that the file does not have.
    #[error("{field}: the file has no column {column}. It has: {available}")]
    NoColumn {
        /// The field.
        field: String,
        /// The column, as the mapping names it.
        column: String,
        /// The columns of the file, as a mapping would name them.
        available: String,
    },
}

impl Mapping {
    /// Reads a mapping's file.
    ///
    /// # Errors
    /// Names the file, the field or the place in the file.
    pub fn from_file(path: &Path) -> Result<Self, MappingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| MappingError::File { path: path.display().to_string(), source })?;
        Self::from_toml(&text)
    }

    /// Reads a mapping.
    ///
    /// # Errors
    /// Names the field or the place in the text.
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text)?;
        for field in [Field::Platform, Field::ObserveDate, Field::Handle] {
            if !mapping.fixed.contains_key(&field) && !mapping.columns.fields.contains_key(&field) {
                return Err(MappingError::Missing(field.name()));
            }
        }
        for (field, value) in &mapping.fixed {
            if mapping.columns.fields.contains_key(field) {
                return Err(MappingError::Twice(field.name()));
            }
            field.check(value).map_err(|problem| MappingError::Fixed { field: field.name(), problem })?;
        }
        Ok(mapping)
    }
}

impl Field {
    /// As mappings write it, "observe_date".
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Whether a row could have this value.
    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Platform => parse_platform(value).map(|_| ()),
            Self::ObserveDate => parse_date(value).map(|_| ()),
            Self::Handle => Err("every row has its own; name its column in [columns]".into()),
            Self::DisplayName | Self::AudienceCountry => Ok(()),
            _ => super::number::parse_count(value).map(|_| ()),
        }
    }
}

/// A platform by its name, in any case of letters.
pub(super) fn parse_platform(text: &str) -> Result<Platform, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "instagram" => Ok(Platform::Instagram),
        "tiktok" => Ok(Platform::Tiktok),
        "youtube" => Ok(Platform::Youtube),
        _ => Err(format!("{text:?} is not a platform; write instagram, tiktok or youtube")),
    }
}

/// A day.
pub(super) fn parse_date(text: &str) -> Result<jiff::civil::Date, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a day; write it as 2022-09-01"))
}

fn comma() -> char {
    ','
}
