//! What is printed, in the one form that all commands share.
//!
//! Invariant: results go to stdout, everything else to stderr; a table has no lines that a person would read past.

use std::fmt::Display;
use std::io::{self, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use prost::{Message, Name};
use tandem_money::Money;
use tandem_proto::google::r#type as wire;
use tandem_proto::json;

/// For whom a result is printed.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value, or one a line where there may be many.
    Json,
}

/// A table with these headers; those that begin with `>` are of columns of numbers.
#[must_use]
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headers.iter().map(|header| header.trim_start_matches('>')));
    for (index, header) in headers.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            column.set_padding((0, 2));
            if header.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table
}

/// Prints a table without the spaces at the ends of its lines.
///
/// # Errors
/// As [`line`].
pub(crate) fn print(table: &Table) -> io::Result<()> {
    line(table.trim_fmt())
}

/// Prints what is listed: as ProtoJSON, one a line, or as `text` does.
///
/// # Errors
/// As [`line`], and if a message is of no known type.
pub(crate) fn list<M: Message + Name>(
    format: Format,
    items: &[M],
    text: impl FnOnce(&[M]) -> io::Result<()>,
) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            for item in items {
                line(json::write(item)?)?;
            }
        }
        Format::Text => text(items)?,
    }
    Ok(())
}

/// Prints a line to stdout.
///
/// # Errors
/// If it can't be written, which is `BrokenPipe` when its reader has seen enough, as `head` does.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// So many things: "1 contract", "1,234 contracts".
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// "1234567" as "1,234,567".
#[must_use]
pub fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An instant to the second, in UTC; empty if there is none.
#[must_use]
pub fn instant(time: Option<&prost_types::Timestamp>) -> String {
    let instant = time.and_then(tandem_proto::time::from_proto);
    instant.map_or_else(String::new, |instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// "USD 1,234.50"; a dash where there is none.
pub(crate) fn amount(amount: Option<&wire::Money>) -> String {
    amount.and_then(|amount| Money::try_from(amount).ok()).map_or_else(|| "–".to_owned(), |amount| amount.to_string())
}

/// "2026-03-31"; empty if there is none.
pub(crate) fn day(date: Option<&wire::Date>) -> String {
    date.map_or_else(String::new, |date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
}

/// "tandem.contracts.v1.ContractSigned" as "ContractSigned".
#[must_use]
pub fn short(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or(type_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn instants_are_shown_in_utc() {
        assert_eq!(instant(Some(&prost_types::Timestamp { seconds: 1_662_033_600, nanos: 5 })), "2022-09-01 12:00:00");
        assert_eq!(instant(None), "");
    }
}
